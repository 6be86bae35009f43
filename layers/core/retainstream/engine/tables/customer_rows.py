"""A file's customers, one at a time and in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from retainstream.engine.records import Value
from retainstream.engine.schema import FeatureSchema, FieldError, checked_features
from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.cells import Decimal, outcome_reader, value_in
from retainstream.engine.tables.delimited import Record
from retainstream.engine.tables.parts import BrokenRecord


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

    An error of the complete row has an empty column name.
    """

    line: int
    customer_id: str
    features: dict[str, Value]
    churned: bool | None
    errors: tuple[FieldError, ...]


def read_customers(table: Table, schema: FeatureSchema) -> Iterator[CustomerRow]:
    """Each record as a customer, with all its errors. The caller has to check for repeated ids.

    The label column may be absent; outcomes are then unknown.

    Raises:
        UnreadableTable: a required column is not in the header (raised before the first row), or a record cannot be read.
    """
    binding = bind(schema, table.header, source=table.source, line=table.header_line, label_needed=False)
    columns = [(schema.column(name), place) for name, place in binding.columns.items()]
    outcome = outcome_reader(schema.label)
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
        yield CustomerRow(line, identity, features, churned, tuple(errors))
