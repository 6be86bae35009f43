"""What a draft says of columns as spreadsheets, databases and people leave them."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from retainstream.engine.drafting.drafting import draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import schema_from_text
from retainstream.engine.tables.columnar import customers_in
from tests.made_tables import as_table
from tests.spreadsheets.one_column import ROWS, drafted, file_with, said_of, text_of

DAYS = [date(2015, 1, 1) + timedelta(days=number * 37 % 3600) for number in range(ROWS)]
NUMBERS = [str(number * 31 % 73) for number in range(ROWS)]


def with_some(values: Sequence[object], dirt: str, count: int) -> list[object]:
    """The values with `dirt` in this number of places."""
    step = len(values) // count
    return [dirt if place % step == 0 and place < count * step else value for place, value in enumerate(values)]


COLUMNS: dict[str, tuple[Sequence[object], dict[str, object], str]] = {
    "4% errors": (
        with_some(NUMBERS, "Error", 24),
        {"kind": "integer", "missing_values": ("Error",)},
        "x: 96.0% numbers; not numbers, and so missing: Error (24)",
    ),
    "10% errors": (with_some(NUMBERS, "Error", 60), {"kind": "integer", "missing_values": ("Error",)}, "90.0% numbers"),
    "30% errors": (
        with_some(NUMBERS, "no meter", 180),
        {"kind": "integer", "missing_values": ("no meter",)},
        "x: 70.0% numbers; not numbers, and so missing: no meter (180)",
    ),
    "a scale": ([*map(str, range(10)), "10+"], {"kind": "category", "missing": False}, ""),
    "too large": (with_some(NUMBERS, "1e300", 3), {"kind": "integer", "missing_values": ("1e300",)}, "1e300 (3, cannot be stored)"),
    "infinite": (with_some(NUMBERS, "1.7976931348623157e+308", 1), {"kind": "integer", "missing": True}, "cannot be stored"),
    "close to zero": (
        with_some(NUMBERS, "4.9e-324", 1),
        {"kind": "integer", "missing_values": ("4.9e-324",)},
        "4.9e-324 (1, cannot be stored)",
    ),
    "not set": (
        with_some([str(day) for day in DAYS], "not set", 1),
        {"kind": "date", "missing_values": ("not set",)},
        "not dates, and so missing: not set (1)",
    ),
    "zero days": (
        with_some([str(day) for day in DAYS], "0000-00-00", 200),
        {"kind": "date", "missing": True},
        '"0000-00-00" is no day and counts as missing (200 rows)',
    ),
    "open end": (
        with_some([str(day) for day in DAYS], "9999-12-31", 300),
        {"kind": "date", "missing_values": ("9999-12-31",)},
        "is no day",
    ),
    "29 February": (
        with_some([str(day) for day in DAYS], "2023-02-29", 12),
        {"kind": "date", "missing_values": ("2023-02-29",)},
        "2023-02-29 (12)",
    ),
    "day or month": (
        [f"{day.day % 12 + 1:02d}/{day.month:02d}/{day.year}" for day in DAYS],
        {"kind": "date", "format": "%d/%m/%Y"},
        "day and month cannot be told apart",
    ),
    "case": (
        ["Gold", "gold", "GOLD", "Silver", "silver "],
        {"kind": "category", "levels": ("Gold", "Silver")},
        "Gold (also gold, GOLD), Silver (also silver)",
    ),
    "composed": (["Größe", "Gro\u0308ße", "klein"], {"kind": "category", "levels": ("Größe", "klein")}, 'read as one level: "Größe"'),
    "zero width": (["A", "A\u200b", "B"], {"kind": "category", "levels": ("A", "B")}, 'look the same, and read as one level: "A"'),
    "Namibia": (["NA", "DE", "FR", "US"], {"kind": "category", "levels": ("DE", "FR", "US")}, '"NA" counts as missing in x (150 rows)'),
    "250 characters": (
        ["x" * 250, "y", "z"],
        {"kind": "category", "levels": ("y", "z", "other"), "other": "other"},
        "more than 200 characters",
    ),
    "taken for days": (["5-Jan", "10-Jun", "11-20", "21+"], {"kind": "category"}, "a spreadsheet took for days"),
    "None": (["None", "A", "B"], {"kind": "category", "levels": ("A", "B", "None")}, ""),
    "odd levels": (['say "hi"', "a: b", "# no", "NO", "007", "😀 happy", "\\", "null", "~"], {"kind": "category"}, ""),
}


@pytest.mark.parametrize(("values", "expected", "said"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_is_read_as_a_person_reads_it_and_what_is_not_is_said(
    values: Sequence[object], expected: dict[str, object], said: str
) -> None:
    draft = drafted(values)
    column = draft.schema.column("x")
    assert {field: getattr(column, field) for field in expected} == expected
    assert any(said in text for _, text in said_of(draft)) if said else said_of(draft) == []
    again = schema_from_text(yaml_of(draft))
    assert again == draft.schema
    assert len(customers_in(text_of(file_with(values)), again)) == ROWS


SERIALS = [41_000 + number * 7 for number in range(ROWS)]
MOMENTS = {
    "serials": (SERIALS, "joined", "excel serial", "may be days as a spreadsheet counts them (2012-04-01 to 2023-09-24), and are read so"),
    "seconds": (
        [1_420_070_400 + 86_400 * n for n in range(ROWS)],
        "joined",
        "epoch seconds",
        "seconds since 1970 (2015-01-01 to 2016-08-22)",
    ),
    "thousandths": (
        [1_420_070_400_000 + 86_400_000 * n for n in range(ROWS)],
        "created_at",
        "epoch milliseconds",
        "milliseconds since 1970",
    ),
    "short days": ([day.strftime("%y%m%d") for day in DAYS], "since", "%y%m%d", "days, as year, month and day"),
}


@pytest.mark.parametrize(("values", "header", "form", "said"), MOMENTS.values(), ids=MOMENTS)
def test_numbers_that_may_be_days_are_asked_about(values: Sequence[object], header: str, form: str, said: str) -> None:
    draft = drafted(values, header)
    column = next(column for column in draft.schema.columns if column.header == header)
    assert (column.kind, column.format, column.feature) == ("date", form, True)
    [(sort, text)] = said_of(draft, header)
    assert sort == "question"
    assert said in text


@pytest.mark.parametrize("values", [SERIALS, [1_420_070_400 + 86_400 * (n * 7 % 300) for n in range(ROWS)]], ids=["income", "seconds"])
def test_numbers_under_another_header_stay_numbers(values: list[int]) -> None:
    draft = drafted(values, "income")
    assert draft.schema.column("income").kind == "integer"
    assert [sort for sort, _ in said_of(draft, "income")] == (["question"] if max(values) > 10**9 else [])


LEFT_OUT = {
    "nanoseconds": (
        [1_700_000_000_000_000_000 + 86_400_000_000_000 * n for n in range(ROWS)],
        "nanoseconds since 1970 (2023-11-14 to 2025-07-05)",
    ),
    "tiny": ([f"{n}.5e-121" for n in range(1, ROWS)], "numbers that are too close to zero to be stored"),
    "keys": ([12345678901234567890 + n for n in range(ROWS)], "identifies rows"),
    "places": ([f"{n % 90}.{n}, {n % 180}.{n}" for n in range(ROWS)], "places, as latitude and longitude"),
    "currencies": ([f"{('$', '€', '£')[n % 3]}{n % 211}.50" for n in range(ROWS)], "numbers in several units ($: 200 rows, EUR"),
    "both marks": (
        [f"1.{n % 800 + 100},50" if n % 2 else f"1,{n % 800 + 100}.50" for n in range(ROWS)],
        "numbers with a decimal comma (300",
    ),
    "zeros": (["0", "-0"], 'always "'),
}


@pytest.mark.parametrize(("values", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_column_that_cannot_be_used_is_left_out_with_the_reason(values: Sequence[object], reason: str) -> None:
    draft = drafted(values)
    assert draft.left_out["x"].startswith(reason)
    assert said_of(draft)


def test_of_many_levels_those_of_several_rows_are_kept() -> None:
    cities = [f"City {n % 97}" if n % 20 else f"Village {n}" for n in range(4000)]
    draft = drafted(cities, "city", rows=4000)
    column = draft.schema.column("city")
    assert (len(column.levels), column.levels[-1], column.other) == (98, "other", "other")
    assert "the 97 most frequent of 297 values (95.0% of the rows) are levels; all others count as other" in said_of(draft, "city")[0][1]


def test_a_level_that_comes_later_has_a_place_where_there_are_many() -> None:
    draft = drafted([f"City {n % 80}" for n in range(4000)], "city", rows=4000)
    assert (len(draft.schema.column("city").levels), draft.schema.column("city").other) == (81, "other")
    assert "all 80 values are levels; all others count as other" in said_of(draft, "city")[0][1]


@pytest.mark.parametrize(("columns", "rows", "length", "levels"), [(1, 9000, 0, 1001), (25, 3000, 0, 401), (1, 3000, 180, 106)])
def test_many_columns_of_many_levels_and_long_texts_share_the_room(columns: int, rows: int, length: int, levels: int) -> None:
    values = {f"city {column}": [f"City {n * 7 % (rows // 6)} {'x' * length}" for n in range(rows)] for column in range(columns)}
    table = as_table({**values, "left": ["yes" if n % 1013 % 3 else "no" for n in range(rows)]})
    drafted_from = draft(table, "left")
    assert {len(column.levels) for column in drafted_from.schema.columns} == {levels}
    assert schema_from_text(yaml_of(drafted_from)).columns == drafted_from.schema.columns


@pytest.mark.parametrize(("repeats", "kind"), [(2, "left out"), (4, "left out"), (6, "category")])
def test_texts_that_hardly_repeat_identify_rows(repeats: int, kind: str) -> None:
    drafted_from = drafted([f"store {n // repeats}" for n in range(6000)], "store", rows=6000)
    assert ("store" in drafted_from.left_out) is (kind == "left out")


@pytest.mark.parametrize(
    ("header", "kind"), [("zip", "category"), ("PLZ", "category"), ("Postal Code", "category"), ("gzip_size", "integer")]
)
def test_postal_codes_are_levels(header: str, kind: str) -> None:
    codes = [str(10_000 + n * 37 % 50 * 53) for n in range(ROWS)]
    assert drafted(codes, header).schema.columns[1].kind == kind


def test_leading_zeros_of_codes_stay() -> None:
    assert drafted(["01067", "10115", "00501"], "zip").schema.column("zip").levels == ("00501", "01067", "10115")


def test_coordinates_are_no_feature() -> None:
    draft = drafted([f"{n % 60 + 10}.{n}" for n in range(ROWS)], "Latitude")
    assert not draft.schema.column("Latitude").feature
    assert "a place and not a quantity" in said_of(draft, "Latitude")[0][1]


def test_a_missing_word_of_the_file_is_not_asked_about_where_numbers_have_it_too() -> None:
    table = text_of(file_with(["NA", "Basic", "Premium"]).replace(b"K-00003,20", b"K-00003,NA"))
    assert not draft(table, "left", id_header="id").questions


def test_a_header_is_found_as_a_person_spells_it() -> None:
    table = text_of(file_with(["a", "b"], "Gro\u0308ße"))
    assert draft(table, " LEFT ", id_header="Id", positive="yes").schema.label.column == "left"
