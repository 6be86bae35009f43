"""The lives of customers as a table beside the history."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, TypedDict

from duckdb import DuckDBPyConnection

from retainstream.engine.history.database import Files, files_list
from retainstream.engine.lives import day_number
from retainstream.engine.records import Life
from retainstream.engine.sql import literal

TABLE = "lives"
LIFE = {
    "customer_id": "VARCHAR",
    "place": "INTEGER",
    "source": "VARCHAR",
    "began_on": "INTEGER",
    "first_seen_on": "INTEGER",
    "left_on": "INTEGER",
    "left_after": "INTEGER",
    "observed_until": "INTEGER",
}
_DAYS: Final[tuple[Literal["began_on", "first_seen_on", "left_on", "left_after", "observed_until"], ...]] = (
    "began_on",
    "first_seen_on",
    "left_on",
    "left_after",
    "observed_until",
)


class LifeRow(TypedDict, total=False):
    """One life of a customer. `source` is where the outcome comes from.

    A customer who came back has several lives, and `place` counts them from 0, the oldest.
    Days are counted from 1970-01-01; what is not known is absent. See `records.Life`.
    """

    customer_id: str
    place: int
    source: str
    began_on: int
    first_seen_on: int
    left_on: int
    left_after: int
    observed_until: int


def rows_of(customer_id: str, lives: Sequence[Life], source: str) -> Iterator[LifeRow]:
    """The rows of a customer's lives, oldest first."""
    for place, life in enumerate(lives):
        row: LifeRow = {"customer_id": customer_id, "place": place, "source": source}
        for name in _DAYS:
            if name in life:
                row[name] = day_number(life[name])
        yield row


def write_lives(lives: Iterable[LifeRow], path: Path) -> int:
    """Writes lives as gzipped lines of JSON. Returns their number."""
    count = 0
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as lines:
        for life in lives:
            lines.write(json.dumps(life, separators=(",", ":")) + "\n")
            count += 1
    return count


def load_lives(connection: DuckDBPyConnection, files: Files) -> None:
    """Makes the table of the lives in these files."""
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in LIFE.items())
    source = f"read_json({files_list(files)}, format = 'newline_delimited', columns = {{{types}}})"
    connection.execute(f"CREATE OR REPLACE TABLE {TABLE} AS SELECT * FROM {source}")


def keep_lives(connection: DuckDBPyConnection, path: Path) -> None:
    """Writes the table of the lives as a Parquet file."""
    connection.execute(f"COPY {TABLE} TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
