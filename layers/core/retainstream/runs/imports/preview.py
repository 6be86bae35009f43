"""A file as an import would read it by the schema in force. Nothing is stored."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel, Field

from retainstream.customers.arrival import Arrival, Moments
from retainstream.customers.intake import Intake
from retainstream.drafts.columns import MOST_EXAMPLES, MOST_UNREAD, ColumnOfFile, UnreadValue, Use
from retainstream.drafts.sent_file import SentFile, content_of, opened
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.tables.binding import Binding, bind
from retainstream.engine.tables.cells import is_blank
from retainstream.engine.tables.delimited import Record
from retainstream.engine.tables.outcomes import Outcome
from retainstream.engine.tables.parts import BrokenRecord, TablePart, layout_document, part_by
from retainstream.engine.tables.splitting import Place, Splitter
from retainstream.runs.imports.plain_text import plain_content

SHOWN_ROWS = 10
_MOST_REJECTS = 50


class ImportPreviewRequest(SentFile):
    """A file that is to be imported, or its first part."""


class OutcomesOfFile(BaseModel):
    """The outcomes of the accepted rows."""

    left: int
    stayed: int
    not_known: int
    unreadable: int = Field(description="Rows whose outcome could not be read; it is then not known")
    sentence: str = Field(description="The same in words", examples=["12 left, 60 stayed, 3 not known"])


class RejectedKind(BaseModel):
    """A fault for which rows would be rejected."""

    column: str = Field(description="As the file names it; empty for the row as a whole")
    reason: str
    rows: int
    line: int = Field(description="The first such line, counted from 1, the header included")


class ShownRow(BaseModel):
    """One of the first rows. `cells` are in the order of `columns`: values as they were understood, empty where there is none; texts of the
    file where the row is rejected or the column is not read."""

    line: int
    cells: list[str]
    rejected: bool


class ImportPreview(BaseModel):
    """A file as an import would read it by the schema in force."""

    rows: int = Field(description="Rows that were read: of a part of a file, those in the part")
    rejected: int
    columns: list[ColumnOfFile] = Field(description="The columns of the file, in its order")
    absent: list[str] = Field(description="Labels of the schema's columns that the file does not have")
    outcomes: OutcomesOfFile
    rows_shown: list[ShownRow] = Field(description="The first 10 rows")
    rejects: list[RejectedKind] = Field(description="Most frequent first, at most 50")
    notes: list[str] = Field(description="Notes on how the file was read")


def preview(schema: FeatureSchema, sent: ImportPreviewRequest) -> ImportPreview:
    """Reads the file as an import does.

    Raises:
        UnreadableTable: it is not a table, or lacks a column that the schema needs.
    """
    table = _Watched(_part(sent))
    binding = bind(schema, table.header, source=table.source, line=table.header_line, label_needed=False, partial=True)
    intake = Intake(table, schema, Moments.stated(None, None), partial=True)
    uses, seen = _uses(schema, binding, len(table.header)), _Seen()
    for arrival in intake.judged():
        seen.add(uses, table, arrival)
    faults = intake.faults()
    unread: defaultdict[str, list[UnreadValue]] = defaultdict(list)
    for count in intake.unread.listed():
        unread[count["column"]].append(UnreadValue(value=count["value"], reason=count["reason"], rows=count["rows"]))
    return ImportPreview(
        rows=intake.rows,
        rejected=intake.refused,
        columns=[
            ColumnOfFile(
                header=header,
                column=place.name,
                label=place.label or header,
                kind=place.kind,
                use=place.use,
                examples=list(table.examples[header]),
                missing=seen.missing[number],
                unread=unread[header][:MOST_UNREAD],
                reason=place.reason,
            )
            for number, (header, place) in enumerate(zip(table.header, uses, strict=True))
        ],
        absent=[column.label for column in schema.columns if column.name not in binding.columns],
        outcomes=_outcomes(intake),
        rows_shown=seen.shown,
        rejects=[
            RejectedKind(column=fault.column, reason=fault.detail, rows=fault.rows, line=fault.line) for fault in faults[:_MOST_REJECTS]
        ],
        notes=intake.notes(),
    )


def _outcomes(intake: Intake) -> OutcomesOfFile:
    read = intake.outcomes
    left, stayed, not_known, unreadable = (
        read.counts[outcome] for outcome in (Outcome.LEFT, Outcome.STAYED, Outcome.NOT_KNOWN, Outcome.UNREADABLE)
    )
    return OutcomesOfFile(left=left, stayed=stayed, not_known=not_known, unreadable=unreadable, sentence=read.sentence)


def _part(sent: SentFile) -> TablePart:
    """The file's records from its header on, each readable or broken, as an import reads them."""
    with opened(sent) as table:
        layout = layout_document(table)
    plain = plain_content(content_of(sent), layout)
    splitter = Splitter(io.BytesIO(plain), layout["delimiter"], Place(0, 1))
    splitter.skip_lines(layout["header_line"])
    return part_by(layout, splitter)


