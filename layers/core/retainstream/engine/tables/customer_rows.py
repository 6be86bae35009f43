"""A file's customers, one at a time and in bounded memory."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from retainstream.engine.records import Value
from retainstream.engine.schema import FeatureSchema, FieldError, checked_features
from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.cells import Decimal, day_in, is_blank, outcome_reader, value_in
from retainstream.engine.tables.delimited import Record
from retainstream.engine.tables.parts import BrokenRecord
from retainstream.engine.tables.problems import UnreadCell


class Table(Protocol):
    """A table, or a part of one."""

    @property
    def source(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def header_line(self) -> int: ...
    @property
    def decimal(self) -> Decimal: ...
    @property
    def notes(self) -> list[str]: ...
    def records(self) -> Iterator[tuple[int, Record | BrokenRecord]]: ...


@dataclass(frozen=True)
class CustomerRow:
    """A customer of a file. `churned` is None where the outcome is not known. A row with errors must be rejected.

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


def read_customers(table: Table, schema: FeatureSchema) -> Iterator[CustomerRow]:
    """Each record as a customer, with all its errors. The caller has to check for repeated ids.

    The label column may be absent; outcomes are then unknown.

    Raises:
        UnreadableTable: a required column is not in the header (raised before the first row), or a record cannot be read.
    """
    binding = bind(schema, table.header, source=table.source, line=table.header_line, label_needed=False)
    columns = [(schema.column(name), place) for name, place in binding.columns.items()]
    outcome = outcome_reader(schema.label)
    form = schema.moments.format if schema.moments else ""
    known: list[dict[str, Value | None]] = [{} for _ in columns]
    for number, (line, record) in enumerate(table.records(), start=1):
        if isinstance(record, BrokenRecord):
            yield CustomerRow(line, "", {}, None, (FieldError("", record.detail),))
            continue
        values_by_name: dict[str, Value | None] = {}
        for (column, place), values in zip(columns, known, strict=True):
            text = record[place]
            if text not in values:
                if len(values) >= 4096:
                    values.clear()
                values[text] = value_in(column, text, table.decimal)
            values_by_name[column.name] = values[text]
        features, errors = checked_features(schema, values_by_name)
        identity = str(number) if binding.id is None else record[binding.id].strip()
        if problem := id_problem(identity):
            errors.append(FieldError(schema.id.column, problem))
        churned = None
        if binding.label is not None:
            try:
                churned = outcome(record[binding.label])
            except ValueError as error:
                errors.append(FieldError(schema.label.column, str(error)))
        days: dict[str, str] = {}
        for part, place in binding.moments.items():
            if is_blank(record[place]):
                continue
            if day := day_in(record[place], form):
                days[part] = day
            else:
                errors.append(FieldError(part, f"must be a day such as {date(2026, 1, 31).strftime(form) if form else '2026-01-31'}"))
        if "left_on" in binding.moments and binding.label is None:
            churned = "left_on" in days
        yield CustomerRow(line, identity, features, churned, tuple(errors), days, binding.moments)
