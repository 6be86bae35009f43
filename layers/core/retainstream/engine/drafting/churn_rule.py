"""The rule by which a draft sees that a customer left."""

from collections.abc import Mapping
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from retainstream.engine.drafting.facts import pauses_of
from retainstream.engine.drafting.findings import Finding
from retainstream.engine.drafting.recognition import Recognised
from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.schema import ANY, Churn, NoEvent, SubscriptionEnded
from retainstream.engine.silence.events import report_of
from retainstream.engine.silence.report import Report
from retainstream.engine.sources.delivered import Delivered
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.traps.leaks import share

FALLBACK_DAYS = 90
"""Days without an event of a draft from data that cannot judge any silence."""

_GRACES = (3, 7, 14, 30)
_SOON = 60
_FEWEST_PAUSES, _PAUSES = 20, 0.05
_MOST_AFTER_GRACE = 0.2


@dataclass(frozen=True)
class ChurnRule:
    """The rule, how it was chosen, and the report of silences if the rule is the absence of events."""

    churn: Churn
    findings: list[Finding]
    silence: Report | None = None


def check_that_leaving_shows(recognised: Recognised) -> None:
    """Stops if nothing in the sources can show that a customer left.

    Raises:
        UnreadableTable: there are neither events nor ends of subscriptions.
    """
    documents = recognised.documents
    if documents.events:
        return
    if documents.subscriptions is None:
        name = recognised.sources["profile"].table.source
        detail = "a profile has no days on which something happened; add --events or --subscriptions, or use --data FILE --label COLUMN"
        raise UnreadableTable(name, [TableProblem(detail)])
    if documents.subscriptions.end is None:
        detail = (
            "no column says when a subscription ended, and there are no events; name the column with --role subscriptions.end=COLUMN, "
            "or add --events"
        )
        raise UnreadableTable(recognised.sources["subscriptions"].table.source, [TableProblem(detail)])


def churn_rule(
    connection: DuckDBPyConnection, recognised: Recognised, delivered: Delivered, rhythms: Mapping[str, Rhythm], return_share: float
) -> ChurnRule:
    """The end of the last subscription where subscriptions have an end, otherwise a silence of events."""
    if recognised.documents.subscriptions and recognised.documents.subscriptions.end:
        return _subscription_ended(connection)
    return _no_event(connection, delivered, rhythms, return_share)


def _subscription_ended(connection: DuckDBPyConnection) -> ChurnRule:
    """The end of the last subscription, with days of grace if many customers begin a new one soon after an end."""
    pauses, ends = pauses_of(connection, _SOON)
    if len(pauses) < max(_FEWEST_PAUSES, _PAUSES * ends):
        return ChurnRule(SubscriptionEnded(when="subscription-ended"), [])
    beyond = {grace: sum(pause > grace for pause in pauses) for grace in _GRACES}
    grace = next(grace for grace in _GRACES if beyond[grace] <= _MOST_AFTER_GRACE * len(pauses) or grace == _GRACES[-1])
    text = (
        f"{len(pauses):,} of {ends:,} ended subscriptions are followed by another of the same customer within {_SOON} days, "
        f"{share(len(pauses) - beyond[grace], len(pauses))} of these within {grace} days. grace_days: {grace} keeps them as customers"
    )
    evidence: dict[str, float | int | str] = {"ended": ends, "followed": len(pauses), "within_grace": len(pauses) - beyond[grace]}
    return ChurnRule(SubscriptionEnded(when="subscription-ended", grace_days=grace), [Finding("note", text, (), evidence)])


def _no_event(connection: DuckDBPyConnection, delivered: Delivered, rhythms: Mapping[str, Rhythm], return_share: float) -> ChurnRule:
    kinds = [rhythm.kind for kind, rhythm in rhythms.items() if kind != ANY]
    paid = [kind for kind in kinds if rhythms[kind].amounts > rhythms[kind].events / 2]
    kind = paid[0] if len(paid) == 1 else ANY
    report = report_of(connection, delivered, kind=None if kind == ANY else kind, return_share=return_share)
    findings = [Finding("note", sentence) for sentence in report.sentences()]
    days = report.definition.proposed_days or report.definition.curve.longest(report.definition.within_days)
    if report.definition.proposed_days is None:
        days = days or FALLBACK_DAYS
        text = f"the draft counts {days} days without an event as churn, without support in the data; choose the days yourself"
        findings.append(Finding("few_outcomes", text, (), {"days": days}))
    if len(kinds) > 1:
        which = f'events of kind "{kind}", the only kind with amounts' if kind != ANY else "events of every kind"
        text = f"which events show that a person is still a customer? The draft takes {which}. Name another kind in churn"
        findings.append(Finding("question", text))
    return ChurnRule(NoEvent(when="no-event", kind=kind, days=days or FALLBACK_DAYS), findings, report)
