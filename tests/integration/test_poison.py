"""Stream records that cannot be counted: they stop nothing, nothing else is lost or doubled, and they can be replayed."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import UNREADABLE, recount
from retainstream.engine.records import NewCustomer
from retainstream.runs.recounts.comparing import Limits
from retainstream.runs.recounts.counting import count_part
from retainstream.runs.recounts.steps import look_again, open_run
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.dead_letters import DeadLetters
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.stores import Stores
from retainstream.storage.table import Table
from tests.integration.base_of_customers import prediction, stream_records, watch_streams
from tests.integration.conftest import lambda_context, load_function
from tests.integration.state_left import stored_rows
from tests.made_lives import seen
from tests.mortal_tasks import first_seed

pytestmark = pytest.mark.usefixtures("aws")

type Record = dict[str, Any]

IMAGE = ("dynamodb", "NewImage")


def without(*path: str) -> Callable[[Record], None]:
    def spoil(record: Record) -> None:
        for name in path[:-1]:
            record = record[name]
        del record[path[-1]]

    return spoil


def with_value(value: Any, *path: str) -> Callable[[Record], None]:
    def spoil(record: Record) -> None:
        for name in path[:-1]:
            record = record[name]
        record[path[-1]] = value

    return spoil


POISONS = {
    "no change": without("dynamodb"),
    "no id": without("eventID"),
    "no source": without("eventSourceARN"),
    "another table": with_value("arn:aws:dynamodb:eu-west-1:123456789012:table/other/stream/1", "eventSourceARN"),
    "a source that is none": with_value("nothing", "eventSourceARN"),
    "no moment": with_value("now", "dynamodb", "ApproximateCreationDateTime"),
    "an image that is none": with_value(["x"], *IMAGE),
    "a value that is none": with_value("high", *IMAGE, "group"),
    "a value without a type": with_value({}, *IMAGE, "group"),
    "an unknown type": with_value({"X": "1"}, *IMAGE, "group"),
    "a number that is none": with_value({"N": "many"}, *IMAGE, "group"),
    "huge, and of an unknown type": with_value({"X": "1" * 400_000}, *IMAGE, "group"),
}
HARMLESS = {"an unknown event": with_value("TRUNCATE", "eventName")}


def a_customer(number: int) -> NewCustomer:
    return {"customer_id": f"c{number}", "group": "basic", "features": {"plan": "basic"}, "source": "api", "life": seen()}


def some_records() -> list[Record]:
    """What the streams tell of some customers and predictions."""
    watch_streams()
    for number in range(16):
        Customers().put(a_customer(number))
    Predictions().put_many(prediction(f"c{number}", 0.9 - number / 100) for number in range(16))
    return stream_records(settings().customers_table) + stream_records(settings().predictions_table)


def deliver(records: Sequence[Record]) -> int:
    """Delivers a batch as Lambda does, halved where it fails, and a lone record ten times. Returns how many calls that took."""
    for _ in range(1 if len(records) > 1 else 10):
        try:
            load_function("rollups").handler({"Records": list(records)}, lambda_context("rollups"))
        except Exception as error:
            if len(records) == 1:
                last: Exception = error
                continue
            half = len(records) // 2
            return 1 + deliver(records[:half]) + deliver(records[half:])
        return 1
    raise last


def letters() -> list[dict[str, Any]]:
    """Takes the dead letters out of their queue."""
    queue, found = boto3.client("sqs"), []
    while messages := queue.receive_message(QueueUrl=settings().dead_letters_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(json.loads(message["Body"]))
            queue.delete_message(QueueUrl=settings().dead_letters_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def counters() -> dict[str, Any]:
    return {source: Rollups().counters(source).counters for source in COUNT}


def recounted() -> dict[str, Any]:
    return {source: recount(count, stored_rows()[source].values()) for source, count in COUNT.items()}


def repair() -> list[str]:
    """Runs a recount that repairs: what became of each table."""
    clock = [2e9]
    stores, limits = Stores(), Limits(1, now=lambda: clock[0])
    plan = open_run(stores, limits, "repair", "test", repair=True)
    while plan["next"] != "end":
        clock[0] += plan.get("wait_seconds", 1)
        parts = [count_part(stores, "repair", part, lambda: 600.0) for part in plan["parts"]]
        plan = look_again(stores, limits, "repair", plan, parts)
    return [state["outcome"] for state in plan["sources"]]


@pytest.mark.parametrize("name", POISONS)
def test_a_record_that_cannot_be_read_is_put_aside_and_the_others_are_counted_once(name: str) -> None:
    records = some_records()
    place = random.Random(name).randrange(16)
    spoiled = copy.deepcopy(records)
    POISONS[name](spoiled[place])
    assert deliver(spoiled) <= 20
    [letter] = letters()
    assert letter["aside"]["kept"] is not name.startswith("huge")
    assert '"customer_id"' not in json.dumps(letter)
    assert "features" not in json.dumps(letter)
    expected = recounted()
    for counter in COUNT["customers"](a_customer(0)):
        expected["customers"][counter] -= 1
    assert counters() == expected
    deliver(spoiled)
    assert counters() == expected
    assert repair() == ["repaired", "exact"]
    assert counters() == recounted()
    if letter["aside"]["kept"]:
        deliver([letter["Records"][0] | {"eventSourceARN": records[0]["eventSourceARN"]}] if name == "another table" else letter["Records"])
        assert counters() == recounted()


def test_an_unknown_event_name_is_counted_by_its_images() -> None:
    records = some_records()
    for record in records:
        HARMLESS["an unknown event"](record)
    assert deliver(records) == 1
    assert counters() == recounted()
    assert letters() == []


def test_many_poisons_anywhere_in_any_batches() -> None:
    order = random.Random(first_seed(7))
    records = some_records()
    chosen = order.sample(range(16), 9)
    for place, name in zip(chosen, order.sample(sorted(set(POISONS) - {"no id"}), 9), strict=True):
        POISONS[name](records[place])
    start = 0
    while start < len(records):
        size = order.randint(1, 30)
        deliver(records[start : start + size])
        start += size
    assert len(letters()) == 9
    assert counters()["predictions"] == recounted()["predictions"]
    assert counters()["customers"] == dict.fromkeys(COUNT["customers"](a_customer(0)), 7)


def test_what_a_fault_of_the_code_put_aside_is_counted_by_the_letter_once_that_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    records = some_records()
    right = COUNT["predictions"]

    def wrong(row: Any) -> Any:
        if row["probability"] > 0.8:
            raise RuntimeError("a fault of the code")
        return right(row)

    monkeypatch.setitem(COUNT, "predictions", wrong)
    deliver(records)
    put_aside = letters()
    assert len(put_aside) == 10
    assert {letter["aside"]["error"] for letter in put_aside} == {"RuntimeError"}
    monkeypatch.setitem(COUNT, "predictions", right)
    for letter in [*put_aside, *put_aside[:4]]:
        load_function("rollups").handler(letter, lambda_context("rollups"))
    assert counters() == recounted()
    assert letters() == []


def test_what_storage_fails_at_is_never_put_aside() -> None:
    records = some_records()
    events = dynamodb().meta.events

    def away(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://aws.example")

    events.register("before-call.dynamodb.TransactWriteItems", away)
    try:
        with pytest.raises(StorageUnavailable):
            deliver(records)
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", away)
    assert letters() == []
    assert counters() == {"customers": {}, "predictions": {}}
    deliver(records)
    assert counters() == recounted()


def test_where_the_queue_does_not_answer_the_record_is_tried_again() -> None:
    records = some_records()
    POISONS["an unknown type"](records[5])
    boto3.client("sqs").delete_queue(QueueUrl=settings().dead_letters_url)
    with pytest.raises(Exception, match="SendMessage"):
        deliver(records)
    boto3.client("sqs").create_queue(QueueName=settings().dead_letters_url.rsplit("/", 1)[1])
    deliver(records)
    assert len(letters()) == 1


def test_without_a_queue_nothing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_function("rollups").stores, "dead_letters", DeadLetters(""))
    records = some_records()
    POISONS["an unknown type"](records[5])
    with pytest.raises(TypeError):
        deliver(records)


ABSURD: dict[str, dict[str, Any]] = {
    "a huge level": {"level": "x" * 300_000},
    "a level of another kind": {"level": {"SS": ["high"]}},
    "a huge group": {"group": "g" * 300_000},
    "a group of another kind": {"group": ["basic"] * 1000},
    "an absurd probability": {"probability": Decimal("1E+120")},
    "a negative probability": {"probability": -0.1},
    "a probability in words": {"probability": "high"},
    "an absurd value": {"value_at_risk": Decimal("1E+120")},
    "a contribution of many columns": {"contributions": {f"column_{number:05d}": 0.5 for number in range(8000)}},
    "a contribution of a column with a huge name": {"contributions": {"x" * 60_000: 0.5}},
    "an absurd contribution": {"contributions": {"watch_time_hours": Decimal("1E+120")}},
    "no contributions": {"contributions": None},
}


@pytest.mark.parametrize("name", ABSURD)
def test_a_row_that_somebody_wrote_by_hand_is_counted_as_unreadable_and_goes_again_when_it_is_put_right(name: str) -> None:
    records = some_records()
    deliver(records)
    before = counters()
    row = prediction("by-hand", 0.5) | ABSURD[name]
    table = Table(settings().predictions_table, ("customer_id",))
    table.put({**{key: value for key, value in row.items() if key not in ("risk_shard", "probability_rank", "value_rank")}})
    deliver(stream_records(settings().predictions_table))
    assert counters()["predictions"] == {**before["predictions"], UNREADABLE: 1}
    assert counters() == recounted()
    table.put(prediction("by-hand", 0.5))
    deliver(stream_records(settings().predictions_table))
    assert UNREADABLE not in counters()["predictions"]
    assert counters() == recounted()
    assert letters() == []
