"""Sources as they were delivered: files read into typed tables, with everything that was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import Sources
from retainstream.engine.sources.findings import Finding
from retainstream.engine.sources.read_events import read_events
from retainstream.engine.sources.read_profile import read_profile
from retainstream.engine.sources.read_subscriptions import read_subscriptions
from retainstream.engine.sources.reading import CUSTOMERS, Progress, Reading
from retainstream.engine.tables import TableProblem, UnreadableTable

_EPOCH = date(1970, 1, 1)


class UnusableSources(ValueError):
    """Nothing can be computed from the sources; the message says why."""


@dataclass(frozen=True)
class SourceFiles:
    """The files of each source, CSV (plain or gzip) or Parquet, in the order of delivery."""

    profile: Sequence[Path] = ()
    subscriptions: Sequence[Path] = ()
    events: Sequence[Path] = ()


@dataclass(frozen=True)
class Delivered:
    """Sources in tables of a DuckDB connection.

    first: the first day (since 1970-01-01) from which every source with days has data; through: the last day for which they are complete.
    rows: the number of rows read, by source. kept: the number of those that are in the tables. notes: on how files were read.
    """

    first: int
    through: int
    customers: int
    rows: dict[str, int]
    kept: dict[str, int]
    findings: list[Finding]
    notes: list[str]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def iso_day(number: int) -> str:
    """A number of days since 1970-01-01 as an ISO day."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def files_in(sources: Sources, folder: Path) -> SourceFiles:
    """The files that the sources name, in a folder, in the order of their names.

    Raises:
        UnreadableTable: there is no such file.
    """
    files: dict[str, list[Path]] = {}
    for name in ("profile", "subscriptions", "events"):
        source = getattr(sources, name)
        files[name] = sorted(path for path in folder.glob(source.file) if path.is_file()) if source and _is_plain(source.file) else []
        if source and not files[name]:
            raise UnreadableTable(str(folder / source.file), [TableProblem(f"there is no such file, which sources.{name} names")])
    return SourceFiles(**files)


def _is_plain(name: str) -> bool:
    return "/" not in name and "\\" not in name


def read_sources(
    connection: DuckDBPyConnection,
    schema: FeatureSchema,
    files: SourceFiles,
    *,
    today: int,
    as_of: int | None = None,
    progress: Progress = lambda _step, _share: None,
) -> Delivered:
    """Reads the files. Duplicated events count once; rows that cannot be used are set aside and counted.

    Args:
        today: days since 1970-01-01. Data of later days are set aside.
        as_of: the last day for which the files are complete. When absent it is the newest day in them, but a day before today at most.

    Raises:
        UnreadableTable: a file cannot be read, or lacks a column of its source.
        UnusableSources: the schema has no sources, or as_of is later than today.
    """
    if schema.sources is None or schema.churn is None:
        raise UnusableSources("the schema has no sources")
    if as_of is not None and as_of > today:
        raise UnusableSources(f"{iso_day(as_of)} is later than today")
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true; SET enable_progress_bar = false")
    reading = Reading(connection, limit=today if as_of is None else as_of)
    if schema.sources.subscriptions:
        progress("reading subscriptions", 0.0)
        read_subscriptions(reading, schema.sources.subscriptions, files.subscriptions, schema.churn)
    if schema.sources.events:
        progress("reading events", 0.1)
        read_events(reading, schema.sources.events, files.events, with_subscriptions=schema.sources.subscriptions is not None)
    if schema.sources.profile:
        progress("reading the profile", 0.9)
        read_profile(reading, schema, schema.sources.profile, files.profile)
    newest = max((last for _, last in reading.days.values()), default=today - 1)
    return Delivered(
        first=max((first for first, _ in reading.days.values()), default=today),
        through=min(newest, today - 1) if as_of is None else as_of,
        customers=reading.number_of(f"SELECT COUNT(*) FROM {CUSTOMERS}"),
        rows=reading.rows,
        kept=reading.kept,
        findings=reading.findings,
        notes=reading.notes,
    )
