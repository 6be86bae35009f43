"""Writes done at once give what moto's own code gives: answers, errors and what is stored."""

from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from moto import mock_aws

from local.atomic_tables import atomic_tables
from local.fast_tables import fast_tables, keep_sorted
from local.fast_writes import fast_writes
from local.wire import quick_items

pytestmark = pytest.mark.usefixtures("as_moto_does")

VALUES: list[dict[str, Any]] = [
    *({"S": "x"}, {"S": ""}, {"N": "1"}, {"N": "2.5"}, {"BOOL": True}, {"NULL": True}),
    *({"M": {"a": {"L": [{"N": "3"}]}}}, {"SS": ["p", "q"]}),
]
KEY = {"id": {"S": "one"}}
CONDITIONS = [
    "",
    "attribute_exists(id)",
    "attribute_not_exists(id)",
    "#n = :old",
    "attribute_exists(id) AND #n = :old",
    "attribute_not_exists(#n) OR #n <> :old",
    "plain = :old",
]
UPDATES = [
    "SET #n = :new",
    "SET #n = :new, plain = :old",
    "SET #n = :new REMOVE plain",
    "REMOVE plain",
    "SET #n = if_not_exists(#n, :new)",
    "SET id = :new",
    "SET ranked = :new",
    "SET #n = :new, #n = :old",
    "SET #n.a = :new",
    "SET #n = :absent",
]

value = st.sampled_from(VALUES)
old_value = value.filter(lambda one: "NULL" not in one)  # to moto what is absent equals null; to DynamoDB it does not
given_values = {"condition": st.sampled_from(CONDITIONS), "old": old_value, "new": value}
writes = st.one_of(
    st.fixed_dictionaries({"update": st.sampled_from(UPDATES), "answer": st.booleans(), **given_values}),
    st.fixed_dictionaries({"put": st.dictionaries(st.sampled_from(["name", "plain", "ranked"]), value), **given_values}),
)


def outcome(write: dict[str, Any]) -> Any:
    """What a client is told, and what is there afterwards."""
    client = boto3.client("dynamodb")
    text = write["condition"] + write.get("update", "")
    options: dict[str, Any] = {"ConditionExpression": write["condition"]} if write["condition"] else {}
    if "#n" in text:
        options["ExpressionAttributeNames"] = {"#n": "name"}
    values = {f":{name}": write[name] for name in ("old", "new") if f":{name}" in text}
    if values:
        options["ExpressionAttributeValues"] = values
    try:
        if "put" in write:
            told: Any = client.put_item(TableName="table", Item={**KEY, **write["put"]}, **options)
        else:
            returned: Any = "ALL_NEW" if write["answer"] else "NONE"
            told = client.update_item(TableName="table", Key=KEY, UpdateExpression=write["update"], ReturnValues=returned, **options)
        answer = told.get("Attributes")
    except ClientError as error:
        answer = error.response["Error"]["Code"]
    return answer, client.scan(TableName="table")["Items"]


def outcomes(all_writes: list[dict[str, Any]], *, fast: bool) -> list[Any]:
    with ExitStack() as running:
        running.enter_context(atomic_tables(keep_sorted))
        if fast:
            for context in (fast_tables(), quick_items(), fast_writes()):
                running.enter_context(context)
        running.enter_context(mock_aws())
        boto3.client("dynamodb").create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "ranked")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-rank",
                    "KeySchema": [{"AttributeName": "ranked", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        return [outcome(write) for write in all_writes]


@given(st.lists(writes, min_size=1, max_size=6))
@examples(max_examples=12, deadline=None)
def test_writes_end_as_motos_own(all_writes: list[dict[str, Any]]) -> None:
    assert outcomes(all_writes, fast=True) == outcomes(all_writes, fast=False)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_expression_on_an_item_that_is_there(update: str, condition: str) -> None:
    first = {"put": {"name": {"S": "x"}, "plain": {"S": "x"}}, "condition": "", "old": {"S": "x"}, "new": {"N": "7"}}
    then = {"update": update, "condition": condition, "old": {"S": "x"}, "new": {"N": "7"}, "answer": True}
    assert outcomes([first, then], fast=True) == outcomes([first, then], fast=False)