class _Watched:
    """A table whose records are noted while they are read."""

    def __init__(self, table: TablePart) -> None:
        self._table = table
        self.source, self.header, self.header_line = table.source, table.header, table.header_line
        self.named_mark, self.commas_separate, self.marks_of = table.named_mark, table.commas_separate, table.marks_of
        self.examples: dict[str, dict[str, None]] = {header: {} for header in table.header}
        self.line, self.record = 0, list[str]()

    @property
    def notes(self) -> list[str]:
        return self._table.notes

    def records(self) -> Iterator[tuple[int, Record | BrokenRecord]]:
        for line, record in self._table.records():
            self.line, self.record = line, [] if isinstance(record, BrokenRecord) else record
            for examples, text in zip(self.examples.values(), self.record, strict=False):
                if len(examples) < MOST_EXAMPLES and not is_blank(text):
                    examples[text.strip()[:200]] = None
            yield line, record


@dataclass(frozen=True)
class _Place:
    """What a column of the file is by the schema."""

    use: Use
    kind: str
    name: str | None = None
    label: str = ""
    reason: str = ""


def _uses(schema: FeatureSchema, binding: Binding, width: int) -> list[_Place]:
    places: dict[int, _Place] = {place: _of_column(schema.column(name)) for name, place in binding.columns.items()}
    for part, place in binding.moments.items():
        places[place] = _Place("day", "date", None, "", f"the day of {part}")
    if binding.anchor is not None:
        places.setdefault(binding.anchor, _Place("day", "date"))
    if binding.label is not None:
        places[binding.label] = _Place("outcome", "category", schema.label.column, "Outcome")
    if binding.id is not None:
        places[binding.id] = _Place("id", "identifier", schema.id.column, "Id")
    return [places.get(place, _Place("not read", "text", reason="the schema does not have it")) for place in range(width)]


def _of_column(column: Column) -> _Place:
    use: Use = "feature" if column.feature else "not in the model"
    return _Place(use, column.kind, column.name, column.label)


@dataclass
class _Seen:
    """The missing values by the column's place, and the first rows."""

    missing: Counter[int] = field(default_factory=Counter)
    shown: list[ShownRow] = field(default_factory=list)

    def add(self, uses: list[_Place], table: _Watched, arrival: Arrival | None) -> None:
        for number, (text, place) in enumerate(zip(table.record, uses, strict=False)):
            is_value = arrival is not None and place.use in ("feature", "not in the model")
            self.missing[number] += place.name not in arrival.features if arrival and is_value else is_blank(text)
        if len(self.shown) < SHOWN_ROWS:
            cells = [_shown(text, place, arrival) for text, place in zip(table.record, uses, strict=False)]
            self.shown.append(ShownRow(line=table.line, cells=cells, rejected=arrival is None))


def _shown(text: str, place: _Place, arrival: Arrival | None) -> str:
    if arrival is None:
        return text[:200]
    if place.use == "outcome":
        return {True: "left", False: "stayed", None: "not known"}[arrival.churned]
    if place.use in ("feature", "not in the model") and place.name is not None:
        value = arrival.features.get(place.name)
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip()[:200]
