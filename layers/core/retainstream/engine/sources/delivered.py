"""Sources as they were delivered: files read into typed tables, with everything that was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from retainstream.engine.schema import FeatureSchema


@dataclass(frozen=True)
class SourceFiles:
    """The files of each source, CSV (plain or gzip) or Parquet, in the order of delivery."""

    profile: Sequence[Path] = ()
    subscriptions: Sequence[Path] = ()
    events: Sequence[Path] = ()


@dataclass(frozen=True)
class Finding:
    """A remark on rows of a source: a short name of its sort, the number of rows, and a sentence. `used` is false for rows set aside."""

    source: str
    sort: str
    rows: int
    text: str
    used: bool = False


@dataclass(frozen=True)
class Delivered:
    """Sources in tables of a DuckDB connection.

    first, through: days since 1970-01-01, the first day of any datum and the last day for which the sources are complete.
    rows: the number of rows read, by source.
    """

    files: SourceFiles
    first: int
    through: int
    rows: dict[str, int]
    findings: list[Finding] = field(default_factory=list)


def read_sources(
    connection: duckdb.DuckDBPyConnection, schema: FeatureSchema, files: SourceFiles, *, today: int, as_of: int | None = None
) -> Delivered:
    """Reads the files. Duplicated events count once; rows that cannot be used are set aside and counted.

    Args:
        today: days since 1970-01-01. Data of later days are set aside.
        as_of: the last day for which the files are complete; the newest day in them, and a day before today at most, when absent.

    Raises:
        UnreadableTable: a file cannot be read, or lacks a column of its source.
    """
    raise NotImplementedError
