"""Reads subscriptions."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from retainstream.engine.schema.sources import Churn, Subscriptions
from retainstream.engine.sources.keys import newest
from retainstream.engine.sources.reading import (
    CUSTOMERS,
    FAULTS,
    SPANS,
    SUBSCRIPTIONS,
    Reading,
    day_of,
    fault_cases,
)
from retainstream.engine.sources.spelled import is_blank, moments, numbers
from retainstream.engine.sources.staging import STAGED
from retainstream.engine.sql import quoted

_READ = "read_subscriptions"
_EXPECTED_ENDS = 10
_OPEN = 100_000_000
"""A day that stands for "not ended" while spans are computed."""


def read_subscriptions(reading: Reading, source: Subscriptions, files: Sequence[Path], churn: Churn) -> None:
    """Fills the tables of subscriptions and of the spans that they make. Of those with the same customer and start the rows of the last
    file count, and of equal plans in it the last row.

    Raises:
        UnreadableTable
    """
    connection = reading.connection
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {_READ} (customer INTEGER, file INTEGER, line BIGINT, start INTEGER, stop INTEGER, price DOUBLE,
            plan VARCHAR, fault UTINYINT, bad_price BOOLEAN)
    """)
    wanted = {"id": source.id, "start": source.start}
    wanted |= {name: header for name in ("end", "price", "plan") if (header := getattr(source, name))}
    staged_files = reading.staged("subscriptions", files, wanted, ("price", "plan"), form=source.format, zone=source.zone)
    for number, staged in enumerate(staged_files):
        start = moments(connection, STAGED, "start", source.format, source.zone)
        stop = moments(connection, STAGED, "end", source.format, source.zone) if source.end else "CAST(NULL AS BIGINT)"
        price = numbers(connection, STAGED, "price", staged.decimal) if source.price else "CAST(NULL AS DOUBLE)"
        connection.execute(f"""
            INSERT INTO {_READ}
            SELECT c.customer, {number}, line, {day_of("start")}, {day_of("stop")}, price, plan,
                CASE {fault_cases("s.id", "s.start_text", "start", reading.limit)}
                    WHEN has_end AND stop IS NULL THEN {FAULTS.index("bad_end")}
                    WHEN stop < start THEN {FAULTS.index("ends_first")} ELSE 0 END, has_price AND price IS NULL
            FROM (
                SELECT id, rowid AS line, {STAGED}.start AS start_text, {start} AS start, {stop} AS stop,
                    {f"NOT {is_blank(quoted('end'))}" if source.end else "FALSE"} AS has_end, {price} AS price,
                    {f"NOT {is_blank('price')}" if source.price else "FALSE"} AS has_price, {"plan" if source.plan else "''"} AS plan
                FROM {STAGED}
            ) AS s LEFT JOIN {CUSTOMERS} AS c ON c.id = s.id
        """)
    reading.remark_faults("subscriptions", _READ)
    sound = f"FROM {_READ} WHERE fault = 0"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {SUBSCRIPTIONS} AS
        SELECT customer, start, CASE WHEN stop <= {reading.limit} THEN stop END AS stop, price, plan, stop > {reading.limit} AS ends_later,
            bad_price
        {sound} QUALIFY {newest(("customer", "start"), ("plan",), ("file",), "line")} ORDER BY customer, start
    """)
    reading.kept["subscriptions"] = reading.number_of(f"SELECT COUNT(*) FROM {SUBSCRIPTIONS}")
    reading.remark("subscriptions", "repeated", reading.number_of(f"SELECT COUNT(*) {sound}") - reading.kept["subscriptions"])
    reading.remark("subscriptions", "future_end", reading.number_of(f"SELECT COUNT(*) FROM {SUBSCRIPTIONS} WHERE ends_later"))
    reading.remark("subscriptions", "bad_price", reading.number_of(f"SELECT COUNT(*) FROM {SUBSCRIPTIONS} WHERE bad_price"))
    connection.execute(f"DROP TABLE {_READ}")
    _spans(reading, max(1, churn.grace_days if churn.when == "subscription-ended" else 0))
    first, last = connection.execute(f"SELECT MIN(start), MAX(GREATEST(start, COALESCE(stop, start))) FROM {SUBSCRIPTIONS}").fetchall()[0]
    if first is not None:
        reading.days["subscriptions"] = (_ends_known_from(reading, first, last) if churn.when == "subscription-ended" else first, last)


def _ends_known_from(reading: Reading, first: int, last: int) -> int:
    """The day from which lives that end are in the files: the first day, or the first end if ten or more ends are expected before it.

    Files of those who are customers today, or were so lately, lack everybody who left earlier: before the first end nobody seems to leave.
    As many ends are expected before it as the days under subscription there have at the rate of later days; by chance none of ten is seen
    once in 20,000 times (Poisson).
    """
    first_end, before, after, ends, earlier = reading.connection.execute(f"""
        SELECT MIN(first_end), SUM(GREATEST(0, LEAST(COALESCE(stop, {last}), first_end) - start)),
            SUM(GREATEST(0, COALESCE(stop, {last}) - GREATEST(start, first_end))), COUNT(stop), COUNT(*) FILTER (start < first_end)
        FROM (SELECT DISTINCT customer, life_start AS start, life_stop AS stop FROM {SPANS}) AS lives,
            (SELECT MIN(life_stop) AS first_end FROM {SPANS}) AS ended
    """).fetchall()[0]
    if first_end is None or not after or ends * before / after < _EXPECTED_ENDS:
        return first
    reading.remark("subscriptions", "no_early_ends", earlier, day=(date(1970, 1, 1) + timedelta(days=first_end)).isoformat())
    return int(first_end)


def _spans(reading: Reading, grace: int) -> None:
    """Subscriptions that overlap or touch make a span; spans with at most `grace` days between them make a life."""
    reading.connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {SPANS} AS
        WITH ordered AS (
            SELECT customer, start, COALESCE(stop, {_OPEN}) AS stop,
                MAX(COALESCE(stop, {_OPEN})) OVER (
                    PARTITION BY customer ORDER BY start, stop NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS reached
            FROM {SUBSCRIPTIONS}
        ), numbered AS (
            SELECT *, SUM(CASE WHEN start <= reached THEN 0 ELSE 1 END) OVER same AS span,
                SUM(CASE WHEN start <= reached + {grace} THEN 0 ELSE 1 END) OVER same AS life
            FROM ordered WINDOW same AS (PARTITION BY customer ORDER BY start, stop ROWS UNBOUNDED PRECEDING)
        ), spans AS (
            SELECT customer, life, MIN(start) AS start, MAX(stop) AS stop, COUNT(*) FILTER (start < reached) AS overlapping
            FROM numbered GROUP BY customer, life, span
        )
        SELECT customer, start, NULLIF(stop, {_OPEN}) AS stop, MIN(start) OVER life_of AS life_start,
            NULLIF(MAX(stop) OVER life_of, {_OPEN}) AS life_stop, overlapping
        FROM spans WINDOW life_of AS (PARTITION BY customer, life)
    """)
    reading.remark("subscriptions", "overlap", reading.number_of(f"SELECT SUM(overlapping) FROM {SPANS}"))
