"""Reads events."""

from collections.abc import Sequence
from pathlib import Path

from retainstream.engine.schema.sources import Events
from retainstream.engine.sources.reading import CUSTOMERS, EVENTS, KINDS, SUBSCRIPTIONS, Reading, day_of, fault_cases
from retainstream.engine.sources.spelled import is_blank, moments, names_a_zone, numbers
from retainstream.engine.sources.staging import STAGED

_READ = "read_events"
_NAMES_ZONE, _NO_ZONE, _BAD_AMOUNT, _REPEATED_HOUR = 1, 2, 4, 8
_HOUR = 3_600_000_000


def read_events(reading: Reading, source: Events, files: Sequence[Path], *, with_subscriptions: bool) -> None:
    """Fills the tables of events and their kinds. Equal events count once.

    Raises:
        UnreadableTable
    """
    connection = reading.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_READ} "
        "(customer INTEGER, moment BIGINT, kind INTEGER, amount DOUBLE, fault UTINYINT, remarks UTINYINT)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {KINDS} (kind INTEGER, name VARCHAR)")
    wanted = {"id": source.id, "at": source.at}
    wanted |= {name: header for name, header in (("kind", source.kind), ("amount", source.amount)) if header}
    for staged in reading.staged("events", files, wanted, ("amount",), form=source.format, zone=source.zone):
        moment = moments(connection, STAGED, "at", source.format, source.zone)
        amount = numbers(connection, STAGED, "amount", staged.decimal) if source.amount else "CAST(NULL AS DOUBLE)"
        kind = "kind" if source.kind else "''"
        connection.execute(f"""
            INSERT INTO {KINDS}
            SELECT (SELECT COUNT(*) FROM {KINDS}) + ROW_NUMBER() OVER (ORDER BY name) - 1, name
            FROM (SELECT DISTINCT {kind} AS name FROM {STAGED}) AS arrived WHERE name NOT IN (SELECT name FROM {KINDS})
        """)
        connection.execute(f"""
            INSERT INTO {_READ}
            SELECT c.customer, moment, k.kind, amount,
                CASE {fault_cases("e.id", "e.at", "moment", reading.limit)} ELSE 0 END, {_remarks(source)}
            FROM (
                SELECT id, "at", {moment} AS moment, {kind} AS kind, {amount} AS amount,
                    {f"NOT {is_blank('amount')}" if source.amount else "FALSE"} AS has_amount,
                    {names_a_zone("at") if not source.format else "NULL"} AS names_zone, length("at") > 10 AS has_time
                FROM {STAGED}
            ) AS e LEFT JOIN {CUSTOMERS} AS c ON c.id = e.id JOIN {KINDS} AS k ON k.name = e.kind
        """)
    reading.remark_faults("events", _READ)
    sound = f"FROM {_READ} WHERE fault = 0"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {EVENTS} AS
        SELECT customer, moment, {day_of("moment")} AS day, kind, amount {sound} ORDER BY customer, moment, amount
    """)
    if _may_have_duplicates(reading):
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE {EVENTS} AS FROM (SELECT DISTINCT * FROM {EVENTS}) AS e ORDER BY customer, moment, amount
        """)
    reading.kept["events"] = reading.number_of(f"SELECT COUNT(*) FROM {EVENTS}")
    reading.remark("events", "duplicate", reading.number_of(f"SELECT COUNT(*) {sound}") - reading.kept["events"])
    _remark_on_kept(reading, source, sound, with_subscriptions=with_subscriptions)
    connection.execute(f"DROP TABLE {_READ}")


def _may_have_duplicates(reading: Reading) -> bool:
    """Whether neighbours in the order have the same customer, moment and amount."""
    same = "customer = LAG(customer) OVER () AND moment = LAG(moment) OVER () AND amount IS NOT DISTINCT FROM LAG(amount) OVER ()"
    return reading.number_of(f"SELECT COUNT(*) FROM (SELECT {same} AS same FROM {EVENTS}) AS pairs WHERE same") > 0


def _remarks(source: Events) -> str:
    zone = f"CASE WHEN names_zone THEN {_NAMES_ZONE} WHEN has_time THEN {_NO_ZONE} ELSE 0 END" if not source.format else "0"
    repeated = "FALSE"
    if source.zone:
        local = "timezone('{0}', make_timestamptz({1}))"
        repeated = f"{local.format(source.zone, 'moment')} = {local.format(source.zone, f'moment - {_HOUR}')}"
        repeated = f"COALESCE(NOT COALESCE(names_zone, FALSE) AND {repeated}, FALSE)"
    return (
        f"{zone} + CASE WHEN has_amount AND amount IS NULL THEN {_BAD_AMOUNT} ELSE 0 END "
        f"+ CASE WHEN {repeated} THEN {_REPEATED_HOUR} ELSE 0 END"
    )


def _remark_on_kept(reading: Reading, source: Events, sound: str, *, with_subscriptions: bool) -> None:
    counts = ", ".join(f"COUNT(*) FILTER (remarks & {flag} > 0)" for flag in (_NAMES_ZONE, _NO_ZONE, _BAD_AMOUNT, _REPEATED_HOUR))
    zoned, without_zone, bad_amount, repeated_hour = reading.connection.execute(f"SELECT {counts} {sound}").fetchall()[0]
    reading.remark("events", "without_zone", without_zone if zoned else 0, zone=source.zone or "UTC")
    reading.remark("events", "bad_amount", bad_amount)
    reading.remark("events", "repeated_hour", repeated_hour)
    if source.kind:
        nameless = f"SELECT COUNT(*) FROM {EVENTS} WHERE kind IN (SELECT kind FROM {KINDS} WHERE name = '')"
        reading.remark("events", "no_kind", reading.number_of(nameless))
    first, last = reading.connection.execute(f"SELECT MIN(day), MAX(day) FROM {EVENTS}").fetchall()[0]
    if first is not None:
        reading.days["events"] = (first, last)
    if with_subscriptions:
        early, without = reading.connection.execute(f"""
            SELECT COUNT(*) FILTER (day < began), COUNT(*) FILTER (began IS NULL) FROM {EVENTS}
            LEFT JOIN (SELECT customer, MIN(start) AS began FROM {SUBSCRIPTIONS} GROUP BY customer) AS b USING (customer)
        """).fetchall()[0]
        reading.remark("events", "before_beginning", early)
        reading.remark("events", "without_subscription", without)
