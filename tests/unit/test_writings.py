"""How a file writes its columns is one decision: by the schema, by a person, or by the column's cells; both readers make it."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from retainstream.engine.drafting.profiles import profiles_of
from retainstream.engine.records import Value
from retainstream.engine.schema import Column, FeatureSchema, Id, Label
from retainstream.engine.tables import UnreadableTable, open_table, read_customers
from retainstream.engine.tables.columnar import CustomerTable, customers_in, read_text
from retainstream.engine.tables.numbers import Decimal
from retainstream.engine.tables.parts import layout_document, part_of
from retainstream.engine.tables.splitting import Place


def schema_of(*columns: Column) -> FeatureSchema:
    return FeatureSchema(
        name="shop", title="Shop", id=Id(column="id"), label=Label(column="left", positive="yes"), horizon_days=30, columns=columns
    )


def number(name: str = "fee", decimal: Decimal | None = None, form: str = "") -> Column:
    return Column(name=name, kind="number", label=name, decimal=decimal, format=form, missing=True)


PLAN = Column(name="plan", kind="category", label="Plan", levels=("Gold Plus", "Zürich", "1"), other="", missing=True)


def content(cells: Sequence[Sequence[str]], header: Sequence[str] = ("fee",), delimiter: str = ";") -> bytes:
    buffer = io.StringIO()
    rows = [[f"c{place}", *row, "yes" if place % 2 else "no"] for place, row in enumerate(cells)]
    csv.writer(buffer, delimiter=delimiter).writerows([["id", *header, "left"], *rows])
    return buffer.getvalue().encode()


def by_rows(file: bytes, schema: FeatureSchema, decimal: Decimal | None = None) -> list[dict[str, Value]]:
    with open_table(io.BytesIO(file), decimal=decimal, name="file") as table:
        return [row.features for row in read_customers(table, schema)]


def by_columns(file: bytes, schema: FeatureSchema, decimal: Decimal | None = None) -> CustomerTable:
    with open_table(io.BytesIO(file), decimal=decimal, name="file") as table:
        return customers_in(read_text(table), schema)


def read(file: bytes, schema: FeatureSchema, decimal: Decimal | None = None) -> list[float | None]:
    """The first column, as both readers read it."""
    name = schema.columns[0].name
    values = [row.get(name) for row in by_rows(file, schema, decimal)]
    table = by_columns(file, schema, decimal)
    np.testing.assert_array_equal(table.rows[:, 0], np.array([np.nan if value is None else value for value in values], dtype=np.float32))
    return [None if value is None else float(value) for value in values]


@pytest.mark.parametrize(
    ("cells", "decimal", "named", "numbers"),
    [
        (["8.267", "984"], None, None, [8267, 984]),
        (["8.267", "984"], ".", None, [8.267, 984]),
        (["8.267", "984"], ",", None, [8267, 984]),
        (["8.267", "984"], None, ".", [8.267, 984]),
        (["8.267", "984"], ",", ".", [8.267, 984]),
        (["1.234,50 €", "(5,00)", "5,00-", "5,-"], ",", None, [1234.5, -5, -5, 5]),
        (["Infinity", "#NUM!", "7,5", ""], ",", None, [None, None, 7.5, None]),
        (["12 months", "1 month", "N/A"], None, None, [12, 1, None]),
    ],
)
def test_a_column_is_read_by_the_mark_of_a_person_of_the_schema_or_of_its_cells(
    cells: list[str], decimal: Decimal | None, named: Decimal | None, numbers: list[float | None]
) -> None:
    assert read(content([[cell] for cell in cells]), schema_of(number(decimal=decimal)), named) == numbers


def test_each_column_has_its_own_mark() -> None:
    rows = [["1.5", "2,5"], ["3.25", "1.000"]]
    schema = schema_of(number("points"), number("commas"))
    assert by_rows(content(rows, ("points", "commas")), schema) == [{"points": 1.5, "commas": 2.5}, {"points": 3.25, "commas": 1000.0}]


def test_a_column_that_can_be_read_both_ways_is_told() -> None:
    notes = by_columns(content([["8.267"], ["984"]]), schema_of(number())).notes
    assert notes == ['fee: "8.267" is read as 8,267, and could also mean 8.267; name the mark with --decimal, or as decimal in the schema']
    assert by_columns(content([["8.267"], ["984"]]), schema_of(number(decimal=","))).notes == []


@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        (
            ["7.5", "8.25", "9,1"],
            number(decimal=","),
            'column fee: most cells have another decimal mark, as in "7.5", but the schema has decimal: ","; '
            "name the file's mark with --decimal . (2 rows)",
        ),
        (
            ["500 MB", "700 MB", "3 GB"],
            number(form="# GB"),
            "column fee: most cells are in MB, but the schema reads numbers in GB; correct the file, or the column's format (2 rows)",
        ),
    ],
)
def test_a_file_that_contradicts_the_schema_is_refused_in_one_sentence(cells: list[str], column: Column, sentence: str) -> None:
    file, schema = content([[cell] for cell in cells]), schema_of(column)
    for reader in (by_rows, by_columns):
        with pytest.raises(UnreadableTable) as refused:
            reader(file, schema)
        assert sentence in str(refused.value)


def test_headers_and_levels_are_the_same_where_they_look_the_same() -> None:
    cells = [["gold\u00a0plus"], ["GOLD  PLUS"], ["Zu\u0308rich"], ["Gold\u200b Plus"], ["1.0"], ["\u200b"]]
    file = content(cells, ("\ufeffPLAN\u00a0",))
    schema = schema_of(PLAN)
    levels = ["Gold Plus", "Gold Plus", "Zürich", "Gold Plus", "1", None]
    assert [row.get("plan") for row in by_rows(file, schema)] == levels
    codes = by_columns(file, schema).rows[:, 0]
    assert [None if np.isnan(code) else PLAN.levels[int(code)] for code in codes] == levels


def test_a_header_of_another_column_is_not_taken_for_a_spelling() -> None:
    schema = schema_of(number("fee"), Column(name="paid", source="FEE", kind="number", label="Paid", missing=True))
    assert by_rows(content([["5"], ["6"]], ("FEE",)), schema) == [{"paid": 5.0}, {"paid": 6.0}]


def test_every_part_of_a_file_is_read_by_the_decision_of_its_head() -> None:
    file, schema = content([["8.267"], ["984"], ["1.500"]]), schema_of(number())
    with open_table(io.BytesIO(file)) as table:
        layout = json.loads(json.dumps(layout_document(table)))
    start = file.index(b"c2")
    part = part_of(layout, io.BytesIO(file[start:]), Place(start, 4))
    assert [row.features for row in read_customers(part, schema)] == [{"fee": 1500.0}]


def test_numbers_of_a_workbook_have_no_mark(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (("id", "fee", "left"), ("a", 8.267, "yes"), ("b", 984, "no"), ("c", 2.5, "no")):
        sheet.append(row)
    workbook.save(tmp_path / "fees.xlsx")
    schema = schema_of(number(decimal=","))
    with open_table(tmp_path / "fees.xlsx") as table:
        assert [row.features for row in read_customers(table, schema)] == [{"fee": 8.267}, {"fee": 984.0}, {"fee": 2.5}]
    with open_table(tmp_path / "fees.xlsx") as table:
        text = read_text(table)
    assert next(profile for profile in profiles_of(text) if profile.name == "fee").decimal is None
