"""The report of a churn definition from delivered events."""

import numpy as np
from duckdb import DuckDBPyConnection

from retainstream.engine.silence.definition import RETURN_SHARE, define
from retainstream.engine.silence.report import Report
from retainstream.engine.silence.silences import Silences
from retainstream.engine.sources.delivered import Delivered, iso_day
from retainstream.engine.sources.reading import EVENTS, KINDS
from retainstream.engine.tables.binding import some_of
from retainstream.engine.tables.problems import TableProblem, UnreadableTable


def report_of(
    connection: DuckDBPyConnection,
    delivered: Delivered,
    *,
    kind: str | None = None,
    return_share: float = RETURN_SHARE,
    within_days: int | None = None,
) -> Report:
    """The report about the events that were delivered on this connection, or those of a kind. See `definition.define`.

    Raises:
        UnreadableTable: no event is of this kind.
    """
    if kind is not None:
        _check_kind(connection, kind)
    chosen = "" if kind is None else f"AND kind IN (SELECT kind FROM {KINDS} WHERE name = ?)"
    query = f"SELECT customer, day FROM {EVENTS} WHERE day <= {delivered.through} {chosen}"
    columns = connection.execute(query, [] if kind is None else [kind]).fetchnumpy()
    customers, days = np.asarray(columns["customer"], np.int32), np.asarray(columns["day"], np.int32)
    definition = define(Silences.of(customers, days, delivered.through), return_share=return_share, within_days=within_days)
    return Report(
        definition,
        events=len(days),
        customers=len(np.unique(customers)),
        first_day=iso_day(int(days.min(initial=delivered.through))),
        last_day=iso_day(delivered.through),
        kind=kind,
        window_chosen=within_days is not None,
        notes=tuple(finding.text for finding in delivered.findings),
    )


def _check_kind(connection: DuckDBPyConnection, kind: str) -> None:
    kinds = [name for (name,) in connection.execute(f"SELECT name FROM {KINDS} WHERE name <> '' ORDER BY name").fetchall()]
    if kind not in kinds:
        detail = f"no event is of kind {kind}; " + (f"the kinds are {some_of(kinds)}" if kinds else "the events have no column of kinds")
        raise UnreadableTable("the events", [TableProblem(detail)])
