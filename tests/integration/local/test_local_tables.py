"""The sorted orders answer exactly as moto's own code does, whatever was written before."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item

from local.atomic_tables import atomic_tables
from local.fast_tables import fast_tables, keep_sorted, segment_of
from local.wire import quick_items

pytestmark = pytest.mark.usefixtures("as_moto_does")

IDS = [f"id-{number}" for number in range(8)]
GROUPS = ["a", "b"]
RANKS = ["0", "00", "01", "1", "1é", "2", "é"]


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def create_table(*, range_key: bool = False) -> None:
    """A table with a sort key or without, and two indexes."""
    keys: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
    attributes = ["id", "grp", "rank"]
    if range_key:
        keys.append({"AttributeName": "at", "KeyType": "RANGE"})
        attributes.append("at")
    boto3.client("dynamodb").create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "N" if name == "at" else "S"} for name in attributes],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-rank",
                "KeySchema": [{"AttributeName": "grp", "KeyType": "HASH"}, {"AttributeName": "rank", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by-group",
                "KeySchema": [{"AttributeName": "grp", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["more"]},
            },
        ],
    )


@pytest.fixture
def fast() -> Iterator[None]:
    """moto with everything the local stack changes about its tables."""
    with ExitStack() as running:
        running.enter_context(atomic_tables(keep_sorted))
        running.enter_context(fast_tables())
        running.enter_context(quick_items())
        running.enter_context(mock_aws())
        yield


def item_strategy(*, range_key: bool) -> st.SearchStrategy[dict[str, Any]]:
    nested = st.fixed_dictionaries({"M": st.just({"l": {"L": [{"N": "1.50"}, {"BOOL": True}, {"NULL": True}]}})})
    fields: dict[str, st.SearchStrategy[Any]] = {"id": st.sampled_from(IDS).map(lambda value: {"S": value})}
    if range_key:
        fields["at"] = st.integers(-3, 12).map(lambda value: {"N": str(value)})
    optional = {
        "grp": st.sampled_from(GROUPS).map(lambda value: {"S": value}),
        "rank": st.sampled_from(RANKS).map(lambda value: {"S": value}),
        "more": nested,
    }
    return st.fixed_dictionaries(fields, optional=optional)


def keys_of(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("id", "at") if name in item}


def write_strategy(*, range_key: bool) -> st.SearchStrategy[tuple[str, Any]]:
    item = item_strategy(range_key=range_key)
    changed = st.tuples(item.map(keys_of), st.sampled_from(GROUPS), st.sampled_from(RANKS))
    return st.one_of(
        st.tuples(st.just("put"), item),
        st.tuples(st.just("batch"), st.lists(item, min_size=1, max_size=6, unique_by=lambda one: str(keys_of(one)))),
        st.tuples(st.just("delete"), item.map(keys_of)),
        st.tuples(st.just("update"), changed),
        st.tuples(st.just("refused"), changed),
        st.tuples(st.just("transact"), changed),
        st.tuples(st.just("cancelled"), changed),
    )


def write(client: Any, kind: str, argument: Any) -> None:
    def update(key: dict[str, Any], group: str, rank: str) -> dict[str, Any]:
        return {
            "TableName": "things",
            "Key": key,
            "UpdateExpression": "SET grp = :g, #r = :r",
            "ExpressionAttributeNames": {"#r": "rank"},
            "ExpressionAttributeValues": {":g": {"S": group}, ":r": {"S": rank}},
        }

    match kind:
        case "put":
            client.put_item(TableName="things", Item=argument)
        case "batch":
            client.batch_write_item(RequestItems={"things": [{"PutRequest": {"Item": item}} for item in argument]})
        case "delete":
            client.delete_item(TableName="things", Key=argument)
        case "update":
            client.update_item(**update(*argument))
        case "refused":
            with pytest.raises(ClientError):
                client.update_item(**update(*argument), ConditionExpression="attribute_exists(never)")
        case "transact":
            client.transact_write_items(TransactItems=[{"Update": update(*argument)}])
        case "cancelled":
            impossible = {
                "TableName": "things",
                "Key": {**argument[0], "id": {"S": "nobody"}},
                "ConditionExpression": "attribute_exists(id)",
            }
            with pytest.raises(ClientError):
                client.transact_write_items(TransactItems=[{"Update": update(*argument)}, {"ConditionCheck": impossible}])


def pages(ask: Callable[..., Any], **options: Any) -> list[tuple[Any, ...]]:
    """Every page of a read: its items, counts and the key it ends with."""
    found = []
    while True:
        answer = ask(**options)
        found.append((answer["Items"], answer["Count"], answer["ScannedCount"], answer.get("LastEvaluatedKey")))
        if "LastEvaluatedKey" not in answer:
            return found
        options["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


CONDITIONS = ["", " AND #r = :x", " AND #r < :x", " AND #r <= :x", " AND #r > :x", " AND #r >= :x", " AND begins_with(#r, :x)"]


def reads(*, range_key: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries and scans over everything the stack asks of tables."""
    for limit in ({}, {"Limit": 1}, {"Limit": 3}):
        for forward in (True, False):
            common = {"TableName": "things", "ScanIndexForward": forward, **limit}
            for group in GROUPS:
                value = {":g": {"S": group}}
                yield "query", {**common, "IndexName": "by-group", "KeyConditionExpression": "grp = :g", "ExpressionAttributeValues": value}
                for condition in CONDITIONS:
                    for rank in ("1", "é") if condition else ("1",):
                        more: dict[str, Any] = {"ExpressionAttributeNames": {"#r": "rank"}} if condition else {}
                        values = {**value, **({":x": {"S": rank}} if condition else {})}
                        yield (
                            "query",
                            {
                                **common,
                                **more,
                                "IndexName": "by-rank",
                                "KeyConditionExpression": f"grp = :g{condition}",
                                "ExpressionAttributeValues": values,
                            },
                        )
                between = {"KeyConditionExpression": "grp = :g AND #r BETWEEN :x AND :y", "ExpressionAttributeNames": {"#r": "rank"}}
                limits = {"ExpressionAttributeValues": {**value, ":x": {"S": "01"}, ":y": {"S": "2"}}}
                yield "query", {**common, "IndexName": "by-rank", **between, **limits}
            for name in IDS[:3]:
                key = {"KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": name}}}
                yield "query", {**common, **key}
                if range_key:
                    later = {"KeyConditionExpression": "id = :i AND #at >= :n", "ExpressionAttributeNames": {"#at": "at"}}
                    yield "query", {**common, **later, "ExpressionAttributeValues": {":i": {"S": name}, ":n": {"N": "4"}}}
        filtered = {"FilterExpression": "attribute_exists(grp)", "ProjectionExpression": "id, grp"}
        yield "scan", {"TableName": "things", **limit}
        yield "scan", {"TableName": "things", **limit, **filtered}
        yield "scan", {"TableName": "things", **limit, "IndexName": "by-rank"}
        for total in (1, 3, 7):
            for segment in range(total):
                yield "scan", {"TableName": "things", **limit, "Segment": segment, "TotalSegments": total}


