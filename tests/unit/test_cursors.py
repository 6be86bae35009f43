"""Cursors come back as they went out, and nothing else comes back."""

import base64
from collections.abc import Iterator
from typing import Annotated

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from retainstream.http.paging import BadCursor, Cursors
from retainstream.storage.secret import Secret
from retainstream.storage.stores import Stores
from tests.conftest import account

type Position = dict[str, str | int | None]

POSITIONS = st.dictionaries(st.text(max_size=10), st.one_of(st.text(max_size=30), st.integers(), st.none()), max_size=4)


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    with account():
        stores = Stores()
        assert stores.sealing.key("cursors")
        yield stores


@pytest.fixture(scope="module")
def cursors(stores: Stores) -> Cursors[Position]:
    return Cursors(Position, stores)


@given(POSITIONS, st.text(max_size=40))
def test_a_cursor_comes_back_as_its_position(cursors: Cursors[Position], position: Position, scope: str) -> None:
    assert cursors.read(cursors.write(position, scope=scope), scope=scope) == position


def test_the_beginning_and_the_end_of_a_list_have_no_cursor(cursors: Cursors[Position]) -> None:
    assert cursors.write(None, scope="list") is None
    assert cursors.read(None, scope="list") is None


@given(POSITIONS, st.data())
def test_a_changed_cursor_is_refused(cursors: Cursors[Position], position: Position, data: st.DataObject) -> None:
    cursor = cursors.write(position, scope="list") or ""
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    changed = cursor[:at] + letter + cursor[at + 1 :]
    try:
        assert cursors.read(changed, scope="list") == position
        assert _bytes(changed) == _bytes(cursor)
    except BadCursor:
        pass


@given(st.text())
def test_a_made_up_cursor_is_refused(cursors: Cursors[Position], cursor: str) -> None:
    with pytest.raises(BadCursor):
        cursors.read(cursor, scope="list")


def test_a_cursor_of_another_list_or_stack_is_refused(cursors: Cursors[Position], stores: Stores) -> None:
    boto3.client("secretsmanager").create_secret(Name="another", SecretString="another secret")
    other = Stores()
    other.sealing = Secret("another")
    cursor = cursors.write({"after": "x"}, scope="a")
    for elsewhere, scope in ((cursors, "b"), (Cursors[Position](Position, other), "a")):
        with pytest.raises(BadCursor):
            elsewhere.read(cursor, scope=scope)


@pytest.mark.parametrize("position", ["", "x" * 9, 5, None, ["y"], {"after": "x"}])
def test_a_position_of_another_shape_is_refused(stores: Stores, position: object) -> None:
    cursor = Cursors[object](object, stores).write([position], scope="list")
    with pytest.raises(BadCursor):
        Cursors(Annotated[list[Annotated[str, Field(min_length=1, max_length=8)]], Field(max_length=1)], stores).read(cursor, scope="list")


def _bytes(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
