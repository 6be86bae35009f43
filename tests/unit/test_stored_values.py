"""Plain values survive the way through DynamoDB's attribute values."""

import math
from decimal import Decimal, DecimalException
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import example, given
from hypothesis import strategies as st

from retainstream.storage.attributes import from_attributes, to_attributes

NUMBERS = st.one_of(st.integers(-(10**15), 10**15), st.floats(-1e15, 1e15).filter(lambda x: x == 0 or abs(x) > 1e-100))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=6))
def test_an_item_comes_back_equal(item: dict[str, object]) -> None:
    assert from_attributes(to_attributes(item)) == item


def test_whole_numbers_come_back_as_integers() -> None:
    assert [type(value) for value in from_attributes(to_attributes({"a": 3, "b": 3.5})).values()] == [int, float]


def as_boto3_has_it(value: Any) -> Any:
    """The same value as boto3's own serialiser takes it."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: as_boto3_has_it(inner) for name, inner in value.items()}
    return [as_boto3_has_it(inner) for inner in value] if isinstance(value, list) else value


def same_numbers(attribute: Any) -> Any:
    """An attribute with its numbers as decimals: 1e+16 and 1E+16 are the same."""
    if isinstance(attribute, dict):
        return {
            name: Decimal(inner) if name == "N" and isinstance(inner, str) else same_numbers(inner) for name, inner in attribute.items()
        }
    return [same_numbers(inner) for inner in attribute] if isinstance(attribute, list) else attribute


@example({"N": b"", "S": 1.5, "M": {"N": 2}})
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.one_of(VALUES, st.binary(max_size=5)), max_size=6))
def test_an_item_is_written_as_boto3_would(item: dict[str, Any]) -> None:
    theirs = {name: TypeSerializer().serialize(as_boto3_has_it(value)) for name, value in item.items()}
    assert same_numbers(to_attributes(item)) == same_numbers(theirs)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 10**38 + 1, object()])
def test_what_dynamodb_cannot_keep_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, DecimalException)):
        to_attributes({"value": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [("-12", -12), ("0", 0), ("1E+2", 100), ("1.5E-7", 1.5e-7), ("-0.25", -0.25), ("12345678901234567890123", 12345678901234567890123)],
)
def test_numbers_are_read_as_dynamodb_writes_them(text: str, value: float) -> None:
    read = from_attributes({"value": {"N": text}})["value"]
    assert read == value
    assert type(read) is type(value)
