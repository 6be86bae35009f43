"""Batches: everything asked for is written and read, whatever DynamoDB leaves undone, and no faster than is allowed."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from retainstream.settings import settings
from retainstream.storage import table as tables
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.pace import Pace
from retainstream.storage.table import Table

type Asked = dict[str, Any]


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


@contextmanager
def answers(answer: Callable[[Asked], dict[str, Any] | None], operation: str) -> Iterator[None]:
    """Requests of one operation are answered over HTTP by a function of what they ask; None lets the request through."""

    def send(request: Any, **_: object) -> AWSResponse | None:
        told = answer(json.loads(request.body))
        raw: Any = _Raw(json.dumps(told).encode())
        return None if told is None else AWSResponse(request.url, 200, HTTPHeaders(), raw)

    events: Any = dynamodb().meta.events
    events.register_first(f"before-send.dynamodb.{operation}", send)
    try:
        yield
    finally:
        events.unregister(f"before-send.dynamodb.{operation}", send)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def customer(number: int) -> Any:
    return {"customer_id": f"c{number:04d}", "group": "basic", "features": {"watch_time_hours": number / 8}, "source": "test"}


@pytest.mark.usefixtures("tidy_answers")
def test_what_is_left_unprocessed_is_sent_again_until_nothing_is_left(aws: None, pauses: list[float]) -> None:
    sent: Counter[str] = Counter()

    def leave_one(asked: Asked) -> dict[str, Any] | None:
        [(name, writes)] = asked["RequestItems"].items()
        ids = [write["PutRequest"]["Item"]["customer_id"]["S"] for write in writes]
        first = all(sent[one] == 0 for one in ids)
        sent.update(ids)
        return {"UnprocessedItems": {name: writes[:3]}} if first else None

    with answers(leave_one, "BatchWriteItem"):
        assert Customers().put_many(customer(number) for number in range(70)) == 70
    assert Counter(sent.values()) == {1: 61, 2: 9}
    assert len(pauses) == 3
    assert len(Customers().get_many(sent)) == 70


@pytest.mark.usefixtures("tidy_answers")
def test_keys_left_unread_are_asked_for_again(aws: None, pauses: list[float]) -> None:
    Customers().put_many(customer(number) for number in range(250))
    asked_first: set[str] = set()

    def leave_some(asked: Asked) -> dict[str, Any] | None:
        [(name, keys)] = asked["RequestItems"].items()
        first = keys["Keys"][0]["customer_id"]["S"]
        if len(keys["Keys"]) > 10 and first not in asked_first:
            asked_first.add(first)
            return {"Responses": {name: []}, "UnprocessedKeys": {name: keys}}
        return None

    with answers(leave_some, "BatchGetItem"):
        found = Customers().get_many(f"c{number:04d}" for number in range(260))
    assert found.keys() == {f"c{number:04d}" for number in range(250)}
    assert len(asked_first) == 3


def test_a_batch_that_is_never_done_ends_as_unavailable_after_growing_random_pauses(aws: None, pauses: list[float]) -> None:
    with answers(lambda asked: {"UnprocessedItems": asked["RequestItems"]}, "BatchWriteItem"), pytest.raises(StorageUnavailable):
        Customers().put_many([customer(1)])
    most = [min(5.0, 0.05 * 2**attempt) for attempt in range(len(pauses))]
    assert len(pauses) == tables._BATCH_ATTEMPTS - 1
    assert all(0 <= pause <= bound for pause, bound in zip(pauses, most, strict=True))
    assert len(set(pauses)) == len(pauses)


def test_a_failing_batch_among_many_is_told_and_the_rest_is_not_begun_for_ever(aws: None, pauses: list[float]) -> None:
    taken: list[int] = []

    def rows() -> Iterator[Any]:
        for number in range(100_000):
            taken.append(number)
            yield customer(number)

    with answers(lambda asked: {"UnprocessedItems": asked["RequestItems"]}, "BatchWriteItem"), pytest.raises(StorageUnavailable):
        Customers().put_many(rows())
    assert len(taken) < 1000


def test_a_block_is_whole_whatever_the_pages(aws: None) -> None:
    table = Table(settings().customers_table, ("customer_id",))
    table.put_many({**customer(number), "filler": "x" * 20_000} for number in range(130))
    first = table.scan_block(100)
    rest = table.scan_block(100, start=first.next_key)
    assert (len(first.items), len(rest.items), rest.next_key) == (100, 30, None)
    assert {one["customer_id"] for one in [*first.items, *rest.items]} == {f"c{number:04d}" for number in range(130)}
    assert len(table.scan().items) < 100


def test_a_pace_makes_up_no_time_and_lets_nobody_through_faster(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + sum(pauses))
    pace = Pace(100)
    for _ in range(50):
        pace.wait(25)
    assert sum(pauses) == pytest.approx(50 * 25 / 100 - 1 - 0.25)
    Pace().wait(10**9)
    assert 10**6 not in pauses
