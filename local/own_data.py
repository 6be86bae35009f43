"""A schema and customers of one's own: read and checked completely before anything is stored."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from retainstream.customers.arrival import Arrival, Moments
from retainstream.customers.intake import Intake, Refuse
from retainstream.engine.records import NewCustomer
from retainstream.engine.schema import FeatureSchema, UnreadableSchema, read_schema
from retainstream.engine.tables import DelimitedTable, TableProblem, UnreadableTable, open_table
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.numbers import Decimal
from retainstream.engine.tables.outcomes import ReadOutcomes, lack_in_words
from retainstream.engine.tables.problems import UnreadCell
from retainstream.engine.tables.reading import no_cell_read
from retainstream.runs.imports.known_ids import Sample, reshaped
from retainstream.runs.imports.rejects import Kinds, RowsToCorrect, error_of, error_of_unread
from retainstream.settings import Settings

MOST_REFUSED = 0.1
"""The share of a file's rows that may be rejected. With more, the schema or the file is the wrong one."""

_REJECTED, _UNREAD = "rejected-rows.csv", "unread-rows.csv"
_MOST_IDS = 100_000
_PAGE = 500
_SHOWN = 5


class OwnDataError(Exception):
    """The schema or the data cannot be used; the message is one line for a person."""


class _Reading(TypedDict):
    decimal: Decimal | None
    encoding: str | None
    sheet: str | None


class OwnData:
    """The schema and the file of customers of a start. Without a schema the active one applies, or the default.

    digest: SHA-256 of the file; empty without one. days: the days of the file's features and outcomes, where the start states them.
    decimal, encoding, sheet: how to read the file, where the start says so; else as the schema or the file shows.

    Raises:
        OwnDataError: the schema is invalid, a file cannot be opened, or a day is none that can be.
    """

    def __init__(
        self,
        schema: Path | None,
        data: Path | None,
        features_as_of: str = "",
        outcomes_as_of: str = "",
        *,
        decimal: Decimal | None = None,
        encoding: str | None = None,
        sheet: str | None = None,
    ) -> None:
        self.path = data.expanduser() if data else None
        self._reading: _Reading = {"decimal": decimal, "encoding": encoding, "sheet": sheet}
        self._features_as_of, self._outcomes_as_of = _day("FEATURES_AS_OF", features_as_of), _day("OUTCOMES_AS_OF", outcomes_as_of)
        if self._features_as_of and self._outcomes_as_of and self._outcomes_as_of < self._features_as_of:
            raise OwnDataError("OUTCOMES_AS_OF is before FEATURES_AS_OF: a model learns from outcomes after the day of the features.")
        self.digest = _digest(self.path) if self.path else ""
        with _explained():
            self.schema = read_schema(schema.expanduser()) if schema else None
        self._surveyed: FeatureSchema | None = None
        self.twice = ""
        """The sentence on customers whose ids differ in case, leading zeros or .0 alone; known after the survey."""

    def origin(self, schema: FeatureSchema) -> str:
        """The source of a state with this schema, as text."""
        return f"schema {hashlib.sha256(schema.model_dump_json().encode()).hexdigest()}, data {self.digest or 'none'}"

    def moments(self, schema: FeatureSchema) -> Moments:
        """The moments of rows that do not say their own: outcomes of the horizon after the features, up to today, unless stated."""
        horizon, today = timedelta(days=schema.horizon_days), datetime.now(UTC).date()
        outcomes = self._outcomes_as_of or min((self._features_as_of or date.max - horizon) + horizon, today)
        features = self._features_as_of or outcomes - horizon
        return Moments.stated(*(datetime.combine(day, datetime.min.time(), UTC) for day in (features, outcomes)))

    def assumption(self, schema: FeatureSchema, table_has_days: bool) -> str:
        """The sentence on days that nobody stated; empty where the start, the schema or the file states them."""
        confirmed = schema.moments is not None and schema.moments.one_horizon
        if confirmed or table_has_days or (self._features_as_of and self._outcomes_as_of):
            return ""
        moments = self.moments(schema)
        return (
            f"The table is taken for features of {moments.features_as_of[:10]} and outcomes of the {schema.horizon_days} days after it, "
            "which nobody has confirmed: state the days with FEATURES_AS_OF= and OUTCOMES_AS_OF=, "
            "or write moments: {one_horizon: true} into the schema"
        )

    def survey(self, schema: FeatureSchema, progress: Callable[[str], None] = lambda _: None) -> None:
        """Read the whole file with the schema, and store nothing.

        Raises:
            OwnDataError: the file cannot be read, does not fit the schema, or is not enough for a model.
        """
        if self.path is None or self._surveyed == schema:
            return
        from retainstream.engine.learning.dataset import collect

        present = Counter[str]()
        ids: dict[str, None] = {}

        def pages(intake: Intake) -> Iterator[list[NewCustomer]]:
            for page in batched(intake.customers(), _PAGE):
                present.update(name for row in page for name in row.features)
                progress(f"Reading {self.path}: {intake.rows:,} rows")
                if len(ids) < _MOST_IDS:
                    ids.update(dict.fromkeys(row.customer_id for row in page))
                yield [row.customer() for row in page]

        with self.intake(schema) as intake:
            data, _ = collect(schema, pages(intake))
            _require_fitting(intake, schema, str(self.path))
            if wrong := no_cell_read(schema, intake.unread, present):
                raise OwnDataError(f"{self.path}: {'; '.join(map(str, wrong[:_SHOWN]))}")
            _require_learnable(data, schema, intake.outcomes, str(self.path))
        if found := reshaped(Sample([*ids], whole=True), lambda _: ()):
            self.twice = f"{found.sentence}: {', '.join(found.examples)}"
        self._surveyed = schema

    @contextmanager
    def intake(self, schema: FeatureSchema, refuse: Refuse = lambda _: None) -> Iterator[Intake]:
        """The file's rows, in one pass.

        Raises:
            OwnDataError: the file cannot be read.
        """
        with self._table() as table:
            bind(schema, table.header, source=table.source, line=table.header_line, hint=table.hint)  # a model needs the outcomes
            yield Intake(table, schema, self.moments(schema), refuse)

    @contextmanager
    def sorted_intake(self, schema: FeatureSchema, to_correct: "ToCorrect") -> Iterator[tuple[Intake, Iterator[Arrival]]]:
        """The same, and the accepted rows. The others, and those of which a cell could not be read, go to `to_correct`.

        Raises:
            OwnDataError: the file cannot be read.
        """
        with self._table() as table, to_correct:
            faults: list[TableProblem] = []
            intake = Intake(table, schema, self.moments(schema), faults.append)
            rows = RowsToCorrect(table, intake.ignored)

            def accepted() -> Iterator[Arrival]:
                for arrival in intake.judged():
                    if arrival is None:
                        to_correct.reject(rows, table.last, faults)
                        faults.clear()
                        continue
                    if arrival.unread:
                        to_correct.note_unread(rows, table.last, arrival.unread)
                    yield arrival

            yield intake, accepted()

    @contextmanager
    def _table(self) -> Iterator[DelimitedTable]:
        if self.path is None:
            raise OwnDataError("No file of customers is set.")
        with _explained(), open_table(self.path, **self._reading) as table:
            yield table


