"""The dashboard's counters equal a recount, however the streams bring what changed."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from retainstream.dashboard.consume import COUNT, take_in
from retainstream.dashboard.fold import READ, UNREADABLE, bin_of, recount
from retainstream.engine.model.levels import RISK_LEVELS
from retainstream.storage.changes import Change, changes_by_table
from retainstream.storage.clients import dynamodb
from retainstream.storage.rollups import Rollups, Source
from retainstream.storage.table import Table, to_attributes
from tests.counted_lives import a_life
from tests.examples import examples
from tests.made_lives import outcome, seen
from tests.stored import stored_items

type Row = dict[str, Any]

GROUPS = ("basic", "premium", "a/b # odd")
SOURCES: tuple[Source, ...] = ("customers", "predictions")


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    with mock_aws():
        yield


def new_rollups() -> Rollups:
    name = f"rollups-{uuid.uuid4().hex}"
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
    )
    return Rollups(Table(name, ("pk", "sk")))


millionths = st.integers(0, 1_000_000).map(lambda number: number / 1_000_000)
log_odds = st.integers(-3_000_000, 3_000_000).map(lambda number: number / 1_000_000)

predictions = st.fixed_dictionaries(
    {
        "group": st.sampled_from(GROUPS),
        "level": st.sampled_from(RISK_LEVELS),
        "probability": millionths,
        "base_probability": millionths,
        "margin": log_odds,
        "base_margin": log_odds,
        "value_at_risk": st.integers(0, 10**7).map(lambda cents: cents / 100),
        "contributions": st.fixed_dictionaries({"watch_time_hours": log_odds, "plan": log_odds}),
        "churned": st.sampled_from([False, False, True]),
    }
)
customers = st.fixed_dictionaries(
    {
        "group": st.sampled_from(GROUPS),
        "features": st.fixed_dictionaries({"device_count": st.integers(0, 20)}),
        "life": st.one_of(a_life(), st.sampled_from([seen(), outcome(True), outcome(False)])),
    },
    optional={
        "earlier_lives": st.lists(a_life(), max_size=2),
        "outcome_prediction": st.fixed_dictionaries(
            {"probability": millionths, "level": st.sampled_from(RISK_LEVELS)}
        ),  # of earlier releases
    },
)
ROWS: dict[Source, st.SearchStrategy[Row]] = {"customers": customers, "predictions": predictions}


def writes_of(source: Source) -> st.SearchStrategy[list[tuple[str, Row | None]]]:
    """Rows put (or, for None, deleted) under few ids, so that many overwrite one another."""
    ids = st.sampled_from([f"c{number}" for number in range(6)])
    return st.lists(st.tuples(ids, st.one_of(st.none(), ROWS[source], ROWS[source])), min_size=1, max_size=30)


def streamed(writes: list[tuple[str, Row | None]], seconds: list[int]) -> tuple[dict[str, Row], list[Any]]:
    """What a table holds after the writes, and its stream's records as a function receives them."""
    table: dict[str, Row] = {}
    records: list[Any] = []
    for number, (customer_id, row) in enumerate(writes):
        old = table.pop(customer_id, None)
        if row is not None:
            table[customer_id] = {"customer_id": customer_id, **row}
        if old is None and row is None:
            continue
        images = {"OldImage": old, "NewImage": table.get(customer_id)}
        records.append(
            {
                "eventID": uuid.uuid4().hex,
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/rows/stream/2026-11-21T00:00:00.000",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_800_000_000.0 + seconds[number % len(seconds)],
                    "Keys": to_attributes({"customer_id": customer_id}),
                    "SequenceNumber": str(1000 + number),
                    **{name: to_attributes(image) for name, image in images.items() if image is not None},
                },
            }
        )
    return table, records


def deliver(source: Source, records: list[Any], rollups: Rollups) -> None:
    for changes in changes_by_table(records, READ).values():
        take_in(source, changes, rollups)


def expected(source: Source, table: dict[str, Row]) -> dict[str, int]:
    return recount(COUNT[source], table.values())


class Crash(Exception):
    """The process ends here."""


@contextmanager
def hooked(moment: str, hook: Callable[..., None]) -> Iterator[None]:
    """Calls `hook` before or after ("before-call", "after-call") every call to DynamoDB."""
    events = dynamodb().meta.events
    events.register(f"{moment}.dynamodb", hook)
    try:
        yield
    finally:
        events.unregister(f"{moment}.dynamodb", hook)


