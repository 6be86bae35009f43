"""The rows of all deliveries of a source, each once, in Parquet files.

Values are kept as the files write them, so that a changed schema reads old deliveries anew, and a value that cannot be read is not lost.
Of rows with the same key the newest delivery's is kept (`keys`). Events are divided into parts by the month of their time, so that a
delivery of new events rewrites few files. Deliveries in any order, one of them again, or a file of events in several pieces give the same
rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import Events, Profile, Subscriptions
from retainstream.engine.sources.keys import PLAN, SUBSCRIPTION, newest
from retainstream.engine.sources.staging import STAGED, stage
from retainstream.engine.sql import listed, literal, quoted
from retainstream.engine.tables.binding import some_of

type Source = Profile | Subscriptions | Events
type RemovedAmong = Callable[[list[str]], Mapping[str, str]]
"""Customers' ids → those of removed customers, each with the moment of the removal (ISO 8601 in UTC)."""

ALL, OTHER = "all", "other"
"""The only part of a source that is not divided, and the part of events whose time has no year."""
_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000"
_STAMP = ("as_of", "delivery", "line")
"""The columns that say which row is newer: the moment of the delivery (ISO 8601 in UTC), its id, and the line in its file."""
_KEYS = {Profile: ("id", "at"), Subscriptions: (*SUBSCRIPTION, PLAN), Events: ("id", "at", "kind", "amount")}
_VALUES = {Profile: (), Subscriptions: ("end", "price"), Events: ()}
_TIMES = {Profile: "at", Subscriptions: "start", Events: "at"}
_ATTRIBUTE = "column "
_IDS_AT_ONCE = 100_000


@dataclass(frozen=True)
class KeptColumns:
    """The columns of a kept source.

    key: those that tell rows apart. values: the others, which a later delivery may change. headers: the header in a file of those that the
    schema reads; the others are empty. time: the column of time. format: how files write that time, as for strptime, ISO 8601 where it is
    empty. divided: whether there is a part for each month.
    """

    key: tuple[str, ...]
    values: tuple[str, ...]
    headers: Mapping[str, str]
    time: str
    format: str
    divided: bool

    @property
    def subject(self) -> tuple[str, ...]:
        """The columns of the key of which a later delivery's rows replace all earlier ones."""
        return tuple(name for name in self.key if name != PLAN)

    @property
    def every(self) -> tuple[str, ...]:
        """All columns, with those that say which row is newer."""
        return (*self.key, *self.values, *_STAMP)


@dataclass(frozen=True)
class Stamp:
    """The delivery that rows come from: its moment (ISO 8601 in UTC, to the microsecond), and its id."""

    as_of: str
    delivery: str


@dataclass(frozen=True)
class ReadFile:
    """The rows of a file, the number of rows of removed customers, which are left out, a Parquet file of the others for each part, and
    notes on how the file was read."""

    rows: int
    removed: int
    parts: dict[str, Path]
    notes: list[str]


@dataclass(frozen=True)
class Merged:
    """A part after a merge. added + changed + repeated + older = the rows that arrived; rows = those in the part. first, last: ISO days."""

    added: int
    changed: int
    repeated: int
    older: int
    rows: int
    first: str | None
    last: str | None


def columns_of_kind(kind: str) -> KeptColumns:
    """What tells the rows of a source apart, whatever the schema reads of it."""
    source = {"profile": Profile, "subscriptions": Subscriptions, "events": Events}[kind]
    return KeptColumns(_KEYS[source], _VALUES[source], {}, _TIMES[source], "", divided=source is Events)


def kept_columns(schema: FeatureSchema, source: Source) -> KeptColumns:
    """What is kept of a source: the columns that the schema reads, and no others."""
    key, values = _KEYS[type(source)], _VALUES[type(source)]
    headers: dict[str, str] = {name: header for name in (*key, *values) if (header := getattr(source, name))}
    if isinstance(source, Profile):
        wanted = [column.origin.profile if column.origin else column.header for column in schema.columns]
        attributes = {f"{_ATTRIBUTE}{header}": header for header in wanted if header}
        headers, values = headers | attributes, (*values, *attributes)
    return KeptColumns(key, values, headers, _TIMES[type(source)], source.format, divided=isinstance(source, Events))


