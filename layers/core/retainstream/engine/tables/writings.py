"""How a file writes the numbers of a schema's columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from retainstream.engine.schema import Column
from retainstream.engine.tables.numbers import CLOCK, Decimal, Marks, Writing, decided, mark_of_file, two_readings, unit_of
from retainstream.engine.tables.problems import TableProblem, UnreadableTable


class Marked(Protocol):
    """A table whose cells were counted by their decimal marks."""

    @property
    def named_mark(self) -> Decimal | None:
        """The decimal mark that a person named, or that the kind of file has."""

    @property
    def commas_separate(self) -> bool:
        """Whether commas separate the fields."""

    def marks_of(self, place: int) -> Marks:
        """What the cells of a column say, by its place in the header."""


def writings_of(table: Marked, columns: Mapping[int, Column]) -> dict[int, Writing]:
    """How the file writes each numeric column, by the column's place in the header.

    The decimal mark is the one that a person named for the file; else the schema's; else what the column's cells say (see
    `numbers.decided`). The unit is the schema's (`format`), else that of most cells.
    """
    numeric = {place: column for place, column in columns.items() if column.kind in ("number", "integer")}
    open_marks = {place: table.marks_of(place) for place, column in numeric.items() if not (table.named_mark or column.decimal)}
    by_schema = [Marks(comma=column.decimal == ",", point=column.decimal == ".") for column in numeric.values() if column.decimal]
    default = mark_of_file([*open_marks.values(), *by_schema]) if open_marks else None
    writings = {}
    for place, column in numeric.items():
        marks = open_marks.get(place) or (table.marks_of(place) if not column.format else Marks())
        voted = decided(marks, default, commas_separate=table.commas_separate)
        writings[place] = Writing(table.named_mark or column.decimal or voted.decimal, column.format or voted.form)
    return writings


def fitting_writings(table: Marked, source: str, header: Sequence[str], columns: Mapping[int, Column]) -> dict[int, Writing]:
    """As `writings_of`.

    Raises:
        UnreadableTable: most cells of a column contradict the schema (see `contradictions`).
    """
    writings = writings_of(table, columns)
    if problems := list(contradictions(table, header, writings)):
        raise UnreadableTable(source, problems)
    return writings


def contradictions(table: Marked, header: Sequence[str], writings: Mapping[int, Writing]) -> Iterator[TableProblem]:
    """A problem for each column most of whose cells cannot be read with the column's decimal mark, or have another unit."""
    for place, writing in writings.items():
        marks = table.marks_of(place)
        if example := marks.contradict(writing.decimal):
            other = "." if writing.decimal == "," else ","
            said = f"--decimal {writing.decimal}" if table.named_mark else f'the schema has decimal: "{writing.decimal}"'
            yield TableProblem(
                f'most cells have another decimal mark, as in "{example}", but {said}; name the file\'s mark with --decimal {other}',
                column=header[place],
                rows=marks.against(writing.decimal),
            )
        elif unit := marks.other_unit(writing):
            wanted = unit_of(writing.form)
            detail = f"most cells are in {unit}, but the schema reads numbers in {wanted}; correct the file, or the column's format"
            yield TableProblem(detail, column=header[place], rows=marks.units[unit])


def remarks_on(table: Marked, header: Sequence[str], columns: Mapping[int, Column], writings: Mapping[int, Writing]) -> Iterator[str]:
    """A sentence for each column without a mark in the schema whose cells can be read in two ways."""
    for place, writing in writings.items():
        if columns[place].decimal or table.named_mark or writing.form == CLOCK:
            continue
        if readings := two_readings(table.marks_of(place), writing):
            yield f"{header[place]}: {readings}; name the mark with --decimal, or as decimal in the schema"