@contextmanager
def crashing(moment: str, after: int) -> Iterator[None]:
    """Ends the process at the call with this number, before it leaves or just after it was carried out."""
    left = after

    def count_down(**_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash

    with hooked(moment, count_down):
        yield


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=examples(80), deadline=None)
@given(data=st.data())
def test_counters_equal_a_recount_however_changes_are_delivered(source: Source, data: st.DataObject) -> None:
    table, records = streamed(data.draw(writes_of(source)), data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=5)))
    rollups = new_rollups()
    order = random.Random(data.draw(st.integers(0, 2**32)))
    deliveries = records * data.draw(st.integers(1, 3))
    order.shuffle(deliveries)
    while deliveries:
        size = order.randint(1, len(deliveries))
        batch, deliveries = deliveries[:size], deliveries[size:]
        deliver(source, batch, rollups)
        if order.random() < 0.3:
            deliver(source, batch[order.randint(0, size - 1) :], rollups)
    assert rollups.counters(source).counters == expected(source, table)


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=examples(80), deadline=None)
@given(data=st.data())
def test_a_crash_between_any_two_calls_loses_and_doubles_nothing(source: Source, data: st.DataObject) -> None:
    table, records = streamed(data.draw(writes_of(source)), data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=5)))
    rollups = new_rollups()
    order = random.Random(data.draw(st.integers(0, 2**32)))
    position = 0
    while position < len(records):
        size = order.randint(1, 8)
        batch = records[position : position + size]
        try:
            with crashing(order.choice(["before-call", "after-call"]), order.randint(0, 6)):
                deliver(source, batch, rollups)
        except Crash:
            position -= min(position, order.choice([0, 0, 1, 3]))
        else:
            position += size
    assert rollups.counters(source).counters == expected(source, table)


@pytest.mark.usefixtures("account")
@settings(max_examples=examples(40), deadline=None)
@given(writes=writes_of("predictions"), cut=st.tuples(st.integers(0, 30), st.integers(0, 30)), moment=st.integers(0, 8))
def test_two_invocations_with_the_same_changes_at_the_same_moment_count_them_once(
    writes: list[tuple[str, Row | None]], cut: tuple[int, int], moment: int
) -> None:
    table, records = streamed(writes, [0, 1])
    rollups = new_rollups()
    meanwhile = [records[cut[0] :], records[: cut[1]]]

    calls = 0

    def another_invocation(**_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > moment and meanwhile:
            deliver("predictions", meanwhile.pop(), rollups)

    with hooked("before-call", another_invocation):
        deliver("predictions", records, rollups)
    assert rollups.counters("predictions").counters == expected("predictions", table)


@pytest.mark.usefixtures("account")
def test_a_batch_of_many_seconds_is_taken_in_whole() -> None:
    row = {"group": "basic", "life": {"left_on": "2026-01-31"}}
    table, records = streamed([(f"c{number}", row) for number in range(230)], list(range(230)))
    rollups = new_rollups()
    deliver("customers", records, rollups)
    deliver("customers", records[100:], rollups)
    assert rollups.counters("customers").counters == expected("customers", table) == {"customers/churned/basic": 230}


@pytest.mark.usefixtures("account")
def test_changes_that_change_no_number_are_not_written() -> None:
    customer = {"group": "basic", "features": {"device_count": 1}, "life": seen()}
    _, records = streamed([("c1", customer), ("c1", {**customer, "features": {"device_count": 2}})], [0])
    rollups = new_rollups()
    deliver("customers", records[:1], rollups)
    version = rollups.counters("customers").version
    deliver("customers", records[1:], rollups)
    assert rollups.counters("customers").version == version


@pytest.mark.usefixtures("account")
def test_a_row_that_cannot_be_read_is_counted_as_such_and_stops_nothing() -> None:
    good = {"group": "basic", "life": {"stayed_on": "2026-01-31"}}
    _, records = streamed([("c1", {"features": {}}), ("c2", good)], [0])
    rollups = new_rollups()
    deliver("customers", records, rollups)
    assert rollups.counters("customers").counters == {UNREADABLE: 1, "customers/stayed/basic": 1}


@pytest.mark.usefixtures("account")
def test_marks_are_kept_longer_than_a_stream_keeps_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_900_000_000
    monkeypatch.setattr("retainstream.storage.rollups.time.time", lambda: now)
    rollups = new_rollups()
    take_in("customers", [Change("e1", now - 3600, None, {"group": "basic"})], rollups)
    found = stored_items(rollups._table.name)
    assert [int(item["expires_at"]["N"]) - now for item in found if "expires_at" in item] == [26 * 3600]


@pytest.mark.parametrize(
    ("probability", "position"), [(0, 0), (0.049999, 0), (0.05, 1), (0.1, 2), (0.15, 3), (0.3, 6), (0.55, 11), (0.95, 19), (1, 19)]
)
def test_a_bin_begins_with_its_lower_bound(probability: float, position: int) -> None:
    assert bin_of(probability) == position
