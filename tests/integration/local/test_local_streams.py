"""Streams reach their functions in order, once, and trouble is told; machines and schedules run."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.awslambda.models import LambdaBackend
from moto.dynamodb.models import dynamodb_backends

from local.isolation import ACCOUNT, REGION
from local.resources import Schedule, StreamMapping
from local.runtime import FunctionError
from local.schedule import Scheduler
from local.stack import LocalStack
from local.stream_shard import StreamShard
from local.streams import StreamFeeder

THINGS = "retainstream-Things"


def put(name: str, **attributes: Any) -> None:
    boto3.client("dynamodb").put_item(TableName=THINGS, Item={"id": {"S": name}, **attributes})


def shard() -> StreamShard:
    found: Any = dynamodb_backends[ACCOUNT][REGION].tables[THINGS].stream_shard
    return found  # type: ignore[no-any-return]


def count(name: str) -> int:
    item = boto3.client("dynamodb").get_item(TableName="retainstream-Counts", Key={"name": {"S": "things"}}).get("Item", {})
    return int(item.get(name, {"N": "0"})["N"])


class Listener:
    """Stands where the functions are, remembers what it was given and fails as it is told."""

    def __init__(self, fails: Callable[[list[str]], bool] = lambda _: False) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._fails = fails

    def invoke(self, name: str, event: dict[str, Any]) -> None:
        names = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        self.batches.append(event["Records"])
        if self._fails(names):
            raise FunctionError(name, "ValueError", "as told", [])

    @property
    def names(self) -> list[str]:
        return [record["dynamodb"]["Keys"]["id"]["S"] for batch in self.batches for record in batch]


@contextmanager
def feed(listener: Listener, reports: list[str], **options: Any) -> Iterator[StreamFeeder]:
    mapping: dict[str, Any] = {
        "name": f"listener-{time.monotonic_ns()}",
        "table": THINGS,
        "function": "listener",
        "stream_arn": "arn:things",
        "batch_size": 5,
        "retries": 2,
        "bisect": False,
        "on_failure": None,
    }
    feeder = StreamFeeder([StreamMapping(**{**mapping, **options})], listener, reports.append)  # type: ignore[arg-type]
    try:
        yield feeder
    finally:
        feeder.stop()
        del shard().readers[mapping["name"]]


@pytest.fixture(autouse=True)
def drained(echo_stack: LocalStack) -> None:
    """A stream with nothing left in it: a new reader starts with the oldest record that somebody still needs."""
    assert echo_stack.feeder.wait_until_drained(20)


@pytest.fixture
def reported() -> list[str]:
    return []


def test_writes_are_counted_shortly_after(echo_stack: LocalStack) -> None:
    assert echo_stack.feeder.wait_until_drained(10)
    before = count("things"), count("records")
    put("a")
    put("a")  # changes nothing
    put("a", v={"N": "1"})
    put("b")
    boto3.client("dynamodb").delete_item(TableName=THINGS, Key={"id": {"S": "b"}})
    boto3.client("dynamodb").delete_item(TableName=THINGS, Key={"id": {"S": "never there"}})
    assert echo_stack.feeder.wait_until_drained(10)
    assert (count("things") - before[0], count("records") - before[1]) == (1, 4)
    assert not shard().records


def test_records_look_as_in_aws(echo_stack: LocalStack, reported: list[str]) -> None:
    listener = Listener()
    with feed(listener, reported, batch_size=10) as feeder:
        feeder.start()
        client = boto3.client("dynamodb")
        change: dict[str, Any] = {
            "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": {":v": {"M": {"x": {"L": [{"N": "1"}, {"B": b"\x00"}]}}}},
        }
        client.update_item(TableName=THINGS, Key={"id": {"S": "new"}}, **change)
        client.delete_item(TableName=THINGS, Key={"id": {"S": "new"}})
        assert feeder.wait_until_drained(10)
    [made, gone] = [record for batch in listener.batches for record in batch]
    image = {"id": {"S": "new"}, "v": {"M": {"x": {"L": [{"N": "1"}, {"B": "AA=="}]}}}}
    assert (made["eventName"], gone["eventName"]) == ("INSERT", "REMOVE")
    assert made["dynamodb"]["NewImage"] == gone["dynamodb"]["OldImage"] == image
    assert made["dynamodb"]["Keys"] == {"id": {"S": "new"}}
    assert made["eventSource"] == "aws:dynamodb"
    assert made["eventSourceARN"] == "arn:things"
    assert made["eventID"] != gone["eventID"]
    assert int(gone["dynamodb"]["SequenceNumber"]) == int(made["dynamodb"]["SequenceNumber"]) + 1
    assert isinstance(made["dynamodb"]["ApproximateCreationDateTime"], float)
    json.dumps(listener.batches)


def test_order_is_kept_over_many_batches(echo_stack: LocalStack, reported: list[str]) -> None:
    listener = Listener()
    with feed(listener, reported) as feeder:
        feeder.start()
        names = [f"order-{number}" for number in range(73)]
        for name in names:
            put(name)
        assert feeder.wait_until_drained(10)
    assert listener.names == names
    assert max(len(batch) for batch in listener.batches) <= 5


def test_a_batch_that_fails_is_given_again_before_any_other(echo_stack: LocalStack, reported: list[str]) -> None:
    failures = iter([True, True, False])
    listener = Listener(lambda _: next(failures, False))
    with feed(listener, reported, retries=-1) as feeder:
        for number in range(8):
            put(f"retry-{number}", v={"N": str(time.monotonic_ns())})
        feeder.start()
        assert feeder.wait_until_drained(10)
    assert [len(batch) for batch in listener.batches] == [5, 5, 5, 3]
    assert listener.batches[0] == listener.batches[1] == listener.batches[2]
    assert len(reported) == 2
    assert not feeder.failing


def test_a_poisoned_record_is_found_by_halves_told_loudly_and_put_aside(echo_stack: LocalStack, reports: list[str]) -> None:
    assert echo_stack.feeder.wait_until_drained(10)
    before = count("records")
    with echo_stack.feeder.between_batches:
        for number in range(10):
            put(f"p-{number}", v={"N": str(time.monotonic_ns())}, **({"poison": {"BOOL": True}} if number == 6 else {}))
    assert echo_stack.feeder.wait_until_drained(20)
    assert count("records") - before == 9
    assert [text for text in reports if text.startswith("POISON BATCH")]
    sqs = boto3.client("sqs")
    [letter] = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="retainstream-Dead")["QueueUrl"])["Messages"]
    assert json.loads(letter["Body"])["DDBStreamBatchInfo"]["batchSize"] == 1
    assert not echo_stack.feeder.failing


def test_a_cancelled_transaction_leaves_no_record(echo_stack: LocalStack, reported: list[str]) -> None:
    listener = Listener()
    with feed(listener, reported) as feeder:
        client = boto3.client("dynamodb")
        impossible: Any = {"TableName": THINGS, "Key": {"id": {"S": "nobody"}}, "ConditionExpression": "attribute_exists(id)"}
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(
                TransactItems=[{"Put": {"TableName": THINGS, "Item": {"id": {"S": "undone"}}}}, {"ConditionCheck": impossible}]
            )
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(TableName=THINGS, Item={"id": {"S": "undone"}}, ConditionExpression="attribute_exists(id)")
        put("done")
        feeder.start()
        assert feeder.wait_until_drained(10)
    assert listener.names == ["done"]


def test_a_machine_calls_the_function_behind_its_alias(echo_stack: LocalStack) -> None:
    assert run_to_end(echo_stack, "retainstream-echo", '{"a": 1}') == {"given": {"a": 1}, "by": "retainstream-Echo"}


def test_a_schedule_can_be_run_now(echo_stack: LocalStack) -> None:
    [name] = echo_stack.scheduler.next_times()
    arn = echo_stack.scheduler.run_now(name)
    assert outcome(arn) == {"given": {"from": "schedule"}, "by": "retainstream-Echo"}
    with pytest.raises(KeyError):
        echo_stack.scheduler.run_now("nothing")


def test_schedules_fire_when_due_and_never_twice(echo_stack: LocalStack) -> None:
    machine = echo_stack.deployment.state_machines["retainstream-echo"]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    schedules = [
        Schedule("hourly", "rate(1 hour)", "UTC", machine, "{}", True),
        Schedule("off", "rate(1 minute)", "UTC", machine, "{}", False),
        Schedule("broken", "rate(2 hours)", "UTC", machine + "-missing", "{}", True),
    ]
    clock = [now]
    told: list[str] = []
    scheduler = Scheduler(schedules, lambda _: now, told.append, lambda: clock[0])
    fired = []
    for minutes in (0, 59, 60, 60, 61, 119, 120, 400):
        clock[0] = now + timedelta(minutes=minutes)
        fired.append(scheduler.fire_due())
    assert fired == [[], [], ["hourly"], [], [], [], ["broken", "hourly"], ["hourly", "broken"]]
    assert len(told) == 2


def test_a_schedule_calls_a_function_with_the_time_it_is_due(echo_stack: LocalStack) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    clock, told = [now], list[str]()
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    given: list[Any] = []
    schedules = [
        Schedule("daily", "cron(50 23 * * ? *)", "UTC", f"{arn}retainstream-Echo", '{"at": "<aws.scheduler.scheduled-time>"}', True),
        Schedule("broken", "rate(1 hour)", "UTC", f"{arn}retainstream-Broken", '{"at": "fault"}', True),
    ]
    scheduler = Scheduler(schedules, lambda _: now, told.append, lambda: clock[0])
    with invocations(given):
        clock[0] = now + timedelta(days=1)
        assert scheduler.fire_due() == ["broken", "daily"]
        assert scheduler.run_now("daily") == f"{arn}retainstream-Echo"
    assert given == [{"at": "fault"}, {"at": "2026-01-01T23:50:00Z"}, {"at": "2026-01-02T12:00:00Z"}]
    assert len(told) == 1
    assert "the schedule broken could not start" in told[0]


@contextmanager
def invocations(given: list[Any]) -> Iterator[None]:
    """What functions are called with through the Lambda service."""
    events = LambdaBackend.invoke

    def invoke(self: Any, name: str, qualifier: Any, body: Any, *rest: Any) -> Any:
        if "at" in json.loads(body):  # others' executions may still be under way
            given.append(json.loads(body))
        return events(self, name, qualifier, body, *rest)

    LambdaBackend.invoke = invoke  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        LambdaBackend.invoke = events  # type: ignore[method-assign]


def run_to_end(stack: LocalStack, machine: str, given: str) -> Any:
    states = boto3.client("stepfunctions")
    return outcome(
        states.start_execution(stateMachineArn=stack.deployment.state_machines[machine], name=uuid.uuid4().hex, input=given)["executionArn"]
    )


def outcome(arn: str) -> Any:
    states = boto3.client("stepfunctions")
    for _ in range(200):
        described = states.describe_execution(executionArn=arn)
        if described["status"] != "RUNNING":
            return json.loads(described["output"])
        time.sleep(0.05)
    raise AssertionError("the execution did not end")
