"""A file's customers, one at a time and in bounded memory."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from retainstream.engine.records import Value
from retainstream.engine.schema import FeatureSchema, FieldError
from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.delimited import Record
from retainstream.engine.tables.no_customers import no_customer
from retainstream.engine.tables.numbers import Decimal, Marks, Writing
from retainstream.engine.tables.outcomes import Outcome, outcome_reader
from retainstream.engine.tables.parts import BrokenRecord
from retainstream.engine.tables.problems import MOST_OF_A_CELL, UnreadCell
from retainstream.engine.tables.reading import day_reader, is_no_day, not_a_day, tolerant_reader, unread_day
from retainstream.engine.tables.spelling import cleaned
from retainstream.engine.tables.writings import fitting_writings

ATTRIBUTING = frozenset({"features_as_of", "outcomes_as_of", "anchor"})
"""Parts of the schema's `moments` without which a row cannot be attributed."""


class Table(Protocol):
    """A table, or a part of one."""

    @property
    def source(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def header_line(self) -> int: ...
    @property
    def named_mark(self) -> Decimal | None: ...
    @property
    def commas_separate(self) -> bool: ...
    def marks_of(self, place: int) -> Marks: ...
    @property
    def notes(self) -> list[str]: ...
    def records(self) -> Iterator[tuple[int, Record | BrokenRecord]]: ...


@dataclass(frozen=True)
class CustomerRow:
    """A customer of a file. `churned` is None where the outcome is not known. A row with errors cannot be attributed, and must
    be rejected.

    `unread` are cells that count as missing since they could not be read. `outcome_text` is the text of an outcome that could not be read.

    `days` holds an ISO day for each part of the schema's `moments` that the row fills in; `dated` are the parts that are columns of the
    file. An error of the complete row has an empty column name; one of a day has the name of the part.
    """

    line: int
    customer_id: str
    features: dict[str, Value]
    churned: bool | None
    errors: tuple[FieldError, ...]
    days: Mapping[str, str] = field(default_factory=dict)
    dated: Collection[str] = ()
    unread: tuple[UnreadCell, ...] = ()
    outcome_text: str = ""


def read_customers(table: Table, schema: FeatureSchema, *, partial: bool = False) -> Iterator[CustomerRow]:
    """Each record as a customer. The caller has to check for repeated ids.

    A cell that cannot be read is missing. The label column may be absent; outcomes are then unknown. `partial`: see `binding.bind`.

    Raises:
        UnreadableTable: a required column is not in the header, or most cells of a column contradict the schema (both raised before the
            first row), or a record cannot be read.
    """
    binding = bind(schema, table.header, source=table.source, line=table.header_line, partial=partial, label_needed=False)
    placed = binding.placed(schema)
    writings = fitting_writings(table, table.source, table.header, placed)
    readers = [
        (column.name, place, _remembered(tolerant_reader(column, writings.get(place, Writing())))) for place, column in placed.items()
    ]
    outcome = _remembered(outcome_reader(schema.label))
    form = schema.moments.format if schema.moments else ""
    day_in = _remembered(day_reader(form))
    for number, (line, record) in enumerate(table.records(), start=1):
        fault = (
            record.detail if isinstance(record, BrokenRecord) else no_customer(record, table.header, id_place=binding.id, first=number == 1)
        )
        if isinstance(record, BrokenRecord) or fault:
            yield CustomerRow(line, "", {}, None, (FieldError("", fault),))
            continue
        features: dict[str, Value] = {}
        unread: list[UnreadCell] = []
        for name, place, read in readers:
            cell = read(record[place])
            if cell.value is not None:
                features[name] = cell.value
            if cell.unread is not None:
                unread.append(cell.unread)
        errors: list[FieldError] = []
        identity = str(number) if binding.id is None else cleaned(record[binding.id])
        if problem := id_problem(identity):
            errors.append(FieldError(schema.id.column, problem))
        days: dict[str, str] = {}
        for part, place in binding.moments.items():
            if is_no_day(record[place]):
                continue
            if day := day_in(record[place]):
                days[part] = day
            elif part in ATTRIBUTING:
                errors.append(FieldError(part, not_a_day(form)))
            elif place not in binding.columns.values():
                unread.append(unread_day(part, record[place], form))
        churned, outcome_text = None, ""
        if binding.label is not None:
            said = outcome(record[binding.label])
            churned = said.churned
            if said is Outcome.UNREADABLE:
                outcome_text = record[binding.label].strip()[:MOST_OF_A_CELL]
        elif "left_on" in binding.moments and (is_no_day(record[binding.moments["left_on"]]) or "left_on" in days):
            churned = "left_on" in days
        yield CustomerRow(line, identity, features, churned, tuple(errors), days, binding.moments, tuple(unread), outcome_text)


def _remembered[Read](read: Callable[[str], Read]) -> Callable[[str], Read]:
    """The function, which remembers what it has read."""
    return lru_cache(maxsize=4096)(read)
