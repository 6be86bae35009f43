"""Drafts a feature schema from dated sources: files of events, of subscriptions, and of a profile of the customers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.drafting.churn_rule import check_that_leaving_shows, churn_rule
from retainstream.engine.drafting.event_columns import Names
from retainstream.engine.drafting.facts import CustomerLives, lives_of, rhythms_of
from retainstream.engine.drafting.findings import Finding, Findings
from retainstream.engine.drafting.findings.balance import FEWEST
from retainstream.engine.drafting.names import label_for, likely_group, name_for
from retainstream.engine.drafting.recognition import Recognised
from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.drafting.source_columns import SourceColumns
from retainstream.engine.schema import ANCHOR, ANY, Churn, Column, FeatureSchema, Id, Label, Moments, NoEvent, Origin, SubscriptionEnded
from retainstream.engine.silence.definition import RETURN_SHARE
from retainstream.engine.silence.report import Report
from retainstream.engine.sources.anchors import anchor_days
from retainstream.engine.sources.delivered import Delivered, SourceFiles, iso_day, read_sources
from retainstream.engine.sources.findings import Finding as SourceFinding

HORIZON_DAYS = 30
LABEL = "churned"
_MOST_GROUPS = 12
_FEWEST_PERIODS = 3
_FEW_ROWS = 0.01
_REPEATED = ("duplicate", "repeated")


@dataclass
class SourcesDraft(Findings):
    """A drafted schema of dated sources, with remarks and findings.

    rhythms: the events by kind, most customers first. silence: the churn definition, where churn is the absence of events.
    remarks: column name → notes for a person. seen: column name → range of its numbers in the profile. left_out: header of the profile or
    kind of event → reason. price: the name of the price column. rows: rows of each source. leavers: lives that ended.
    """

    schema: FeatureSchema
    findings: list[Finding]
    rhythms: list[Rhythm]
    silence: Report | None
    rows: dict[str, int]
    customers: int
    leavers: int
    first_day: str
    last_day: str
    price: str | None = None
    remarks: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> str:
        """As in "2,167 rows of subscriptions and 192,725 rows of events"."""
        *others, last = [f"{rows:,} row{'' if rows == 1 else 's'} of {source}" for source, rows in self.rows.items()]
        return f"{', '.join(others)} and {last}" if others else last

    def figures(self) -> dict[str, object]:
        """The figures for scripts. `silence` is the report of `retainstream churn define`, where churn is the absence of events."""
        return {
            "rows": self.rows,
            "customers": self.customers,
            "churned": self.leavers,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "kinds": [asdict(rhythm) for rhythm in self.rhythms],
            "silence": self.silence.document() if self.silence else None,
        }


def draft_from_sources(
    connection: DuckDBPyConnection,
    files: Mapping[str, Path],
    recognised: Recognised,
    *,
    today: int,
    name: str = "customers",
    return_share: float = RETURN_SHARE,
) -> SourcesDraft:
    """Draft a schema whose columns and outcome are computed from source files.

    Args:
        files: the file of each source, by "events", "subscriptions" and "profile".
        today: days since 1970-01-01. Data of later days are set aside.
        name: the schema's name, in lower case.
        return_share: the largest share of silences that may end, where churn is the absence of events.

    Raises:
        UnreadableTable: a file cannot be read, nothing shows that a customer left, or no column can be a feature.
    """
    check_that_leaving_shows(recognised)
    documents = recognised.documents
    delivered = deliver(connection, files, recognised, today=today)
    rhythms = rhythms_of(connection) if documents.events else {}
    rule = churn_rule(connection, recognised, delivered, rhythms, return_share)
    if isinstance(rule.churn, SubscriptionEnded) and rule.churn.grace_days:  # subscriptions are joined to lives as they are read
        delivered = deliver(connection, files, recognised, today=today, churn=rule.churn)
    lives = lives_of(connection, _schema(recognised, name, rule.churn, [_any_column(recognised)]), delivered)
    columns = SourceColumns(Names([recognised.customers, LABEL]))
    if documents.events:
        columns.add_events(rhythms, _noun(documents.events.file))
    if documents.subscriptions:
        columns.add_subscriptions(documents.subscriptions, recognised.sources["subscriptions"])
    if documents.profile:
        columns.add_profile(documents.profile, recognised.sources["profile"], lives.left)
    schema = _schema(recognised, name, rule.churn, columns.columns)
    findings = [
        *(Finding("note", note) for note in delivered.notes),
        *(_of_delivery(finding, delivered) for finding in delivered.findings),
        *recognised.findings,
        *rule.findings,
        *columns.findings,
        *_too_little(schema, delivered, lives),
    ]
    return SourcesDraft(
        schema,
        findings,
        list(rhythms.values()),
        rule.silence,
        delivered.rows,
        customers=len(lives.left),
        leavers=sum(lives.left.values()),
        first_day=iso_day(delivered.first),
        last_day=iso_day(delivered.through),
        price=next((column.name for column in schema.columns if column.origin and column.origin.subscriptions == "price"), None),
        remarks=columns.remarks,
        seen=columns.seen,
        left_out=columns.left_out,
    )


def deliver(
    connection: DuckDBPyConnection, files: Mapping[str, Path], recognised: Recognised, *, today: int, churn: Churn | None = None
) -> Delivered:
    """The sources in tables of the connection, before any column is drafted.

    Raises:
        UnreadableTable: a file cannot be read.
    """
    schema = _schema(recognised, "sources", churn or _any_rule(recognised), [_any_column(recognised)])
    return read_sources(connection, schema, SourceFiles(**{source: [path] for source, path in files.items()}), today=today)


def _schema(recognised: Recognised, name: str, churn: Churn, columns: list[Column]) -> FeatureSchema:
    days = churn.days if isinstance(churn, NoEvent) else 0
    groups = {column.name: column for column in columns if column.kind == "category" and len(column.levels) <= _MOST_GROUPS}
    plan = next((column.name for column in groups.values() if column.origin and column.origin.subscriptions == "plan"), None)
    return FeatureSchema(
        name=name,
        title=f"{label_for(name)} customers" if not name.startswith("customer") else "Customers",
        id=Id(column=name_for(recognised.customers, set())),
        label=Label(column=LABEL, positive=True, meaning=_meaning(churn)),
        group=plan or likely_group(list(groups)),
        horizon_days=max(HORIZON_DAYS, days),
        columns=tuple(columns),
        sources=recognised.documents,
        churn=churn,
        anchors="monthly",
        moments=Moments(anchor=ANCHOR),
    )


def _any_rule(recognised: Recognised) -> Churn:
    """A rule that is enough to read the files."""
    subscriptions = recognised.documents.subscriptions
    if subscriptions and subscriptions.end:
        return SubscriptionEnded(when="subscription-ended")
    return NoEvent(when="no-event", days=HORIZON_DAYS)


def _any_column(recognised: Recognised) -> Column:
    """A column that is enough to read the files."""
    origin = Origin(events=ANY, count=True) if recognised.documents.events else Origin(subscriptions="tenure")
    return Column(name="c" if recognised.customers != "c" else "d", kind="integer", label="Column", origin=origin)


def _meaning(churn: Churn) -> str:
    if isinstance(churn, SubscriptionEnded):
        grace = f", and no other began within {churn.grace_days} days" if churn.grace_days else ""
        return f"The last subscription ended{grace}"
    return f"{churn.days} days without {'an event' if churn.kind == ANY else f'an event of kind {churn.kind}'}"


def _noun(file: str) -> str:
    """What an event of a file without kinds is called: purchase for purchases.csv."""
    words = re.findall(r"[a-z]+", file.lower().split(".")[0])
    return words[-1][:-1] if words and re.fullmatch(r"[a-z]{3,}[^s]s", words[-1]) and words[-1] != "events" else "event"


def _anchors(delivered: Delivered) -> list[int]:
    try:
        return anchor_days("monthly", delivered)
    except ValueError:  # no month begins in the data
        return []


def _of_delivery(found: SourceFinding, delivered: Delivered) -> Finding:
    """A remark on rows as a finding: a warning where more than a few rows of the source are set aside."""
    many = not found.kept and found.sort not in _REPEATED and found.rows > _FEW_ROWS * delivered.rows[found.source]
    return Finding("set_aside" if many else "note", found.text, (), {"rows": found.rows})


def _too_little(schema: FeatureSchema, delivered: Delivered, lives: CustomerLives) -> Iterator[Finding]:
    """Findings about too few customers, leavers or anchors for a model."""
    customers, here = len(lives.left), sum(not left for left in lives.left.values())
    rarer = min(lives.ended, here)
    if rarer < FEWEST:
        side = "have left" if lives.ended <= here else "are customers still"
        text = (
            f"only {rarer:,} of {customers:,} customers {side} by this rule: too few for a reliable model or figures; bring files with at "
            f"least {FEWEST}, better 500"
        )
        yield Finding("few_outcomes", text, (), {"customers": rarer, "known": customers})
    days = _anchors(delivered)
    labelled = [day for day in days if day + schema.horizon_days <= delivered.through]
    span = f"{iso_day(delivered.first)} to {iso_day(delivered.through)}"
    if not labelled:
        text = (
            f"no anchor has a label: the files cover {span}, and an anchor needs data before it and the {schema.horizon_days} days of the "
            "horizon after it. Bring files of a longer time"
        )
        yield Finding("few_outcomes", text, (), {"anchors": len(days), "labelled": 0})
    elif len(labelled) < _FEWEST_PERIODS:
        text = f"{len(labelled)} of {len(days)} monthly anchors have a label; a model is judged by time with {_FEWEST_PERIODS} or more"
        yield Finding("note", text, (), {"anchors": len(days), "labelled": len(labelled)})
