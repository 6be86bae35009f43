"""A Parquet file as text, column by column or as lines, so that it is read by the same rules as a CSV file."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retainstream.engine.tables.problems import TableProblem, UnreadableTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from retainstream.engine.tables.columnar import TextTable

MAGIC = b"PAR1"
ENCODING = "Parquet"
"""Stands for the encoding of a Parquet file."""
_ROWS_AT_ONCE = 100_000
_LINES_AT_ONCE = 1_000


def is_parquet(path: Path) -> bool:
    """Whether a file begins as a Parquet file does; false if it cannot be opened."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_parquet(path: Path, most_rows: int | None = None) -> "TextTable":
    """The file as text, or its first rows. Numbers keep all their digits, missing values are blank, and `lines` counts rows from 1.

    Raises:
        UnreadableTable: the file is damaged or has no rows.
    """
    import numpy as np

    from retainstream.engine.tables.columnar import Codes, TextColumn, TextTable

    with _rows(path, most_rows) as (header, rows):
        indexes: list[dict[str, int]] = [{} for _ in header]
        blocks: list[list[Codes]] = [[] for _ in header]
        while block := rows.fetchmany(_ROWS_AT_ONCE):
            for index, codes, texts in zip(indexes, blocks, zip(*block, strict=True), strict=True):
                places = (index.setdefault((text or "").strip(), len(index)) for text in texts)
                codes.append(np.fromiter(places, np.int32, len(block)))
    if not header or not blocks[0]:
        raise UnreadableTable(str(path), [TableProblem("has a header and no rows")])
    columns = {
        name: TextColumn(name, np.concatenate(codes), list(index)) for name, codes, index in zip(header, blocks, indexes, strict=True)
    }
    return TextTable(
        str(path), columns, np.arange(1, len(columns[header[0]].codes) + 1), ".", header_line=1, named_mark=".", has_kinds=True
    )


def parquet_pieces(path: Path) -> Iterator[bytes]:
    """The file as comma-separated text in UTF-8, a line for the header and for each row.

    Raises:
        UnreadableTable: the file is damaged.
    """
    with _rows(path, None) as (header, rows):
        several: Sequence[Sequence[str | None]] = [header]
        while several:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([" ".join((cell or "").splitlines()) for cell in row] for row in several)
            yield text.getvalue().encode("utf-8", "replace")
            several = rows.fetchmany(_LINES_AT_ONCE)


@contextmanager
def _rows(path: Path, most_rows: int | None) -> "Iterator[tuple[list[str], DuckDBPyConnection]]":
    import duckdb

    with duckdb.connect() as connection:
        try:
            limit = 2**62 if most_rows is None else most_rows
            rows = connection.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet(?) LIMIT ?", [str(path), limit])
            yield [str(column[0]) for column in rows.description], rows
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise UnreadableTable(str(path), [TableProblem(f"cannot be read as Parquet: {reason}")]) from error
