"""Delimited files of every dialect, read by a schema: row by row and as columns, to the same end."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.customers.arrival import Moments
from retainstream.customers.intake import Intake
from retainstream.engine.model.encoding import encode
from retainstream.engine.schema import Column, FeatureSchema, Id, Label, Money
from retainstream.engine.tables import CustomerRow, TableProblem, UnreadableTable, open_table, read_customers
from retainstream.engine.tables.columnar import CustomerTable, customers_in, read_text
from retainstream.engine.tables.dates import date_in
from retainstream.engine.tables.numbers import number_in
from retainstream.engine.tables.problems import UnreadCell

SCHEMA = FeatureSchema(
    name="shop",
    title="Shop",
    id=Id(column="id", source="Kunde"),
    label=Label(column="left", source="Kündigung", positive="ja"),
    group="city",
    horizon_days=30,
    money=Money(price="price", offer_cost=1, save_rate=0.1),
    columns=(
        Column(name="city", source="Stadt", kind="category", label="City", levels=("Köln", "Zürich", "None")),
        Column(name="price", source="Preis (€)", kind="number", label="Price", min=0),
        Column(name="calls", source="Anrufe", kind="integer", label="Calls", min=0, missing=True, missing_values=("-999",)),
        Column(name="loyal", source="Treu", kind="boolean", label="Loyal", missing=True),
        Column(name="since", source="Seit", kind="date", label="Since", format="%d.%m.%Y", feature=False, missing=True),
    ),
)
HEADER = ["Kunde", "Stadt", "Preis (€)", "Anrufe", "Treu", "Seit", "Kündigung"]
ROWS = [
    ["K1", "Köln", "12,50", "3", "ja", "31.01.2024", "ja"],
    ["K2", "Zürich", "1.204,00", "-999", "nein", "", "nein"],
    ["K3", "None", "7,25", "N/A", "", "01.02.2024", ""],
    ["K4", "Köln", "0", "?", "NULL", "", "nein"],
]
EXPECTED: list[dict[str, Any]] = [
    {"city": "Köln", "price": 12.5, "calls": 3, "loyal": True, "since": "2024-01-31"},
    {"city": "Zürich", "price": 1204.0, "loyal": False},
    {"city": "None", "price": 7.25, "since": "2024-02-01"},
    {"city": "Köln", "price": 0.0},
]


def text_of(rows: list[list[str]], delimiter: str = ";", end: str = "\r\n") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(rows)
    return buffer.getvalue()


def rows_of(content: bytes, schema: FeatureSchema = SCHEMA) -> list[CustomerRow]:
    with open_table(io.BytesIO(content), name="file") as table:
        return list(read_customers(table, schema))


def table_of(content: bytes, schema: FeatureSchema = SCHEMA) -> CustomerTable:
    with open_table(io.BytesIO(content), name="file") as table:
        return customers_in(read_text(table), schema)


SEMICOLONS = text_of([HEADER, *ROWS])
DIALECTS = {
    "utf-8": SEMICOLONS.encode(),
    "bom": SEMICOLONS.encode("utf-8-sig"),
    "windows-1252": SEMICOLONS.encode("cp1252"),
    "utf-16": SEMICOLONS.encode("utf-16"),
    "tabs": text_of([HEADER, *ROWS], "\t").encode(),
    "commas": text_of([HEADER, *ROWS], ",").encode(),
    "pipes": text_of([HEADER, *ROWS], "|").encode(),
    "excel's first line": ("sep=;\r\n" + SEMICOLONS).encode(),
    "gzip": gzip.compress(SEMICOLONS.encode()),
    "unix": text_of([HEADER, *ROWS], end="\n").encode(),
    "old mac": text_of([HEADER, *ROWS], end="\r").encode(),
    "blank lines": ("\r\n\r\n" + SEMICOLONS.replace("K3", "\r\nK3") + "\r\n;;;;;;\r\n").encode(),
    "trailing separators": SEMICOLONS.replace("\r\n", ";\r\n").encode(),
    "spaces": SEMICOLONS.replace(";", " ; ").encode(),
    "no last line end": SEMICOLONS.rstrip().encode(),
    "mixed encodings": SEMICOLONS.encode()[:110] + SEMICOLONS.encode()[110:].decode().encode("cp1252"),
}


@pytest.mark.parametrize("content", DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_gives_the_same_customers(content: bytes) -> None:
    rows = rows_of(content)
    assert [row.errors for row in rows] == [()] * 4
    assert [row.features for row in rows] == EXPECTED
    assert [row.customer_id for row in rows] == ["K1", "K2", "K3", "K4"]
    assert [row.churned for row in rows] == [True, False, None, False]
    table = table_of(content)
    assert table.ids == ["K1", "K2", "K3", "K4"]
    np.testing.assert_array_equal(table.rows, encode(SCHEMA, EXPECTED))
    np.testing.assert_array_equal(table.churned, [1, 0, np.nan, 0])
    assert table.prices is not None
    assert table.prices.tolist() == [12.5, 1204.0, 7.25, 0.0]
    assert table.groups.tolist() == [0, 1, 2, 0]


def test_a_file_on_disk_is_read_as_a_stream_is(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv.gz"
    path.write_bytes(DIALECTS["gzip"])
    with open_table(path) as table:
        assert len(list(read_customers(table, SCHEMA))) == 4


def test_lines_in_another_encoding_are_told() -> None:
    with open_table(io.BytesIO(DIALECTS["windows-1252"])) as table:
        list(table.records())
        assert table.notes == ["some text is not UTF-8 and was read as Windows-1252 (lines 1, 2, 3, 5)"]


def test_a_quoted_value_may_hold_separators_quotes_and_lines() -> None:
    schema = SCHEMA.model_copy(update={"columns": (*SCHEMA.columns[1:],), "group": None})
    content = text_of([HEADER, ['K;1 "a"\nb', *ROWS[0][1:]], ROWS[1]]).encode()
    rows = rows_of(content, schema)
    assert [(row.line, row.customer_id) for row in rows] == [(2, 'K;1 "a" b'), (4, "K2")]


FAULTY_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "file: is empty"),
    "blank": (b"\n \n", "file: is empty"),
    "repeated header": (SEMICOLONS.replace("Stadt", "Kunde").encode(), "line 1, column Kunde: the header names it 2 times (columns 1, 2)"),
    "no id column": (SEMICOLONS.replace("Kunde", "Kundin").encode(), "there is no id column Kunde; did you mean Kundin?"),
    "no column": (SEMICOLONS.replace("Preis (€)", "x").encode(), "there is no column Preis (€); the header has Kunde"),
    "open quote": ((SEMICOLONS + '"K9;Köln\n').encode(), "line 6: a quote is opened and never closed"),
    "stray quote": ((SEMICOLONS + '"K"9;Köln\n').encode(), "line 6: a quoted value continues after its closing quote"),
    "too many fields": ((SEMICOLONS + "K9;Köln;1,0;1;ja;;ja;x\n").encode(), "line 6: has 8 fields where the header has 7"),
    "too few fields": ((SEMICOLONS + "K9;Köln\n").encode(), "line 6: has 2 fields where the header has 7"),
    "zero bytes": (b"a,b\n\x00\x00", "holds zero bytes"),
    "an image": (b"\x89PNG\r\n\x1a\n\x00", "is not text"),
    "excel": (b"PK\x03\x04\x00", "the zip archive or workbook is damaged, or ends too early"),
    "half a gzip file": (gzip.compress(SEMICOLONS.encode() * 50)[:-20], "damaged"),
}


@pytest.mark.parametrize(("content", "said"), FAULTY_FILES.values(), ids=FAULTY_FILES)
def test_a_file_that_cannot_be_read_says_where_and_why(content: bytes, said: str) -> None:
    for reader in (rows_of, table_of):
        with pytest.raises(UnreadableTable) as caught:
            reader(content)
        assert said in str(caught.value)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="no such file"):
        open_table(tmp_path / "none.csv")


UNREAD_CELLS = {
    "a category never seen": (1, "Paris", "city", "is new"),
    "a number out of range": (2, "-1", "price", "is below 0"),
    "no number": (2, "viel", "price", "is not a number"),
    "a required value missing": (2, "", "price", "is missing in a column that is never blank"),
    "a fraction": (3, "1,5", "calls", "is not a whole number"),
    "neither yes nor no": (4, "vielleicht", "loyal", "is not true or false"),
    "no date": (5, "31/01/2024", "since", "is not a date like 31.01.2026"),
}


@pytest.mark.parametrize(("place", "text", "field", "reason"), UNREAD_CELLS.values(), ids=UNREAD_CELLS)
def test_a_cell_that_cannot_be_read_costs_itself_alone(place: int, text: str, field: str, reason: str) -> None:
    rows = [list(row) for row in ROWS]
    rows[1][place] = text
    content = text_of([HEADER, *rows]).encode()
    expected = [dict(features) for features in EXPECTED]
    expected[1].pop(field, None)
    read = rows_of(content)
    assert [row.features for row in read] == expected
    assert [row.errors for row in read] == [()] * 4
    assert [row.churned for row in read] == [True, False, None, False]
    assert [row.unread for row in read] == [(), (UnreadCell(field, text, reason),), (), ()]
    table = table_of(content)
    np.testing.assert_array_equal(table.rows, encode(SCHEMA, expected))
    assert table.unread.listed() == [{"column": HEADER[place], "value": text, "reason": reason, "rows": 1}]
    assert table.notes == [f"1 cell could not be read: {table.unread.sentences()[0]}"]


def test_a_level_that_is_new_becomes_other_and_is_reported_still() -> None:
    city = {**SCHEMA.columns[0].model_dump(), "levels": ["Köln", "Zürich", "None", "Sonstige"], "other": "Sonstige"}
    schema = FeatureSchema.model_validate(
        SCHEMA.model_dump() | {"columns": [city, *(column.model_dump() for column in SCHEMA.columns[1:])]}
    )
    content = text_of([HEADER, ["K0", "Paris", *ROWS[0][2:]], *ROWS]).encode()
    [row, *_] = rows_of(content, schema)
    assert (row.features["city"], row.unread) == ("Sonstige", (UnreadCell("city", "Paris", "is new"),))
    table = table_of(content, schema)
    assert (table.rows[0, 0], table.groups[0]) == (3, 3)
    assert table.unread.sentences() == ['1 × Stadt: "Paris" is new']
    assert table.notes == ['1 cell counts as other: 1 × Stadt: "Paris" is new']


def test_a_row_without_an_id_is_left_out() -> None:
    rows = [list(row) for row in ROWS]
    rows[1][0] = " "
    content = text_of([HEADER, *rows]).encode()
    assert [[error.field for error in row.errors] for row in rows_of(content)] == [[], ["id"], [], []]
    table = table_of(content)
    assert table.ids == ["K1", "K3", "K4"]
    assert table.rejects == [TableProblem("is missing", line=3, column="Kunde")]


def test_all_columns_that_cannot_be_read_are_counted() -> None:
    rows = [["N" + row[0], "Rom", "-5", "x", *row[4:]] for row in ROWS]
    with pytest.raises(UnreadableTable) as caught:
        table_of(text_of([HEADER, *rows]).encode())
    assert [(problem.column, problem.rows) for problem in caught.value.problems] == [("Stadt", 4), ("Preis (€)", 4), ("Anrufe", 4)]
    rows += ROWS
    table = table_of(text_of([HEADER, *rows]).encode())
    assert [(count["column"], count["value"], count["rows"]) for count in table.unread.listed()] == [
        ("Anrufe", "x", 4),
        ("Preis (€)", "-5", 4),
        ("Stadt", "Rom", 4),
    ]


DIRT = {
    "Kunde": ["", "K1", "K2", " K2 ", "a/b", "Summe", "x" * 129, "Ä\u200b", "#\u00a01", "\x07"],
    "Stadt": ["", "Köln", "köln", "Rom", "NA", "None", "?", "Ko\u0308ln"],
    "Preis (€)": ["", "1,5", "-1", "1e300", "1e-121", "Error", "1.234,50 €", "0", "#NV"],
    "Anrufe": ["", "3", "1,5", "-999", "n/a", "drei", "-1"],
    "Treu": ["", "ja", "NEIN", "1", "vielleicht", "unknown"],
    "Seit": ["", "31.01.2024", "0000-00-00", "31/01/24", "NULL", "30.02.2024"],
    "Kündigung": ["", "ja", "nein", "JA", "?"],
}


@given(st.lists(st.tuples(*(st.sampled_from(texts) for texts in DIRT.values())), min_size=1, max_size=30))
def test_both_readers_read_the_same_whatever_the_cells_hold(dirty: list[tuple[str, ...]]) -> None:
    clean = [["K101", *ROWS[0][1:]], ["K102", *ROWS[1][1:]]]
    content = text_of([list(DIRT), *clean, *(list(row) for row in dirty)]).encode()
    rejects: list[TableProblem] = []
    with open_table(io.BytesIO(content), name="file") as opened:
        intake = Intake(opened, SCHEMA, Moments.stated(None, None), rejects.append)
        accepted = list(intake.customers())
    table = table_of(content)
    assert table.ids == [row.customer_id for row in accepted]
    assert table.read == intake.rows
    assert sum(problem.rows for problem in table.rejects) == intake.refused == len({problem.line for problem in rejects})
    assert table.unread.listed() == intake.unread.listed()
    np.testing.assert_array_equal(table.rows, encode(SCHEMA, [row.features for row in accepted]))
    np.testing.assert_array_equal(table.churned, [np.nan if row.churned is None else float(row.churned) for row in accepted])


def test_a_label_of_one_class_or_of_other_values_is_refused() -> None:
    one_class = text_of([HEADER, *([*row[:-1], "nein"] for row in ROWS)]).encode()
    with pytest.raises(UnreadableTable, match=r'no row has the positive value "ja"; the column holds "nein" \(4\)'):
        table_of(one_class)
    truth = SCHEMA.model_copy(update={"label": Label(column="left", source="Kündigung", positive=True)})
    other = text_of([HEADER, *([*row[:-1], "gone"] for row in ROWS)]).encode()
    with pytest.raises(UnreadableTable, match=r'no row has the positive value "true".* the column holds "gone" \(4\)\. Write the words'):
        table_of(other, truth)
    assert all((row.churned, row.outcome_text, row.errors) == (None, "gone", ()) for row in rows_of(other, truth))


def test_a_file_without_outcomes_can_be_imported_and_not_trained_on() -> None:
    content = text_of([HEADER[:-1], *(row[:-1] for row in ROWS)]).encode()
    assert [row.churned for row in rows_of(content)] == [None] * 4
    with pytest.raises(UnreadableTable, match="there is no label column Kündigung"):
        table_of(content)


def test_columns_the_schema_does_not_have_are_noted_and_repeated_ids_counted() -> None:
    rows = [[*row, "x"] for row in (*ROWS, ROWS[0])]
    table = table_of(text_of([[*HEADER, "Notiz"], *rows]).encode())
    assert table.repeated_ids == 1
    assert len(table) == 4
    assert table.notes == [
        "1 row is left out: line 6, column Kunde: is the id of an earlier row",
        "columns outside the schema are not read: Notiz",
    ]


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1234.5", ".", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("$1,234", ".", 1234.0),
        ("12 %", ".", 12.0),
        ("1 234 567", ".", 1234567.0),
        ("1'234.50", ".", 1234.5),
        ("\u22125", ".", -5.0),
        ("1e3", ".", 1000.0),
        (".5", ".", 0.5),
        ("1.234,5", ",", 1234.5),
        ("12,5 €", ",", 12.5),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("1,23,4", ".", None),
        ("", ".", None),
        ("1e400", ".", None),
        ("0x10", ".", None),
        ("1_000", ".", None),
        ("٣", ".", 3.0),
        ("nan", ".", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, decimal: Any, number: float | None) -> None:
    assert number_in(text, decimal) == number


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_number_python_writes_is_read(number: float) -> None:
    assert number_in(str(number)) == number
    assert number_in(str(number).replace(".", ","), ",") == number


@given(st.text(max_size=20))
def test_no_text_breaks_a_cell(text: str) -> None:
    number_in(text)
    date_in(text)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    try:
        with open_table(io.BytesIO(content)) as table:
            assert all(len(record) == len(table.header) for _, record in table.records())
    except UnreadableTable:
        pass


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=20), st.sampled_from(",;\t|"))
def test_what_a_writer_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    header = ["first", "second", "third"]
    written = text_of([header, *([f"a{row[0]}", *row[1:]] for row in rows)], delimiter)
    with open_table(io.BytesIO(written.encode())) as table:
        assert table.header == header
        assert table.delimiter == delimiter
        read = [record for _, record in table.records()]
    assert [[cell.strip() for cell in record] for record in read] == [
        [f"a{row[0]}".strip(), *(cell.strip() for cell in row[1:])] for row in rows
    ]
