"""Moments and numbers that texts of a file spell, as expressions of DuckDB.

An expression reads the usual spellings itself. The distinct texts of any other spelling are read by Python, by the rules of `tables.cells`,
into a table that the expression looks up.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from duckdb import DuckDBPyConnection

from retainstream.engine.sql import literal, quoted
from retainstream.engine.tables.cells import MISSING, NO_NUMBER
from retainstream.engine.tables.dates import own_reader
from retainstream.engine.tables.numbers import Decimal, number_in

MICROSECONDS_A_DAY = 86_400_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 100_000
_ISO = r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?"
_PLAIN_NUMBER = r"[-+]?\d{1,15}(?:\.\d{1,15})?"
_EXACT_DIRECTIVES = frozenset("YmdHMS")
"""Directives of strptime that DuckDB and Python read alike."""


def is_zone(zone: str) -> bool:
    """Whether a time zone has this name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def moment_in(text: str, form: str = "", zone: str = "") -> int | None:
    """Microseconds since 1970-01-01 UTC of the moment that a text spells; None if it spells none.

    `form` is a format of `tables.dates`; "" means ISO 8601. A moment without a time zone is one of `zone`, or UTC. Of an hour that a clock
    change repeats the later one is meant, so that a moment never seems earlier than it was.
    """
    try:
        moment = own_reader(form)(text)
        if moment is None:
            return None
        if moment.tzinfo is None:
            local = moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
            moment = max(local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def moments(connection: DuckDBPyConnection, table: str, column: str, form: str, zone: str) -> str:
    """An expression for a column of texts: microseconds since 1970-01-01 UTC, null for a text that spells no moment."""
    text = quoted(column)
    if not form:
        usual = f"regexp_full_match({text}, {literal(_ISO)})"
        value = f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))"  # the connection's own time zone is UTC
        if zone:
            local = f"timezone({literal(zone)}, TRY_CAST({text} AS TIMESTAMP))"
            value = f"CASE WHEN {names_a_zone(column)} THEN {value} ELSE epoch_us({local}) END"
    elif _is_exact(form):
        read = f"try_strptime({text}, {literal(form)})"
        usual = f"COALESCE(strftime({read}, {literal(form)}) = {text}, FALSE)"
        value = f"epoch_us({f'timezone({literal(zone)}, {read})' if zone else read})"
    else:
        usual, value = "FALSE", "NULL"
    return _with_others(connection, table, column, usual, value, lambda spelled: moment_in(spelled, form, zone), "BIGINT")


def names_a_zone(column: str) -> str:
    """An expression: whether an ISO text has a time zone."""
    time = f"substr({quoted(column)}, 12)"
    return f"(suffix({time}, 'Z') OR contains({time}, '+') OR contains({time}, '-'))"


def numbers(connection: DuckDBPyConnection, table: str, column: str, decimal: Decimal) -> str:
    """An expression for a column of texts: the number (DOUBLE), null for a text that spells none."""
    text = quoted(column)
    usual = f"regexp_full_match({text}, {literal(_PLAIN_NUMBER if decimal == '.' else r'[-+]?\d{1,15}')})"
    return _with_others(
        connection, table, column, usual, f"TRY_CAST({text} AS DOUBLE)", lambda spelled: number_in(spelled, decimal), "DOUBLE"
    )


def is_blank(text: str) -> str:
    """An expression: whether a text says "missing" in a column of moments or numbers."""
    spellings = ", ".join(literal(spelling) for spelling in sorted(MISSING | NO_NUMBER))
    return f"({text} = '' OR lower({text}) IN ({spellings}))"


def _is_exact(form: str) -> bool:
    directives = [form[place + 1 : place + 2] for place, letter in enumerate(form) if letter == "%"]
    return set(directives) <= _EXACT_DIRECTIVES and {"Y", "m", "d"} <= set(directives)


def _with_others(
    connection: DuckDBPyConnection, table: str, column: str, usual: str, value: str, read: Callable[[str], float | None], kind: str
) -> str:
    others, unusual = quoted(f"{table}_{column}_others"), quoted(f"{table}_{column}_unusual")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {unusual} AS SELECT DISTINCT {quoted(column)} AS text FROM {table} "
        f"WHERE NOT ({usual}) AND {quoted(column)} <> ''"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {others} (text VARCHAR, value {kind})")
    (distinct,) = connection.execute(f"SELECT COUNT(*) FROM {unusual}").fetchall()[0]
    for first in range(0, distinct, _AT_ONCE):
        page = f"SELECT text FROM {unusual} WHERE rowid BETWEEN {first} AND {first + _AT_ONCE - 1}"
        texts = [text for (text,) in connection.execute(page).fetchall()]
        _keep(connection, others, texts, [read(text.strip()) for text in texts])
    connection.execute(f"DROP TABLE {unusual}")
    if not distinct:  # a blank is null by itself
        return value
    return f"CASE WHEN {usual} THEN {value} ELSE (SELECT ANY_VALUE(o.value) FROM {others} AS o WHERE o.text = {table}.{quoted(column)}) END"


def _keep(connection: DuckDBPyConnection, table: str, texts: Sequence[str], values: Sequence[float | None]) -> None:
    spelled = [(text, value) for text, value in zip(texts, values, strict=True) if value is not None]
    if not spelled:
        return
    arrays = {"text": np.array([text for text, _ in spelled], dtype=object), "value": np.array([value for _, value in spelled])}
    connection.register("spelled_values", arrays)
    connection.execute(f"INSERT INTO {table} SELECT text, value FROM spelled_values")
    connection.unregister("spelled_values")
