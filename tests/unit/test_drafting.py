"""What a drafted schema says about a table."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.drafting.names import label_for, name_for, unit_in
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import FeatureSchema, schema_from_text
from retainstream.engine.tables import UnreadableTable, open_table
from retainstream.engine.tables.columnar import TextTable, customers_in, read_text
from tests.made_tables import as_table

SHARED = Path(__file__).parents[3] / "shared/data"
ROWS = 400


def text_table(**columns: list[object]) -> TextTable:
    rng = np.random.default_rng(8)
    texts = {name: [str(value) for value in values] for name, values in columns.items()}
    texts.setdefault("id", [f"K{number:04d}" for number in range(ROWS)])
    texts.setdefault("left", [str(value) for value in np.where(rng.random(ROWS) < 0.4, "yes", "no")])
    return as_table(texts)


def cycle(*values: object) -> list[object]:
    return [values[number % len(values)] for number in range(ROWS)]


def column_entry(drafted: Draft, name: str) -> dict[str, object]:
    return drafted.schema.column(name).model_dump(exclude_defaults=True, exclude={"name", "label"})


KINDS: dict[str, tuple[list[object], dict[str, object]]] = {
    "whole": (cycle(*range(1, 90)), {"kind": "integer", "min": 0.0, "max": 200.0}),
    "below_zero": (cycle(*range(-40, 50)), {"kind": "integer", "min": -100.0, "max": 100.0}),
    "number": (cycle("1.5", "2", "3.25", "10"), {"kind": "number", "min": 0.0, "max": 20.0, "decimal": "."}),
    "money": (
        cycle("$1,200.50", "$80", "$9.99"),
        {"kind": "number", "min": 0.0, "max": 5000.0, "decimal": ".", "unit": "$", "format": "# $"},
    ),
    "yes_no": (cycle("Yes", "No"), {"kind": "boolean"}),
    "zero_one": (cycle(0, 1, 1), {"kind": "boolean"}),
    "truth": (cycle("True", "False", ""), {"kind": "boolean", "missing": True}),
    "levels": (cycle("b", "a", "c"), {"kind": "category", "levels": ("a", "b", "c")}),
    "none_is_a_level": (cycle("None", "Offer A"), {"kind": "category", "levels": ("None", "Offer A")}),
    "blanks": (cycle("b", "", "N/A", "?", "NULL", "a", " "), {"kind": "category", "levels": ("a", "b"), "missing": True}),
    "codes": (cycle("00501", "10115", "01067"), {"kind": "category", "levels": ("00501", "01067", "10115")}),
    "minus_999": (cycle(1, 2, -999, 30), {"kind": "integer", "min": 0.0, "max": 100.0, "missing": True, "missing_values": ("-999",)}),
    "far_9999": (
        cycle("1.5", "9999", "2.5", "80"),
        {"kind": "number", "min": 0.0, "max": 200.0, "decimal": ".", "missing": True, "missing_values": ("9999",)},
    ),
    "honest_99": (cycle(*range(60, 140)), {"kind": "integer", "min": 0.0, "max": 500.0}),
    "iso_dates": (cycle("2024-01-31", "2023-12-24"), {"kind": "date"}),
    "german_dates": (cycle("31.01.2024", "24.12.2023"), {"kind": "date", "format": "%d.%m.%Y"}),
    "american_dates": (cycle("01/31/2024", "12/24/2023", ""), {"kind": "date", "format": "%m/%d/%Y", "missing": True}),
    "day_numbers": (cycle("20240131", "20231224"), {"kind": "date"}),
}


@pytest.mark.parametrize(("values", "expected"), KINDS.values(), ids=KINDS)
def test_kinds_ranges_and_missing_values_are_found_and_read_back(values: list[object], expected: dict[str, object]) -> None:
    table = text_table(column=values, visits=cycle(*range(30)))
    drafted = draft(table, "left")
    assert column_entry(drafted, "column") == expected
    assert drafted.warnings == []
    customers = customers_in(table, schema_from_text(yaml_of(drafted)))
    if drafted.schema.column("column").feature:
        blank = sum(str(value).strip() in ("", "N/A", "?", "NULL", "-999", "9999") for value in values)
        place = [column.name for column in drafted.schema.features].index("column")
        assert int(np.isnan(customers.rows[:, place]).sum()) == blank


def test_columns_of_one_value_or_none_are_left_out_with_a_note() -> None:
    drafted = draft(text_table(country=cycle("DE"), fax=cycle(""), visits=cycle(1, 2, 3)), "left")
    assert drafted.left_out == {"country": 'always "DE"', "fax": "empty on every row"}
    assert any("country, fax" in finding.text for finding in drafted.notes)
    assert '# country: always "DE"' in yaml_of(drafted)


def test_a_category_of_many_values_keeps_those_of_several_rows() -> None:
    rng = np.random.default_rng(1)
    city = [f"City {min(int(value), 90)}" for value in rng.exponential(15, 4000)]
    table = as_table({"city": city, "left": ["yes" if value else "no" for value in rng.random(4000) < 0.3]})
    column = draft(table, "left").schema.column("city")
    repeated = {name for name, rows in Counter(city).items() if rows > 1}
    assert 60 < len(repeated) < len(set(city))
    assert (set(column.levels), column.other) == ({*repeated, "other"}, "other")
    assert not np.isnan(customers_in(table, draft(table, "left").schema).rows).any()


def test_headers_become_names_and_the_draft_reads_the_file_again() -> None:
    drafted = draft(text_table(**{"Gebühr in €": cycle(1, 2, 3), "Gebühr in $": cycle(3, 4, 6), "2nd line": cycle("a", "b")}), "left")
    assert [(column.name, column.source) for column in drafted.schema.columns] == [
        ("Gebuhr_in", "Gebühr in €"),
        ("Gebuhr_in_2", "Gebühr in $"),
        ("c_2nd_line", "2nd line"),
    ]
    assert schema_from_text(yaml_of(drafted)) == drafted.schema


@pytest.mark.parametrize(
    ("values", "header", "positive", "left"),
    [
        (("Yes", "No"), "Churn", "Yes", 0.5),
        (("true", "false"), "left", True, 0.5),
        ((1, 0, 0), "Exited", True, 1 / 3),
        (("Attrited Customer", "Existing Customer"), "Attrition_Flag", "Attrited Customer", 0.5),
        (("Churned", "Stayed", "Joined"), "Customer Status", "Churned", 1 / 2),
        (("ja", "nein"), "Kündigung", "ja", 0.5),
        (("not churned", "churned"), "status", "churned", 0.5),
    ],
)
def test_the_value_that_means_left_is_found(values: tuple[object, ...], header: str, positive: object, left: float) -> None:
    drafted = draft(text_table(**{"visits": cycle(1, 2, 3, 4, 5, 6, 7), header: cycle(*values)}), header)
    assert drafted.schema.label.positive == positive
    assert drafted.churned / drafted.known == pytest.approx(left, abs=0.01)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("yes",), 'the label has a single value, "yes" (400)'),
        (("",), "the label is empty"),
        (("x", "y"), "name the value for customers who left with --positive VALUE"),
        (tuple(range(40)), "the label has 40 different values"),
    ],
)
def test_a_label_without_two_clear_sides_is_refused(values: tuple[object, ...], said: str) -> None:
    with pytest.raises(UnreadableTable) as caught:
        draft(text_table(visits=cycle(1, 2, 3), outcome=cycle(*values)), "outcome")
    assert said in str(caught.value)


def test_the_caller_may_say_which_value_means_left() -> None:
    table = text_table(visits=cycle(1, 2, 3), outcome=cycle("x", "y", ""))
    drafted = draft(table, "outcome", positive="y")
    assert (drafted.schema.label.positive, drafted.known, drafted.churned) == ("y", 267, 133)
    with pytest.raises(UnreadableTable, match='no row has "z"'):
        draft(table, "outcome", positive="z")


def test_unknown_columns_and_too_many_are_refused() -> None:
    with pytest.raises(UnreadableTable, match=r"no column Lefd for the label; did you mean left\?"):
        draft(text_table(visits=cycle(1, 2)), "Lefd")
    with pytest.raises(UnreadableTable, match="there is no column kunde for the id"):
        draft(text_table(visits=cycle(1, 2)), "left", id_header="kunde")
    with pytest.raises(UnreadableTable, match="no column can be a feature"):
        draft(text_table(country=cycle("DE")), "left")
    wide = {f"c{place}": cycle(1, 2, place) for place in range(3, 700)}
    with pytest.raises(UnreadableTable, match="697 of its 699 columns could be used, and a schema has at most 500"):
        draft(text_table(**wide), "left")


def test_a_table_without_an_id_numbers_its_customers() -> None:
    table = text_table(visits=cycle(1, 2, 3), id=cycle(7, 8))
    drafted = draft(table, "left")
    assert drafted.schema.id.numbered
    assert customers_in(table, drafted.schema).ids[:2] == ["1", "2"]


texts = st.text(st.characters(codec="utf-8"), max_size=15)


@given(st.lists(st.lists(texts, min_size=4, max_size=4), min_size=6, max_size=30), st.lists(texts, min_size=4, max_size=4, unique=True))
def test_whatever_a_table_holds_its_draft_is_a_schema_that_reads_it(rows: list[list[str]], header: list[str]) -> None:
    columns = {f"h{name.strip()}": [row[place].strip() for row in rows] for place, name in enumerate(header)}
    columns["the label"] = ["yes" if place % 2 else "no" for place in range(len(rows))]
    table = as_table(columns)
    try:
        drafted = draft(table, "the label")
    except UnreadableTable:
        return
    again = schema_from_text(yaml_of(drafted))
    assert again == drafted.schema
    assert len(customers_in(table, again)) == len(rows)


@given(st.text(max_size=40))
def test_any_header_gives_a_valid_name_and_label(header: str) -> None:
    first = name_for(header, set())
    second = name_for(header, {first.swapcase()})
    FeatureSchema.model_validate(
        {
            "name": "x",
            "title": "X",
            "id": {"column": "the_id"},
            "label": {"column": "the_label", "positive": True},
            "horizon_days": 1,
            "columns": [{"name": name, "kind": "number", "label": label_for(header, unit_in(header))} for name in (first, second)],
        }
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public churn tables are not on this machine")
@pytest.mark.parametrize(
    ("name", "label", "identity", "features"), [("telco_ibm", "Churn", "customerID", 19), ("mlc_churn", "churn", None, 19)]
)
def test_public_tables_raise_no_warning(name: str, label: str, identity: str | None, features: int) -> None:
    with open_table(SHARED / f"{name}.csv") as opened:
        table = read_text(opened)
    drafted = draft(table, label)
    assert drafted.warnings == []
    assert (drafted.schema.id.column if identity else None) == identity
    assert len(drafted.schema.features) == features
    assert len(customers_in(table, drafted.schema)) == len(table)


def test_a_file_is_drafted_from_its_bytes_on() -> None:
    lines = [
        "\ufeffKunde;Preis;Treu;Kündigung",
        *(f"K{n};{n % 90 + 1},5;{'ja' if n % 3 else ''};{'ja' if n % 4 == 1 else 'nein'}" for n in range(800)),
    ]
    with open_table(io.BytesIO("\r\n".join(lines).encode())) as opened:
        drafted = draft(read_text(opened), "Kündigung")
    assert drafted.warnings == []
    assert [(column.name, column.kind, column.missing) for column in drafted.schema.columns] == [
        ("Preis", "number", False),
        ("Treu", "category", True),
    ]
    assert '# Always "ja" or missing (267 rows); the information is whether it is missing.' in yaml_of(drafted)