class ToCorrect:
    """Rejected rows, and rows of which a cell could not be read: by kind, and all of them in two files of the data folder."""

    def __init__(self, folder: Path | None) -> None:
        self.rejected_path = folder / _REJECTED if folder else None
        self.unread_path = folder / _UNREAD if folder else None
        self.kinds = Kinds()
        self.unread_rows = 0
        self._files: dict[Path, BinaryIO] = {}

    def reject(self, rows: RowsToCorrect, record: Sequence[str], faults: Sequence[TableProblem]) -> None:
        """Adds a rejected row."""
        for fault in faults:
            self.kinds.add(fault.column, fault.detail, rows.value_in(record, fault), fault.line)
        self._write(self.rejected_path, rows, record, error_of(faults))

    def note_unread(self, rows: RowsToCorrect, record: Sequence[str], cells: Sequence[UnreadCell]) -> None:
        """Adds an accepted row with cells that could not be read."""
        self.unread_rows += 1
        self._write(self.unread_path, rows, record, error_of_unread(cells))

    def _write(self, path: Path | None, rows: RowsToCorrect, record: Sequence[str], error: str) -> None:
        if path is None:
            return
        if path not in self._files:
            self._files[path] = path.open("wb")
            self._files[path].write(rows.header)
        self._files[path].write(rows.row_of(record, error))

    def __enter__(self) -> "ToCorrect":
        for path in (self.rejected_path, self.unread_path):
            if path:
                path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()


def _require_fitting(intake: Intake, schema: FeatureSchema, source: str) -> None:
    if not intake.rows:
        raise OwnDataError(f"{source}: the file has a header and no rows.")
    if intake.refused > MOST_REFUSED * intake.rows:
        faults = intake.faults()
        listed = "; ".join(map(str, faults[:_SHOWN])) + (f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else "")
        raise OwnDataError(f"{source}: {intake.refused:,} of {intake.rows:,} rows contradict the schema {schema.name}: {listed}")


def _require_learnable(data: Any, schema: FeatureSchema, outcomes: ReadOutcomes, source: str) -> None:
    from retainstream.engine.learning.checks import UnfitData, require_enough

    try:
        require_enough(data, Settings.model_fields["training_fewest_rows"].default)
    except UnfitData as error:
        label = schema.label
        meant = (
            lack_in_words(label, outcomes.counts, outcomes.unreadable.items())
            or next(iter(outcomes.notes(label)), "")
            or f'according to the schema, a customer left when {label.header} is "{label.positive}"'
        )
        raise OwnDataError(f"{source}: {error} {label.header}: {meant}.") from error


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise OwnDataError(f"{name} must be a day such as 2026-01-31.") from None
    if day > datetime.now(UTC).date():
        raise OwnDataError(f"{name} is in the future.")
    return day


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (UnreadableSchema, UnreadableTable) as error:
        raise OwnDataError(" ".join(str(error).split())) from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise OwnDataError(f"{path}: cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
