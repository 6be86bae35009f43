"""A delivered file as texts in a table of DuckDB, by the house's rules for files.

DuckDB reads a clean file itself, which is fast. A file that it refuses, or would read otherwise than `engine.tables`, is read there and
handed over; its faults are worded there.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import duckdb
from duckdb import DuckDBPyConnection

from retainstream.engine.sql import listed, literal, quoted
from retainstream.engine.tables import TableProblem, UnreadableTable, open_table
from retainstream.engine.tables.delimited import decimal_of
from retainstream.engine.tables.numbers import Decimal

STAGED = "staged"
"""The table that holds the texts of a file."""

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
_READ_FURTHER = frozenset({"at", "start", "end", "amount", "price"})
"""Names of columns of moments and numbers; other spaces around these are removed when they are read."""
_OTHER_SPACES = [literal(space) for space in "\t\u00a0\n\r"]
_SAMPLED = 200


@dataclass(frozen=True)
class Staged:
    """A file in the table `staged`, with a column of trimmed texts (VARCHAR, '' where blank) for each wanted name.

    header: all headers of the file. absent: the names whose header the file does not have; their column is blank.
    """

    rows: int
    header: Sequence[str]
    decimal: Decimal
    notes: Sequence[str]
    absent: Sequence[str]


def stage(
    connection: DuckDBPyConnection,
    path: Path,
    wanted: Mapping[str, str],
    optional: Sequence[str] = (),
    forms: Mapping[str, str] | None = None,
    name: str = "",
) -> Staged:
    """Reads a CSV file, plain or gzip, or a Parquet file.

    Args:
        wanted: the header in the file by the name of its column in `staged`.
        optional: names that a file may lack.
        name: the file's name in messages; that of the path when absent.
        forms: the strptime format in which times of a typed Parquet column are written, by name; ISO 8601 without it.

    Raises:
        UnreadableTable: it cannot be read, or lacks a header.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise UnreadableTable(
            name or path.name, [TableProblem(f"cannot be read: {(error.strerror or 'unknown reason').lower()}")]
        ) from error
    if magic == _PARQUET:
        return _stage_parquet(connection, path, name or path.name, wanted, optional, forms or {})
    return _stage_text(connection, path, name or path.name, wanted, optional, packed=magic[:2] == _GZIP)


def _stage_parquet(
    connection: DuckDBPyConnection, path: Path, label: str, wanted: Mapping[str, str], optional: Sequence[str], forms: Mapping[str, str]
) -> Staged:
    try:
        kinds = dict(row[:2] for row in connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall())
        absent = _absent(label, list(kinds), wanted, optional)
        cells = {
            name: _text_of(quoted(header), kinds[header], forms.get(name, "")) for name, header in wanted.items() if name not in absent
        }
        _create(connection, cells, absent, f"read_parquet({literal(str(path))})")
    except duckdb.Error as error:
        raise UnreadableTable(label, [TableProblem("the Parquet file is damaged, or ends too early")]) from error
    sample = connection.execute(f"SELECT {listed(cells)} FROM {STAGED} LIMIT {_SAMPLED}").fetchall() if cells else []
    decimal = decimal_of((text for row in sample for text in row), commas_separate=False)
    return Staged(_count(connection), list(kinds), decimal, (), absent)


def _text_of(column: str, kind: str, form: str) -> str:
    if form and kind.startswith(("DATE", "TIMESTAMP")):
        return f"strftime({column}, {literal(form)})"
    return f"CAST({column} AS VARCHAR)"


