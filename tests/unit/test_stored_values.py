"""Plain values survive the way through DynamoDB's attribute values."""

from hypothesis import given
from hypothesis import strategies as st

from retainstream.storage.table import from_attributes, to_attributes

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
