"""A delivered file as a relation of texts: CSV of any dialect, plain or gzip, or Parquet."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from retainstream.engine.sources.statements import literal, quoted
from retainstream.engine.tables import TableProblem, UnreadableTable, open_table

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
_PIECE = 1 << 20


@dataclass(frozen=True)
class DeliveryFile:
    """An open file: its name for people, its columns in order, and the query that reads them as texts c0, c1, … with their `line`."""

    name: str
    header: list[str]
    query: str
    notes: list[str]
    is_text: bool

    def column(self, header: str) -> str:
        """The column of the query that has this header.

        Raises:
            KeyError: the file has no such column.
        """
        if header not in self.header:
            raise KeyError(header)
        return f"c{self.header.index(header)}"

    def unreadable(self, connection: DuckDBPyConnection) -> tuple[int, str]:
        """The number of lines that were left out when the query ran, because they cannot be read, and the reason of the first."""
        if not self.is_text:
            return 0, ""
        lines = connection.execute("SELECT line, ANY_VALUE(error_message) FROM reject_errors GROUP BY line ORDER BY line").fetchall()
        return len(lines), f"line {lines[0][0]}: {lines[0][1].splitlines()[0]}" if lines else ""


def open_file(connection: DuckDBPyConnection, path: Path, name: str) -> DeliveryFile:
    """Opens a file, and reads its header.

    Raises:
        UnreadableTable: it is neither a table in text nor Parquet, is empty or damaged, or its header repeats a column.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
    return _parquet(connection, path, name) if magic == _PARQUET else _text(path, name, packed=magic[:2] == _GZIP)


def _parquet(connection: DuckDBPyConnection, path: Path, name: str) -> DeliveryFile:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as error:
        raise UnreadableTable(name, [TableProblem("the Parquet file is damaged, or ends too early")]) from error
    header = [str(column[0]) for column in described]
    columns = ", ".join(f"CAST({quoted(column)} AS VARCHAR) AS c{place}" for place, column in enumerate(header))
    query = f"SELECT {columns}, file_row_number + 1 AS line FROM read_parquet({literal(str(path))}, file_row_number = true)"
    return DeliveryFile(name, header, query, [], is_text=False)


def _text(path: Path, name: str, *, packed: bool) -> DeliveryFile:
    with path.open("rb") as stream, open_table(stream, name=name) as table:
        header, first, delimiter, encoding = table.header, table.header_line, table.delimiter, table.encoding
    notes = []
    if encoding != "utf-16":
        encoding = "utf-8"
        if not _is_utf_8(path, name, packed=packed):
            encoding = "latin-1"
            notes.append("some text is not UTF-8; the whole file was read as Latin-1")
    names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header)))
    options = ", ".join(
        [
            f"columns = {{{names}}}",
            f"skip = {first}",
            f"delim = {literal(delimiter)}",
            f"encoding = {literal(encoding)}",
            f"compression = {literal('gzip' if packed else 'none')}",
            """auto_detect = false, header = false, quote = '"', escape = '"', null_padding = true, parallel = false""",
            "store_rejects = true, rejects_limit = 0",
        ]
    )
    query = f"SELECT *, ROW_NUMBER() OVER () + {first} AS line FROM read_csv({literal(str(path))}, {options})"
    return DeliveryFile(name, header, query, notes, is_text=True)


def _is_utf_8(path: Path, name: str, *, packed: bool) -> bool:
    """Whether a whole file is UTF-8. Also finds out whether a compressed file is damaged."""
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-8")()
    try:
        with _opened(path, packed=packed) as pieces:
            for piece in pieces:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise UnreadableTable(name, [TableProblem("the compressed file is damaged, or ends too early")]) from error
    return True


@contextmanager
def _opened(path: Path, *, packed: bool) -> Iterator[Iterator[bytes]]:
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        yield iter(lambda: stream.read(_PIECE), b"")