def read_file(
    connection: DuckDBPyConnection, path: Path, name: str, columns: KeptColumns, stamp: Stamp, removed_among: RemovedAmong, folder: Path
) -> ReadFile:
    """Reads a file, called `name` in messages, into `folder`.

    Rows of customers who were removed after the moment of the delivery are left out, and so are rows whose time (ISO 8601) is before the
    removal.

    Raises:
        UnreadableTable: the file cannot be read, or lacks columns that the schema reads; the message names them, and those that it has.
    """
    forms = {columns.time: columns.format, "end": columns.format} if columns.format else {}
    staged = stage(connection, path, columns.headers, forms=forms, name=name)
    cells = ", ".join(
        f"{f'NULLIF({quoted(column)}, {literal("")})' if column in columns.headers else _EMPTY} AS {quoted(column)}"
        for column in (*columns.key, *columns.values)
    )
    stamped = f"{literal(stamp.as_of)} AS as_of, {literal(stamp.delivery)} AS delivery, CAST(rowid AS BIGINT) AS line"
    blank = " AND ".join(f"{quoted(column)} IS NULL" for column in (*columns.key, *columns.values))
    connection.execute(f"CREATE OR REPLACE TABLE arrived AS FROM (SELECT {cells}, {stamped} FROM {STAGED}) WHERE NOT ({blank})")
    connection.execute(f"DROP TABLE {STAGED}")
    rows = _number(connection, "SELECT COUNT(*) FROM arrived")
    removed = _without_removed(connection, columns, removed_among)
    part = _part_of(columns)
    parts = {}
    for (month,) in connection.execute(f"SELECT DISTINCT {part} AS part FROM arrived ORDER BY part").fetchall():
        parts[month] = folder / f"{month}.parquet"
        _write(connection, f"SELECT * FROM arrived WHERE {part} = {literal(month)}", columns, parts[month])
    connection.execute("DROP TABLE arrived")
    unread = [header for header in staged.header if header not in columns.headers.values()]
    notes = [*staged.notes, *([f"columns that the schema does not read were not kept: {some_of(unread)}"] if unread else [])]
    return ReadFile(rows, removed, parts, notes)


def merge(connection: DuckDBPyConnection, columns: KeptColumns, kept: Path | None, arrived: Path, merged: Path) -> Merged:
    """Writes the rows of a part and those that arrived to the file `merged`. With its own result as `kept`, it changes nothing."""
    every, subject = listed(columns.every), listed(columns.subject)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW arrived AS SELECT {every} FROM read_parquet({literal(str(arrived))})")
    kept_query = f"FROM read_parquet({literal(str(kept))})" if kept else "FROM arrived WHERE FALSE"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW kept AS {kept_query}")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW newest AS FROM arrived QUALIFY {_newest(columns)}")
    columns_of_kept = {name for (name, *_) in connection.execute("DESCRIBE kept").fetchall()}
    met, known = (
        " AND ".join(f"newest.{quoted(name)} IS NOT DISTINCT FROM {table}.{quoted(name)}" for name in names)
        for table, names in (("kept", columns.key), ("before", columns.subject))
    )
    values = " AND ".join(
        f"newest.{quoted(name)} IS NOT DISTINCT FROM {f'kept.{quoted(name)}' if name in columns_of_kept else 'NULL'}"
        for name in columns.values
    )
    same, newer = f"(kept.as_of IS NOT NULL AND ({values or 'TRUE'}))", f"ROW({_of('newest')}) > before.stamp"
    (arriving,) = connection.execute("SELECT COUNT(*) FROM arrived").fetchall()[0]
    added, changed, older = connection.execute(f"""
        SELECT COUNT(*) FILTER (before.stamp IS NULL),
            COUNT(*) FILTER (before.stamp IS NOT NULL AND NOT {same} AND {newer}),
            COUNT(*) FILTER (before.stamp IS NOT NULL AND NOT {same} AND NOT {newer})
        FROM newest LEFT JOIN kept ON {met}
            LEFT JOIN (SELECT {subject}, MAX(ROW({", ".join(_STAMP)})) AS stamp FROM kept GROUP BY {subject}) AS before ON {known}
    """).fetchall()[0]
    _write(connection, f"FROM (FROM kept UNION ALL BY NAME FROM newest) QUALIFY {_newest(columns)}", columns, merged)
    rows, first, last = connection.execute(
        f"SELECT COUNT(*), MIN(day), MAX(day) FROM (SELECT {_day_of(columns)} AS day FROM read_parquet({literal(str(merged))}))"
    ).fetchall()[0]
    repeated = arriving - added - changed - older
    return Merged(added, changed, repeated, older, rows, first.isoformat() if first else None, last.isoformat() if last else None)


