"""Cells as spreadsheets leave them: what a draft makes of a column, and that all commands read the file so."""

import io
from pathlib import Path

import numpy as np
import pytest

from local.own_data import OwnData
from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables import open_table, read_customers
from retainstream.engine.tables.columnar import TextTable, customers_in, read_text
from retainstream.engine.tables.numbers import Decimal
from tests.spreadsheets import german
from tests.spreadsheets.spelled import SPELLINGS, file_of, table


def text_of(content: bytes, decimal: Decimal | None = None) -> TextTable:
    with open_table(io.BytesIO(content), decimal=decimal, name="file") as opened:
        return read_text(opened)


def drafted(content: bytes, decimal: Decimal | None = None) -> Draft:
    return draft(text_of(content, decimal), "left", id_header="id")


def numbers_of(content: bytes, schema: FeatureSchema, decimal: Decimal | None = None) -> list[float]:
    """The column x as both readers read it, NaN where it is missing."""
    with open_table(io.BytesIO(content), decimal=decimal, name="file") as opened:
        values = [row.features.get("x", np.nan) for row in read_customers(opened, schema)]
    by_columns = customers_in(text_of(content, decimal), schema)
    if schema.column("x").feature:
        np.testing.assert_allclose(by_columns.rows[:, 0], np.array(values, dtype=float), rtol=1e-6)
    return [float(value) for value in values]


@pytest.mark.parametrize("name", SPELLINGS)
def test_money_and_quantities_are_numbers_in_a_draft_and_in_every_reading(name: str) -> None:
    content, numbers = table(SPELLINGS[name])
    column = drafted(content).schema.column("x")
    assert column.kind == "number"
    assert numbers_of(content, drafted(content).schema) == pytest.approx(numbers, rel=1e-5)


@pytest.mark.parametrize(
    ("cells", "kind", "form", "values"),
    [
        (["12 months", "1 month", "24 months"], "integer", "# months", [12, 1, 24]),
        (["4,41,840", "98,619", "1,220"], "integer", "", [441840, 98619, 1220]),
        (["12001円", "8857円", "1021円"], "integer", "# JPY", [12001, 8857, 1021]),
        (["00:39:30", "01:12:00", "00:24:15"], "number", "h:mm:ss", [39.5, 72, 24.25]),
        (["Infinity", "8.5", "-Infinity", "2.25", "1.5", "3.5"], "number", "", [np.nan, 8.5, np.nan, 2.25, 1.5, 3.5]),
        (["#NUM!", "8.5", "#NAME?", "2.25", "#REF!", "#VALUE!"], "number", "", [np.nan, 8.5, np.nan, 2.25, np.nan, np.nan]),
        ([*["8", "2", "3", "4", "5", "6"] * 4, "Error"], "integer", "", [*[8, 2, 3, 4, 5, 6] * 4, np.nan]),
        (["10+", "9", "5", "3"], "category", "", []),
        (["1-5", "6-10", "11-20", "21+"], "category", "", []),
        (["3 years", "5 years", "< 1 year"], "category", "", []),
    ],
)
def test_odd_numbers_are_read_as_meant(cells: list[str], kind: str, form: str, values: list[float]) -> None:
    content = file_of([cells[place % len(cells)] for place in range(160)])
    schema = drafted(content).schema
    assert (schema.column("x").kind, schema.column("x").format) == (kind, form)
    if values:
        assert numbers_of(content, schema)[: len(cells)] == pytest.approx(values, nan_ok=True)


THOUSANDS = [f"{number:,}".replace(",", ".") for number in range(700, 10_000, 31)]


def test_points_beside_whole_numbers_below_a_thousand_separate_thousands(tmp_path: Path) -> None:
    content = file_of(THOUSANDS, delimiter=";")
    schema = drafted(content).schema
    assert schema.column("x").decimal == ","
    numbers = list(range(700, 10_000, 31))
    assert numbers_of(content, schema) == numbers
    decimals, by_point = [float(text) for text in THOUSANDS], drafted(content, ".").schema
    assert numbers_of(content, by_point) == decimals
    path = tmp_path / "revenue.csv"
    path.write_bytes(content)
    column = {"name": "x", "kind": "number", "label": "X", "decimal": ","}
    unlimited = FeatureSchema.model_validate(schema.model_dump(by_alias=True) | {"columns": [column]})
    readings: list[tuple[Decimal | None, list[float]]] = [(None, [float(number) for number in numbers]), (".", decimals)]
    for named, expected in readings:
        with OwnData(None, path, decimal=named).intake(unlimited) as intake:
            assert [row.customer()["features"]["x"] for row in intake.customers()] == expected


def test_a_mark_that_a_person_names_decides_a_draft() -> None:
    assert drafted(file_of(THOUSANDS), ".").schema.column("x").decimal == "."
    assert drafted(file_of(THOUSANDS), ",").schema.column("x").decimal == ","


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("Saldo", "(47,18)", -47.18),
        ("Saldo", "9,48-", -9.48),
        ("Saldo", "1.234,50 €", None),
        ("Monatsbeitrag", "1.2", None),
        ("Monatsbeitrag", "Infinity", None),
        ("Monatsbeitrag", "67,5 EUR", 67.5),
        ("Anrufe", "07", 7),
        ("Anrufe", "7,0", 7),
    ],
)
def test_the_next_file_of_a_german_business_is_read_by_its_schema(column: str, text: str, value: float | None) -> None:
    plain = german.schema()
    columns = [
        document | ({"decimal": ","} if document["kind"] == "number" else {}) | {"missing": True}
        for document in plain.model_dump(mode="json", by_alias=True)["columns"]
    ]
    rows = german.rows(30)
    rows[7] = german.changed(rows[7], **{column: text})
    with open_table(io.BytesIO(german.as_csv(rows)), name="kunden.csv") as opened:
        read = list(read_customers(opened, german.schema(columns=columns)))
    assert read[7].features.get(column) == value
    assert not any(row.errors for row in read)
    unread = [(cell.column, cell.text) for row in read for cell in row.unread]
    assert unread == ([(column, text)] if value is None and text != "Infinity" else [])