def answers_to(client: Any, chosen: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    return [pages(getattr(client, kind), **options) for kind, options in chosen]


@pytest.mark.parametrize("range_key", [False, True])
def test_every_read_equals_motos_own_answer(range_key: bool) -> None:
    writes = st.lists(write_strategy(range_key=range_key), max_size=20)
    some_reads = st.lists(st.sampled_from(list(reads(range_key=range_key))), min_size=1, max_size=25)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(writes, some_reads, writes, some_reads)
    def compare(before: list[Any], first: list[Any], after: list[Any], second: list[Any]) -> None:
        answers = []
        for quick in (False, True):
            with ExitStack() as running:
                if quick:
                    running.enter_context(atomic_tables(keep_sorted))
                    running.enter_context(fast_tables())
                    running.enter_context(quick_items())
                running.enter_context(mock_aws())
                create_table(range_key=range_key)
                client = boto3.client("dynamodb")
                for kind, argument in before:
                    write(client, kind, argument)
                found = answers_to(client, first)
                for kind, argument in after:
                    write(client, kind, argument)
                answers.append((found, answers_to(client, first + second)))
        assert answers[0] == answers[1]

    compare()


@given(st.integers(1, 64), st.sets(st.text(min_size=1, max_size=8), max_size=60))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_segments_part_the_table(total: int, ids: set[str]) -> None:
    with ExitStack() as running:
        running.enter_context(atomic_tables(keep_sorted))
        running.enter_context(fast_tables())
        running.enter_context(mock_aws())
        create_table()
        client = boto3.client("dynamodb")
        for name in ids:
            client.put_item(TableName="things", Item={"id": {"S": name}})
        found = [
            item["id"]["S"]
            for segment in range(total)
            for items, *_ in pages(client.scan, TableName="things", Segment=segment, TotalSegments=total, Limit=5)
            for item in items
        ]
    assert sorted(found) == sorted(ids)


def test_a_scan_goes_on_where_it_was_though_the_table_changes(fast: None) -> None:
    create_table()
    client = boto3.client("dynamodb")
    for number in range(10):
        client.put_item(TableName="things", Item={"id": {"S": f"{number}"}})
    first = client.scan(TableName="things", Limit=4)
    client.delete_item(TableName="things", Key=first["LastEvaluatedKey"])
    client.put_item(TableName="things", Item={"id": {"S": "05"}})
    rest = client.scan(TableName="things", ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["id"]["S"] for item in rest["Items"]] == ["4", "5", "6", "7", "8", "9"]


def test_values_come_back_as_they_went_in(fast: None) -> None:
    create_table()
    table = boto3.resource("dynamodb").Table("things")
    item: dict[str, Any] = {
        "id": "1",
        "n": Decimal("-1.5E-7"),
        "b": b"\x00\xff",
        "bs": {b"a", b"\xff"},
        "ns": {Decimal(1), Decimal("2.5")},
        "m": {"l": [None, True, {"x": b"y"}], "": "é"},
    }
    table.put_item(Item=item)
    assert table.get_item(Key={"id": "1"})["Item"] == item
    [scanned] = table.scan()["Items"]
    assert scanned == item


@pytest.mark.parametrize(
    "value",
    [
        {"S": 1},
        {"N": 1},
        {"N": "no"},
        {"BOOL": "x"},
        {"M": {"a": 1}},
        {"M": {"a": {"S": 1}}},
        {"L": [{"X": "1"}]},
    ],
)
def test_values_that_are_none_are_refused(fast: None, value: Any) -> None:
    create_table()
    with pytest.raises((ParamValidationError, ClientError)):
        boto3.client("dynamodb").put_item(TableName="things", Item={"id": {"S": "1"}, "v": value})
    assert boto3.client("dynamodb").scan(TableName="things")["Count"] == 0


def test_moto_does_not_keep_what_is_gone(fast: None) -> None:
    create_table()
    client = boto3.client("dynamodb")
    before = len(Item.instances_tracked)  # type: ignore[attr-defined]
    for number in range(50):
        client.put_item(TableName="things", Item={"id": {"S": f"{number % 3}"}, "v": {"N": str(number)}})
    assert len(Item.instances_tracked) == before  # type: ignore[attr-defined]


def test_segments_are_those_of_moto(fast: None) -> None:
    create_table()
    client = boto3.client("dynamodb")
    for name in IDS:
        client.put_item(TableName="things", Item={"id": {"S": name}})
    table = dynamodb_backends["123456789012"]["us-east-1"].tables["things"]
    for item in table.all_items():
        for total in (1, 2, 5, 64):
            assert item.is_within_segment((segment_of(item.hash_key, total), total))


def test_a_conditional_counter_is_exact_in_many_threads(fast: None) -> None:
    create_table()
    client = boto3.client("dynamodb")

    def add(_: int) -> None:
        client.update_item(
            TableName="things",
            Key={"id": {"S": "count"}},
            UpdateExpression="ADD hits :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(200)))
    assert client.get_item(TableName="things", Key={"id": {"S": "count"}})["Item"]["hits"] == {"N": "200"}


def test_an_oversized_item_is_refused_and_changes_nothing(fast: None) -> None:
    create_table()
    client = boto3.client("dynamodb")
    with pytest.raises(ClientError):
        client.put_item(TableName="things", Item={"id": {"S": "1"}, "v": {"S": "x" * 410_000}})
    client.put_item(TableName="things", Item={"id": {"S": "1"}, "v": {"S": "x" * 300_000}})
    with pytest.raises(ClientError):
        client.update_item(
            TableName="things",
            Key={"id": {"S": "1"}},
            UpdateExpression="SET w = :w",
            ExpressionAttributeValues={":w": {"S": "x" * 300_000}},
        )
    assert set(client.get_item(TableName="things", Key={"id": {"S": "1"}})["Item"]) == {"id", "v"}
