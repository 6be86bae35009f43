"""One reading of a file's cells, for both readers: a cell that cannot be read is missing, and the reader says so."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, FeatureSchema, value_problem
from retainstream.engine.tables.cells import NO_NUMBER, cell_reader, is_blank
from retainstream.engine.tables.dates import day_in
from retainstream.engine.tables.numbers import Writing
from retainstream.engine.tables.problems import MOST_OF_A_CELL, TableProblem, UnreadCell
from retainstream.engine.tables.unread import Unread

NEW = "is new"
"""The reason of a level that the schema does not list."""
NEVER_BLANK = "is missing in a column that is never blank"

_REASONS = ((re.compile(r"^must not be "), "is "), (re.compile(r"^must be "), "is not "))


@dataclass(frozen=True)
class Cell:
    """A cell's value in the form of the schema, None where it is missing, and the cell as it came where it could not be read.

    A level that the schema does not list has the value of the column's `other`, where there is one, and is unread nevertheless.
    """

    value: Value | None
    unread: UnreadCell | None = None


def tolerant_reader(column: Column, writing: Writing) -> Callable[[str], Cell]:
    """A function from a cell's text to the cell. `writing` says how the file writes the numbers of the column."""
    value_in = cell_reader(column, writing)

    def read(text: str) -> Cell:
        value = value_in(text)
        if value is None:
            return Cell(None) if column.missing else _unread(column, text, NEVER_BLANK)
        if column.kind == "category" and value not in column.places:
            return _unread(column, text, NEW, column.other or None)
        if problem := value_problem(column, value):
            return _unread(column, text, _reason(column, problem))
        return Cell(int(value) if column.kind == "integer" else value)

    return read


def day_reader(form: str) -> Callable[[str], str | None]:
    """A function from the text of a day to the ISO day, None where it is no day. `form` is a strptime format; "" means ISO 8601, which is
    read in any case."""
    return lambda text: day_in(text, form) or (day_in(text) if form else None)


def is_no_day(text: str) -> bool:
    """Whether a cell says that there is no day, such as a blank or 0000-00-00."""
    return is_blank(text) or text.strip().lower() in NO_NUMBER


def not_a_day(form: str) -> str:
    """The reason why a text is no day."""
    example = date(2026, 1, 31).strftime(form) if form else "2026-01-31"
    return f"is not a day like {example}"


def unread_day(column: str, text: str, form: str) -> UnreadCell:
    """The cell of a text that is no day."""
    return UnreadCell(column, text.strip()[:MOST_OF_A_CELL], not_a_day(form))


def _unread(column: Column, text: str, reason: str, value: Value | None = None) -> Cell:
    return Cell(value, UnreadCell(column.name, text.strip()[:MOST_OF_A_CELL], reason))


def _reason(column: Column, problem: str) -> str:
    """A fault of a value, as a short reason: "must be a number" becomes "is not a number"."""
    if column.kind == "date":
        return f"is not a date like {date(2026, 1, 31).strftime(column.format) if '%' in column.format else column.format or '2026-01-31'}"
    for pattern, words in _REASONS:
        problem = pattern.sub(words, problem)
    return problem


def no_cell_read(schema: FeatureSchema, unread: Unread, present: Mapping[str, int]) -> list[TableProblem]:
    """A problem for each column of which cells are filled in and none can be read: the schema or the file is the wrong one.

    present: rows with a value, by the column's name.
    """
    problems = []
    for column in schema.columns:
        counts = [count for count in unread.of_column(column.header) if count["reason"] != NEVER_BLANK]
        if counts and not present.get(column.name):
            rows, example = sum(count["rows"] for count in counts), counts[0]
            detail = f'no cell can be read, such as "{example["value"]}", which {example["reason"]}'
            problems.append(TableProblem(detail, column=column.header, rows=rows))
    return problems