def _stage_text(
    connection: DuckDBPyConnection, path: Path, label: str, wanted: Mapping[str, str], optional: Sequence[str], *, packed: bool
) -> Staged:
    with path.open("rb") as stream, open_table(stream, name=label) as table:
        header, decimal = table.header, table.decimal
        absent = _absent(label, header, wanted, optional)
        plain = table.is_plain and len(header) > 1 and table.lines_of_header == 1
        skipped, delimiter = table.header_line, table.delimiter
    notes: list[str] = []
    cells = {name: f"c{header.index(named)}" for name, named in wanted.items() if name not in absent}
    if not (plain and _stage_directly(connection, path, cells, absent, _Dialect(len(header), skipped, delimiter, packed))):
        notes = _stage_by_the_house(connection, path, label, [header.index(wanted[name]) for name in cells], list(cells), absent)
    return Staged(_count(connection), header, decimal, notes, absent)


@dataclass(frozen=True)
class _Dialect:
    width: int
    skipped: int
    delimiter: str
    packed: bool

    def query(self, path: Path) -> str:
        names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(self.width))
        return (
            f"read_csv({literal(str(path))}, auto_detect = false, header = false, columns = {{{names}}}, skip = {self.skipped}, "
            f"delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', compression = '{'gzip' if self.packed else 'none'}')"
        )


def _stage_directly(connection: DuckDBPyConnection, path: Path, cells: Mapping[str, str], absent: Sequence[str], dialect: _Dialect) -> bool:
    """Whether DuckDB has read the file as `engine.tables` would."""
    blank = " AND ".join(f"c{place} IS NULL" for place in range(dialect.width))
    try:
        _create(connection, cells, absent, f"{dialect.query(path)} WHERE NOT ({blank})")
    except duckdb.Error:
        return False
    return True


def _stage_by_the_house(
    connection: DuckDBPyConnection, path: Path, label: str, places: Sequence[int], names: Sequence[str], absent: Sequence[str]
) -> list[str]:
    with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".csv", dir=_folder_of(connection)) as clean:
        writer = csv.writer(clean, quoting=csv.QUOTE_ALL, lineterminator="\n")
        with path.open("rb") as stream, open_table(stream, name=label) as table:
            writer.writerows([_storable(record[place]) for place in places] for _, record in table.records())
            notes = table.notes
        clean.flush()
        cells = {name: f"c{place}" for place, name in enumerate(names)}
        _create(connection, cells, absent, _Dialect(len(names), 0, ",", packed=False).query(Path(clean.name)))
    return notes


def _folder_of(connection: DuckDBPyConnection) -> str | None:
    """The folder that the connection may write to."""
    folder = Path(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0] or "missing")
    return str(folder) if folder.is_dir() else None


def _storable(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _absent(name: str, header: Sequence[str], wanted: Mapping[str, str], optional: Sequence[str]) -> list[str]:
    lacking = [role for role, wanted_header in wanted.items() if wanted_header not in header]
    shown = ", ".join(header[:12]) + (f" and {len(header) - 12} more" if len(header) > 12 else "")
    problems = [
        TableProblem(f"the file does not have this column, which the sources name as {role}; it has {shown}", column=wanted[role])
        for role in lacking
        if role not in optional
    ]
    if problems:
        raise UnreadableTable(name, problems)
    return lacking


def _create(connection: DuckDBPyConnection, cells: Mapping[str, str], absent: Sequence[str], source: str) -> None:
    blank = "".join(f", '' AS {quoted(name)}" for name in absent)
    trimmed = ", ".join(f"COALESCE(TRIM({cell}), '') AS {quoted(name)}" for name, cell in cells.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT {trimmed}{blank} FROM {source}")
    texts = [name for name in cells if name not in _READ_FURTHER]
    others = " OR ".join(f"contains({quoted(name)}, {space})" for name in texts for space in _OTHER_SPACES)
    if texts and connection.execute(f"SELECT BOOL_OR({others}) FROM {STAGED}").fetchall()[0][0]:
        spaces = f"' ' || {' || '.join(_OTHER_SPACES)}"
        trimmed = ", ".join(f"TRIM({quoted(name)}, {spaces}) AS {quoted(name)}" for name in cells)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT {trimmed}{blank} FROM {STAGED}")


def _count(connection: DuckDBPyConnection) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM {STAGED}").fetchall()[0][0])
