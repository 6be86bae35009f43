"""Schema documents in YAML and JSON: what they may say, and what is said about wrong ones."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.schema import (
    Column,
    FeatureSchema,
    Id,
    Label,
    UnreadableSchema,
    checked_features,
    default_schema,
    read_schema,
    schema_from_text,
)

EXAMPLES = Path(__file__).parents[2] / "examples/schemas"
STREAMING = (EXAMPLES / "streaming.yaml").read_text()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_schemas(path: Path) -> None:
    assert read_schema(path).name == path.stem


def test_json_is_read_without_a_yaml_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert schema_from_text(default_schema().model_dump_json(exclude_defaults=True)) == default_schema()


def test_yes_no_and_numbers_in_lists_are_text() -> None:
    column = schema_from_text(STREAMING.replace("[basic, standard, premium]", "[Yes, no, 1]")).column("plan")
    assert column.levels == ("Yes", "no", "1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("kind: category", "kind: categry"), ["line 11: column plan, kind: should be 'number', 'integer'"]),
        (("    label: Devices\n", ""), ["line 35: column device_count, label: is required"]),
        (("group: plan", "group: plan\ngroup: tier"), ["line 7: group occurs twice"]),
        (("name: tenure_months", "name: tenure months"), ["column tenure months, name: must be a letter, then letters, digits and _"]),
        (("{title: Send", "{titel: Send"), ["action, title: is required", "action, titel: is not a field of a schema"]),
        (("    min: 0\n", "    min: zero\n"), ["column watch_time_hours, min: should be a valid number"]),
        (("group: plan", "group: [plan"), ["not valid YAML"]),
        (("group: plan", "group: tier"), ["the group column tier must be a category among the columns"]),
        (("currency: USD", "currency: dollars"), ["money, currency: must be a currency code such as USD"]),
    ],
)
def test_a_fault_is_told_with_its_line_and_column(change: tuple[str, str], said: list[str]) -> None:
    with pytest.raises(UnreadableSchema) as caught:
        schema_from_text(STREAMING.replace(*change, 1), source="mine.yaml")
    message = str(caught.value)
    assert message.startswith("mine.yaml: ")
    assert all(part in message for part in said)


@pytest.mark.parametrize("text", ["", "- 1", "just words", "{}", "[]", '{"name": 3}', "a: &x [*x]", "\x00"])
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(UnreadableSchema):
        schema_from_text(text)


@given(st.text(max_size=200))
def test_any_text_is_a_schema_or_refused(text: str) -> None:
    with pytest.raises(UnreadableSchema):
        schema_from_text(text)


def test_a_missing_file_and_a_file_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSchema, match="no such file"):
        read_schema(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableSchema, match="UTF-8"):
        read_schema(binary)
    with pytest.raises(UnreadableSchema):
        read_schema(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "category", "levels": ("a",), "other": "b"},
        {"kind": "number", "format": "%Y"},
        {"kind": "date", "feature": False, "decimal": ","},
        {"kind": "number", "missing_values": ("-1",)},
        {"kind": "category", "levels": ("a", "?"), "missing": True, "missing_values": ("?",)},
        {"kind": "boolean", "phrases": {"yes": "does"}},
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="column c: "):
        Column(name="c", label="C", **fields)


def small(*columns: Column) -> FeatureSchema:
    return FeatureSchema(
        name="small", title="Small", id=Id(column="id"), label=Label(column="left", positive=True), horizon_days=30, columns=columns
    )


def test_sentinels_are_missing_and_unlisted_levels_become_other() -> None:
    schema = small(
        Column(name="age", kind="integer", label="Age", min=0, missing=True, missing_values=("-999",)),
        Column(name="city", kind="category", label="City", levels=("Bonn", "elsewhere"), other="elsewhere"),
    )
    assert checked_features(schema, {"age": -999.0, "city": "Rome"}) == ({"city": "elsewhere"}, [])
    _, errors = checked_features(schema, {"age": -998, "city": "Bonn"})
    assert [error.field for error in errors] == ["age"]


def test_a_value_is_worded_by_its_own_phrase_first() -> None:
    column = Column(name="c", kind="category", label="C", levels=("a", "b"), phrase="has {value}", phrases={"b": "has none"})
    assert (column.phrase_for("a"), column.phrase_for("b")) == ("has {value}", "has none")
    flag = Column(name="f", kind="boolean", label="F", phrases={"true": "does"})
    assert (flag.phrase_for(True), flag.phrase_for(False)) == ("does", "")


def test_one_header_cannot_fill_two_columns() -> None:
    first, second = (Column(name=name, source="Price", kind="number", label="P") for name in ("a", "b"))
    with pytest.raises(ValueError, match="headers read by two columns: Price"):
        small(first, second)
