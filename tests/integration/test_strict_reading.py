"""The stricter reading of requests itself: each thing that AWS refuses and moto lets pass, planted."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.strict.disturb import whole_answers
from tests.strict.elsewhere import faults_of_state
from tests.strict.hook import expected_violations, violations
from tests.strict.values import ITEM_BYTES, faults_of_value, item_size

TABLE = "strict"
LONG = "x" * 2049


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Any]]:
    with mock_aws():
        made: dict[str, Any] = {name: boto3.client(name) for name in ("dynamodb", "s3", "sns", "stepfunctions", "lambda", "kms")}
        made["dynamodb"].create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "risk", "place")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-rank",
                    "KeySchema": [{"AttributeName": "risk", "KeyType": "HASH"}, {"AttributeName": "place", "KeyType": "RANGE"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        made["s3"].create_bucket(Bucket=TABLE, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        made["dynamodb"].put_item(TableName=TABLE, Item=item("there"))
        yield made


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": name}}


def item(name: str, **more: Any) -> dict[str, Any]:
    return {**key(name), **more}


def put(**more: Any) -> tuple[str, dict[str, Any]]:
    return "put_item", {"Item": item("a", **more)}


def update(
    expression: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None, **more: Any
) -> tuple[str, dict[str, Any]]:
    given = {"ExpressionAttributeValues": values, "ExpressionAttributeNames": names}
    return "update_item", {
        "Key": key("there"),
        "UpdateExpression": expression,
        **{name: value for name, value in given.items() if value is not None},
        **more,
    }


def query(condition: str, values: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return "query", {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, **more}


def batch_write(writes: list[Any]) -> tuple[str, dict[str, Any]]:
    return "batch_write_item", {"RequestItems": {TABLE: writes}}


def batch_get(keys: list[Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return "batch_get_item", {"RequestItems": {TABLE: {"Keys": keys, **more}}}


def transaction(*items: Any) -> tuple[str, dict[str, Any]]:
    return "transact_write_items", {"TransactItems": list(items)}


def written(name: str, **more: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": item(name, **more)}}


def put_of(name: str) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": item(name)}}


P, ONE, NAMED = {":p": {"S": "p"}}, {":one": {"N": "1"}}, {"#v": "v"}
BAD = {
    "an expiry that never comes": put(expires_at={"N": "0"}),
    "an expiry in milliseconds": put(expires_at={"N": "1795251600000"}),
    "an expiry as text": put(expires_at={"S": "2026-11-21"}),
    "an update to an expiry that never comes": update("SET expires_at = :one", ONE),
    "26 writes in a batch": batch_write([written(str(number)) for number in range(26)]),
    "an item twice in a batch of writes": batch_write([written("a"), {"DeleteRequest": {"Key": key("a")}}]),
    "an item too large in a batch": batch_write([written("a", v={"S": "x" * ITEM_BYTES})]),
    "101 reads in a batch": batch_get([key(str(number)) for number in range(101)]),
    "a key twice in a batch of reads": batch_get([key("a"), key("a")]),
    "half a key in a batch": batch_get([{"pk": {"S": "p"}}]),
    "a reserved word in a batch's projection": batch_get([key("a")], ProjectionExpression="status"),
    "39 digits": put(v={"N": "1" * 39}),
    "39 digits after the point": put(v={"N": "0." + "1" * 39}),
    "too large a number": put(v={"N": "1e126"}),
    "too small a number": put(v={"N": "1e-131"}),
    "not a number": put(v={"N": "NaN"}),
    "infinity": put(v={"N": "Infinity"}),
    "a number within a map within a list": put(v={"L": [{"M": {"deep": {"N": "-Infinity"}}}]}),
    "an empty set": put(v={"SS": []}),
    "a set with a value twice": put(v={"NS": ["1", "1.0"]}),
    "two types at once": put(v={"S": "a", "N": "1"}),
    "too deep": put(v=json.loads('{"L":[' * 33 + '{"L":[]}' + "]}" * 33)),
    "400 kB": put(v={"S": "x" * ITEM_BYTES}),
    "an empty key": ("put_item", {"Item": {"pk": {"S": ""}, "sk": {"S": "a"}}}),
    "a key of the wrong type": ("put_item", {"Item": {"pk": {"N": "1"}, "sk": {"S": "a"}}}),
    "a key that is missing": ("put_item", {"Item": {"pk": {"S": "p"}}}),
    "a partition key too long": ("get_item", {"Key": {"pk": {"S": LONG}, "sk": {"S": "a"}}}),
    "a sort key too long": ("get_item", {"Key": key("x" * 1025)}),
    "a key with more than the key": ("get_item", {"Key": item("a", more={"S": "x"})}),
    "an index key that is null": put(risk={"NULL": True}, place={"S": "1"}),
    "an index key that is empty": put(risk={"S": ""}, place={"S": "1"}),
    "an index key of the wrong type": put(risk={"S": "s"}, place={"N": "1"}),
    "an index key too long": put(risk={"S": "s"}, place={"S": "x" * 1025}),
    "an update that makes an index key null": update("SET risk = :none", {":none": {"NULL": True}}),
    "an update that makes a sort key a number": update("SET #v = :one", ONE, {"#v": "place"}),
    "an update of the key": update("SET sk = :p", P),
    "a reserved word in an update": update("SET status = :one", ONE),
    "a reserved word in a condition": update("SET #v = :one", ONE, NAMED, ConditionExpression="attribute_exists(source)"),
    "a reserved word in small letters in a filter": query("pk = :p", {**P, **ONE}, FilterExpression="counter > :one"),
    "a value that is not used": update("SET #v = :one", {**ONE, **P}, NAMED),
    "a name that is not used": update("SET #v = :one", ONE, {**NAMED, "#w": "w"}),
    "a value that is not given": update("SET #v = :two", ONE, NAMED),
    "a name that is not given": update("SET #w = :one", ONE, NAMED),
    "names without an expression": ("get_item", {"Key": key("a"), "ExpressionAttributeNames": NAMED}),
    "no values at all": update("REMOVE #v", {}, NAMED),
    "an empty expression": update("REMOVE #v", None, NAMED, ConditionExpression=" "),
    "an expression of more than 4 kB": update("SET #v = :one", ONE, NAMED, ConditionExpression="v = :one OR " * 400 + "v = :one"),
    "IN with 101 operands": update(
        "REMOVE #v",
        {f":v{n}": {"N": str(n)} for n in range(101)},
        NAMED,
        ConditionExpression=f"#v IN ({', '.join(f':v{n}' for n in range(101))})",
    ),
    "a filter on the key": query("pk = :p", P, FilterExpression="sk > :p"),
    "a condition on what is no key": query("pk = :p AND other = :p", P),
    "a condition without the partition": query("sk = :p", P),
    "a range of partitions": query("pk > :p", P),
    "OR in a key condition": query("pk = :p OR sk = :p", P),
    "a key condition with a number": query("pk = :one", ONE),
    "a key condition with nothing": query("pk = :e", {":e": {"S": ""}}),
    "a consistent read of an index": query("risk = :p", P, IndexName="by-rank", ConsistentRead=True),
    "what an index does not have": query("risk = :p", P, IndexName="by-rank", ProjectionExpression="other"),
    "an index that is not there": query("risk = :p", P, IndexName="by-name"),
    "half a start key": query("pk = :p", P, ExclusiveStartKey={"pk": {"S": "p"}}),
    "a start key without the index's": query("risk = :p", P, IndexName="by-rank", ExclusiveStartKey=key("a")),
    "a segment too far": ("scan", {"Segment": 2, "TotalSegments": 2}),
    "101 items in a transaction": transaction(*(put_of(str(number)) for number in range(101))),
    "an item twice in a transaction": transaction(put_of("a"), {"Delete": {"TableName": TABLE, "Key": key("a")}}),
    "a reserved word in a transaction": transaction(
        {"Update": {"TableName": TABLE, "Key": key("a"), "UpdateExpression": "SET role = :one", "ExpressionAttributeValues": ONE}}
    ),
}


@pytest.mark.parametrize("asked", BAD.values(), ids=BAD)
def test_dynamodb_refuses(clients: dict[str, Any], asked: tuple[str, dict[str, Any]]) -> None:
    operation, given = asked
    table = {} if operation in ("batch_write_item", "batch_get_item", "transact_write_items") else {"TableName": TABLE}
    with expected_violations() as found, pytest.raises(ClientError, match="ValidationException"):
        getattr(clients["dynamodb"], operation)(**table, **given)
    assert found


GOOD = {
    "25 writes": batch_write([written(f"many{number}") for number in range(25)]),
    "38 digits": put(v={"N": "-0.00" + "1" * 38 + "000"}),
    "the largest number": put(v={"N": "9.9e125"}),
    "nothing in what is no key": put(v={"S": ""}, w={"L": []}),
    "a sparse index's key that is absent": put(place={"S": "1"}),
    "a reserved word by another name": update("SET #v.#w = :one", {":one": {"N": "1"}}, {"#v": "status", "#w": "value"}),
    "functions": update(
        "SET #v = if_not_exists(#v, :one) + :one", ONE, NAMED, ConditionExpression="attribute_exists(sk) AND size(sk) > :one"
    ),
    "a place within": query("pk = :p", {**P, **ONE}, FilterExpression="things.mine[0] = :one"),
    "a range of sort keys": query("pk = :p AND sk BETWEEN :p AND :q", {**P, ":q": {"S": "q"}}),
    "a page of an index": query("risk = :p", P, IndexName="by-rank", ProjectionExpression="pk, sk"),
}


@pytest.mark.parametrize("asked", GOOD.values(), ids=GOOD)
def test_what_dynamodb_takes_is_not_refused(clients: dict[str, Any], asked: tuple[str, dict[str, Any]]) -> None:
    operation, given = asked
    table = {} if operation == "batch_write_item" else {"TableName": TABLE}
    with suppress(ClientError):  # of moto's: not everything asked for is there
        getattr(clients["dynamodb"], operation)(**table, **given)
    assert violations == []


NAME, ARN = "a" * 32, "arn:aws:states:eu-west-1:123456789012:stateMachine:any"
ELSEWHERE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "an object's key too long": ("s3", lambda s3: s3.put_object(Bucket=TABLE, Key="é" * 513, Body=b"")),
    "an object's key with a line break": ("s3", lambda s3: s3.put_object(Bucket=TABLE, Key="a\nb", Body=b"")),
    "an object's key upwards": ("s3", lambda s3: s3.get_object(Bucket=TABLE, Key="models/../users")),
    "an object's key with nothing between": ("s3", lambda s3: s3.get_object(Bucket=TABLE, Key="models//x")),
    "too much metadata": ("s3", lambda s3: s3.put_object(Bucket=TABLE, Key="a", Body=b"", Metadata={"m": "x" * 2048})),
    "part 10,001": ("s3", lambda s3: s3.upload_part(Bucket=TABLE, Key="a", UploadId="u", PartNumber=10_001, Body=b"")),
    "parts out of order": (
        "s3",
        lambda s3: s3.complete_multipart_upload(
            Bucket=TABLE, Key="a", UploadId="u", MultipartUpload={"Parts": [{"PartNumber": n, "ETag": "e"} for n in (2, 1)]}
        ),
    ),
    "1001 objects to delete": (
        "s3",
        lambda s3: s3.delete_objects(Bucket=TABLE, Delete={"Objects": [{"Key": str(number)} for number in range(1001)]}),
    ),
    "a subject of 101 characters": ("sns", lambda sns: sns.publish(TopicArn="t", Subject="x" * 101, Message="m")),
    "a subject that is not ASCII": ("sns", lambda sns: sns.publish(TopicArn="t", Subject="Modèle", Message="m")),
    "a subject on two lines": ("sns", lambda sns: sns.publish(TopicArn="t", Subject="a\nb", Message="m")),
    "a message of 256 kB": ("sns", lambda sns: sns.publish(TopicArn="t", Message="x" * (256 * 1024 + 1))),
    "an input of 256 kB": (
        "stepfunctions",
        lambda states: states.start_execution(stateMachineArn=ARN, name=NAME, input=json.dumps({"x": "é" * 140_000}, ensure_ascii=False)),
    ),
    "an execution's name of 81 letters": ("stepfunctions", lambda states: states.start_execution(stateMachineArn=ARN, name="a" * 81)),
    "an execution's name with a colon": ("stepfunctions", lambda states: states.start_execution(stateMachineArn=ARN, name="a:b")),
    "an event of 6 MB": ("lambda", lambda functions: functions.invoke(FunctionName="f", Payload=b'"' + b"x" * (6 << 20) + b'"')),
    "an event of 256 kB that nobody waits for": (
        "lambda",
        lambda functions: functions.invoke(FunctionName="f", InvocationType="Event", Payload=b'"' + b"x" * (256 << 10) + b'"'),
    ),
    "a message too long to sign": ("kms", lambda kms: kms.sign(KeyId="k", Message=b"x" * 4097, SigningAlgorithm="ECDSA_SHA_256")),
}


@pytest.mark.parametrize("asked", ELSEWHERE.values(), ids=ELSEWHERE)
def test_others_refuse(clients: dict[str, Any], asked: tuple[str, Callable[[Any], Any]]) -> None:
    service, send = asked
    with expected_violations() as found, pytest.raises(ClientError):
        send(clients[service])
    assert found


def test_what_states_hand_on_is_bounded() -> None:
    assert list(faults_of_state('"' + "é" * 131_072 + '"'))
    assert not list(faults_of_state('"' + "e" * 200_000 + '"'))


def test_half_a_character_is_no_string() -> None:
    assert list(faults_of_value({"S": "\ud800"}))


def test_an_item_is_as_large_as_dynamodb_says() -> None:
    assert item_size({"a": {"S": "é"}, "bc": {"BOOL": True}, "n": {"N": "-12.50"}}) == 3 + 3 + 1 + 4
    assert item_size({"l": {"L": [{"S": "x"}]}, "m": {"M": {"k": {"NULL": True}}}}) == (1 + 3 + 1 + 1) + (1 + 3 + 1 + 1 + 1)


def test_pages_and_batches_are_cut_short(clients: dict[str, Any]) -> None:
    dynamodb, count = clients["dynamodb"], 40
    for start in range(0, count, 20):
        left: Any = {
            TABLE: [{"PutRequest": {"Item": {"pk": {"S": "pages"}, "sk": {"S": f"{number:02}"}}}} for number in range(start, start + 20)]
        }
        while left:
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]
    kinds, found = set(), []
    for _ in range(12):
        pages: list[int] = []
        after: dict[str, Any] = {}
        while True:
            answer = dynamodb.query(TableName=TABLE, **query("pk = :p", {":p": {"S": "pages"}})[1], **after)
            pages.append(len(answer["Items"]))
            found += [one["sk"]["S"] for one in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            after = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        assert sorted(found) == [f"{number:02}" for number in range(count)]
        found.clear()
        kinds |= set(pages)
    assert {0, 7, count} <= kinds
    wanted = [{"pk": {"S": "pages"}, "sk": {"S": f"{number:02}"}} for number in range(count)]
    answers = [dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": wanted}}) for _ in range(6)]
    assert {len(answer["Responses"][TABLE]) for answer in answers} == {20, 40}
    for answer in answers:
        left = answer["UnprocessedKeys"].get(TABLE, {"Keys": []})["Keys"]
        assert len(answer["Responses"][TABLE]) + len(left) == count
    with whole_answers():
        assert len(dynamodb.scan(TableName=TABLE)["Items"]) >= count
