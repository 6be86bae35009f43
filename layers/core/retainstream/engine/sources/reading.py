"""The reading of sources into tables: what all of them share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.schema.customer_id import PATTERN, RESERVED
from retainstream.engine.sources.findings import Finding, finding
from retainstream.engine.sources.spelled import MICROSECONDS_A_DAY, is_blank, is_zone
from retainstream.engine.sources.staging import STAGED, Staged, stage
from retainstream.engine.sql import literal
from retainstream.engine.tables import TableProblem, UnreadableTable

type Progress = Callable[[str, float], None]
"""Called with a step in words, and the share of it that is done."""

CUSTOMERS = "source_customers"
"""customer (INTEGER), id: the customers of all sources."""

EVENTS = "source_events"
"""customer, moment (microseconds), day, kind (place), amount (DOUBLE), sorted by customer and moment."""

KINDS = "source_kinds"
"""kind (INTEGER), name; '' where an event has none."""

SUBSCRIPTIONS = "source_subscriptions"
"""customer, start, stop (days; null while not ended), price (DOUBLE), plan ('' where not known)."""

SPANS = "source_spans"
"""customer, start, stop (days; null while not ended): days under any subscription, as spans that do not touch; life_start and life_stop of
the life that the span is in."""

PROFILE = "source_profile"
"""customer, since (day; null: always true), place (order of rows), and a column p0, p1, … for each schema column that is read from it."""

FAULTS = ("", "no_customer", "bad_id", "no_time", "bad_time", "bad_end", "future", "ends_first")
"""Sorts of findings by the number that stands in a column `fault` of a table; 0 for a row without a fault."""


@dataclass
class Reading:
    """Tables that are filled, and what was noticed. `limit` is the last day whose data are used. days: first and last day by source."""

    connection: DuckDBPyConnection
    limit: int
    rows: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    days: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {CUSTOMERS} (customer INTEGER, id VARCHAR)")

    def number_of(self, query: str) -> int:
        """The single number that a query answers; 0 for null."""
        return int(self.connection.execute(query).fetchall()[0][0] or 0)

    def remark(self, source: str, sort: str, rows: int, **words: str) -> None:
        """Keeps a finding unless it is about no row."""
        if rows:
            limit = (date(1970, 1, 1) + timedelta(days=self.limit)).isoformat()
            self.findings.append(finding(source, sort, rows, limit=limit, **words))

    def remark_faults(self, source: str, table: str) -> None:
        """Keeps a finding for each fault in a table."""
        counted = self.connection.execute(f"SELECT fault, COUNT(*) FROM {table} WHERE fault > 0 GROUP BY fault ORDER BY fault").fetchall()
        for fault, rows in counted:
            self.remark(source, FAULTS[fault], rows)

    def staged(
        self, source: str, files: Sequence[Path], wanted: Mapping[str, str], optional: Sequence[str], *, form: str, zone: str
    ) -> Iterator[Staged]:
        """Each file in the table `staged`, with its customers known.

        Raises:
            UnreadableTable: a file cannot be read or lacks a column, or the time zone does not exist.
        """
        if zone and not is_zone(zone):
            raise UnreadableTable("the schema", [TableProblem(f"sources, {source}, zone: there is no time zone {zone}")])
        self.rows[source] = 0
        forms = {name: form for name in ("at", "start", "end") if form}
        for path in files:
            staged = stage(self.connection, path, wanted, optional, forms)
            self.rows[source] += staged.rows
            self.notes += [f"{path.name}: {note}" for note in staged.notes]
            if staged.absent and staged.rows:
                headers = ", ".join(wanted[name] for name in staged.absent)
                self.notes.append(f"{path.name}: the file does not have {headers}; the values of its {staged.rows:,} rows are missing")
            self._know_customers()
            yield staged
        self.connection.execute(f"DROP TABLE IF EXISTS {STAGED}")

    def _know_customers(self) -> None:
        self.connection.execute(f"""
            INSERT INTO {CUSTOMERS}
            SELECT (SELECT COUNT(*) FROM {CUSTOMERS}) + ROW_NUMBER() OVER (ORDER BY id) - 1, id
            FROM (SELECT DISTINCT id FROM {STAGED} WHERE {_IS_ID}) AS arrived
            WHERE id NOT IN (SELECT id FROM {CUSTOMERS})
        """)


_IS_ID = f"regexp_full_match(id, {literal(PATTERN)}) AND id NOT IN ({', '.join(literal(name) for name in sorted(RESERVED))})"


def fault_cases(identity: str, text: str, moment: str, limit: int) -> str:
    """The WHEN parts of a CASE: faults of an id, whose customer is c.customer, and of a text whose moment (microseconds) was read."""
    return (
        f"WHEN c.customer IS NULL THEN CASE WHEN {identity} = '' THEN {FAULTS.index('no_customer')} ELSE {FAULTS.index('bad_id')} END "
        f"WHEN {moment} IS NULL THEN CASE WHEN {is_blank(text)} THEN {FAULTS.index('no_time')} ELSE {FAULTS.index('bad_time')} END "
        f"WHEN {moment} >= {(limit + 1) * MICROSECONDS_A_DAY} THEN {FAULTS.index('future')}"
    )


def day_of(moment: str) -> str:
    """The UTC day (INTEGER) of microseconds since 1970-01-01."""
    return f"CAST(datediff('day', DATE '1970-01-01', CAST(make_timestamp({moment}) AS DATE)) AS INTEGER)"


def kinds_of_events(connection: DuckDBPyConnection) -> dict[str, int]:
    """The place of each kind of event by its name; '' is no kind."""
    return dict(connection.execute(f"SELECT name, kind FROM {KINDS} ORDER BY kind").fetchall())
