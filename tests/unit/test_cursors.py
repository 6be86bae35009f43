"""Cursors come back as they went out, and nothing else comes back."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.http.paging import BadCursor, decode_cursor, encode_cursor

POSITIONS = st.dictionaries(st.text(max_size=10), st.one_of(st.text(max_size=30), st.integers(), st.none()), max_size=4)


@given(POSITIONS, st.text(max_size=40), st.text(max_size=40))
def test_a_cursor_comes_back_as_its_position(position: dict[str, Any], scope: str, key: str) -> None:
    assert decode_cursor(encode_cursor(position, scope=scope, key=key), scope=scope, key=key) == position


@given(POSITIONS, st.data())
def test_a_changed_cursor_is_refused(position: dict[str, Any], data: st.DataObject) -> None:
    cursor = encode_cursor(position, scope="list", key="key")
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    changed = cursor[:at] + letter + cursor[at + 1 :]
    try:
        assert decode_cursor(changed, scope="list", key="key") == position
        assert _bytes(changed) == _bytes(cursor)
    except BadCursor:
        pass


@given(st.text())
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(cursor, scope="list", key="key")


def test_a_cursor_of_another_list_or_stack_is_refused() -> None:
    cursor = encode_cursor({"after": "x"}, scope="a", key="k")
    for scope, key in (("b", "k"), ("a", "l")):
        with pytest.raises(BadCursor):
            decode_cursor(cursor, scope=scope, key=key)


def _bytes(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