def without_removed(
    connection: DuckDBPyConnection, columns: KeptColumns, kept: Path, removed_among: RemovedAmong, rewritten: Path
) -> Merged | None:
    """Writes a part anew without the rows of removed customers. Without such rows nothing is written, and the answer is None."""
    connection.execute(f"CREATE OR REPLACE TABLE arrived AS FROM read_parquet({literal(str(kept))})")
    removed = _without_removed(connection, columns, removed_among)
    if removed:
        _write(connection, "FROM arrived", columns, rewritten)
    rows, first, last = connection.execute(
        f"SELECT COUNT(*), MIN(day), MAX(day) FROM (SELECT {_day_of(columns)} AS day FROM arrived)"
    ).fetchall()[0]
    connection.execute("DROP TABLE arrived")
    if not removed:
        return None
    return Merged(0, 0, 0, 0, rows, first.isoformat() if first else None, last.isoformat() if last else None)


def as_delivered(connection: DuckDBPyConnection, columns: KeptColumns, kept: Path, path: Path) -> None:
    """Writes a part under the headers that the schema reads, the oldest delivery first."""
    stored = {name for (name, *_) in connection.execute(f"DESCRIBE FROM read_parquet({literal(str(kept))})").fetchall()}
    cells = ", ".join(f"{quoted(name) if name in stored else _EMPTY} AS {quoted(header)}" for name, header in columns.headers.items())
    connection.execute(
        f"COPY (SELECT {cells} FROM read_parquet({literal(str(kept))}) ORDER BY {listed(_STAMP)}) TO {literal(str(path))} ({_PARQUET})"
    )


_EMPTY = "CAST(NULL AS VARCHAR)"


def _newest(columns: KeptColumns) -> str:
    apart = [quoted(name) for name in columns.key if name not in columns.subject]
    return newest([quoted(name) for name in columns.subject], apart, _STAMP[:-1], _STAMP[-1])


def _of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in _STAMP)


def _part_of(columns: KeptColumns) -> str:
    """The name of a row's part. It depends on the row's key alone, so that a changed schema moves no row to another part."""
    if not columns.divided:
        return literal(ALL)
    time = quoted(columns.time)
    month = f"regexp_extract({time}, '^([0-9]{{4}}-[0-9]{{2}})-[0-9]{{2}}', 1)"
    year = f"regexp_extract({time}, '(?:^|[^0-9])((?:19|20)[0-9]{{2}})(?:[^0-9]|$)', 1)"
    return f"COALESCE(NULLIF({month}, ''), NULLIF({year}, ''), {literal(OTHER)})"


def _day_of(columns: KeptColumns) -> str:
    time = quoted(columns.time)
    iso = f"TRY_CAST(LEFT({time}, 10) AS DATE)"
    return f"COALESCE(CAST(TRY_STRPTIME({time}, {literal(columns.format)}) AS DATE), {iso})" if columns.format else iso


def _without_removed(connection: DuckDBPyConnection, columns: KeptColumns, removed_among: RemovedAmong) -> int:
    """Deletes the rows of removed customers from the table `arrived`. Returns their number."""
    removed: dict[str, str] = {}
    cursor = connection.cursor().execute("SELECT DISTINCT id FROM arrived WHERE id IS NOT NULL")
    while rows := cursor.fetchmany(_IDS_AT_ONCE):
        removed |= removed_among([customer_id for (customer_id,) in rows])
    if not removed:
        return 0
    connection.execute("CREATE OR REPLACE TABLE removed (id VARCHAR, removed_at VARCHAR)")
    connection.executemany("INSERT INTO removed VALUES (?, ?)", list(removed.items()))
    before = _number(connection, "SELECT COUNT(*) FROM arrived")
    earlier = f"COALESCE(LEFT(arrived.{quoted(columns.time)}, 10) < LEFT(removed.removed_at, 10), FALSE)"
    gone = f"arrived.as_of <= removed.removed_at OR {earlier}"
    connection.execute(f"DELETE FROM arrived USING removed WHERE arrived.id = removed.id AND ({gone})")
    connection.execute("DROP TABLE removed")
    return before - _number(connection, "SELECT COUNT(*) FROM arrived")


def _write(connection: DuckDBPyConnection, rows: str, columns: KeptColumns, path: Path) -> None:
    order = listed((*columns.key, *_STAMP))
    connection.execute(f"COPY ({rows} ORDER BY {order}) TO {literal(str(path))} ({_PARQUET})")


def _number(connection: DuckDBPyConnection, query: str) -> int:
    (number,) = connection.execute(query).fetchall()[0]
    return int(number)
