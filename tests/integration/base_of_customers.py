"""Customers with predictions, written as the product writes them, and the streams that tell of it."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import recount
from retainstream.engine.model.levels import bounds_of_threshold, level_of, ranks
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from tests.integration.conftest import lambda_context, load_function
from tests.small_models import THRESHOLD, some_features

type Row = dict[str, Any]

FEATURES = some_features(1)[0] | {"plan": "standard", "watch_time_hours": 12.5, "device_count": 2}


def prediction(customer_id: str, probability: float, *, churned: bool = False, **changes: Any) -> Any:
    """A stored prediction with this probability; `changes` are to its features."""
    features = {**FEATURES, **changes}
    price = features["monthly_price"]
    low, high = max(0.0, round(probability - 0.03, 6)), min(1.0, round(probability + 0.03, 6))
    row: Row = {
        "customer_id": customer_id,
        "group": features["plan"],
        "probability": probability,
        "base_probability": 0.2,
        "margin": 0.5,
        "base_margin": -0.5,
        "level": level_of(probability, bounds_of_threshold(THRESHOLD)),
        "interval": {"low": low, "high": high},
        "confidence": round(1 - (high - low), 6),
        "churned": churned,
        "price": price,
        "value_at_risk": round(probability * price * 12, 2),
        "features": features,
        "contributions": {"payment_failures": 0.75, "watch_time_hours": 0.25},
        "reasons": [
            {"feature": "payment_failures", "label": "Failed payments", "value": 3, "text": "x", "contribution": 0.75, "points": 12.0}
        ],
        "action": None,
        "model_version": "m1",
        "run_id": "r1",
        "scored_at": "2026-11-01T00:00:00.000+00:00",
        "history": [],
    }
    if not churned and row["level"] != "low":
        row |= ranks(customer_id, row["group"], probability, row["value_at_risk"])
    return row


def without_interval(row: Row) -> Row:
    """The prediction as earlier releases stored it: without an interval, and with the probability of the likelier outcome as confidence."""
    return {name: value for name, value in row.items() if name != "interval"} | {
        "confidence": max(row["probability"], 1 - row["probability"])
    }


def store_predictions(rows: Iterable[Any]) -> None:
    Predictions().put_many(rows)


def fields_at_fault(answer: Any) -> list[str]:
    """The fields a problem document names."""
    return [error["field"] for error in answer.body["errors"]]


def problem_kind(answer: Any) -> str:
    """The end of a problem document's type."""
    return str(answer.body["type"]).rsplit(":", 1)[1]


def customer_ids(answer: Any) -> list[str]:
    """The customers of a list, in its order."""
    return [row["customer_id"] for row in answer.body["data"]]


def some_base(count: int, seed: int = 0) -> list[Row]:
    """Predictions of many customers, few probabilities among them, stored and counted."""
    order = random.Random(seed)
    rows = [
        prediction(
            f"c{number:04d}",
            order.choice([0.05, 0.2, 0.25, 0.45, 0.45, 0.71, 0.9, 1.0]),
            churned=order.random() < 0.1,
            plan=order.choice(["basic", "standard", "premium"]),
            monthly_price=order.choice([7.99, 12.99]),
            payment_failures=order.randint(0, 4),
        )
        for number in range(count)
    ]
    store_predictions(rows)
    Rollups().put_if_version("predictions", 0, recount(COUNT["predictions"], rows))
    return rows


def at_risk(rows: list[Row], rank: str = "probability_rank") -> list[str]:
    """The ids of those the index holds, highest rank first."""
    return [row["customer_id"] for row in sorted((row for row in rows if rank in row), key=lambda row: row[rank], reverse=True)]


def watch_streams() -> None:
    """Turns on the streams of customers and predictions."""
    for table in (settings().customers_table, settings().predictions_table):
        boto3.client("dynamodb").update_table(
            TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )


def stream_records(table: str) -> list[Row]:
    """All records of a table's stream, as Lambda would deliver them."""
    streams = boto3.client("dynamodbstreams", config=Config(account_id_endpoint_mode="disabled"))  # moto knows no endpoint of an account
    arn = streams.list_streams(TableName=table)["Streams"][0]["StreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records: list[Row] = []
    while True:
        answer = streams.get_records(ShardIterator=place)
        if not answer["Records"]:
            return records
        for record in answer["Records"]:
            told: dict[str, Any] = dict(record["dynamodb"])
            told["ApproximateCreationDateTime"] = told["ApproximateCreationDateTime"].timestamp()
            records.append({**record, "dynamodb": told, "eventSourceARN": arn})
        place = answer["NextShardIterator"]


def replay_streams(order: random.Random) -> None:
    """Delivers every change at least once, in batches of any size and in any order."""
    for table in (settings().customers_table, settings().predictions_table):
        records = stream_records(table)
        deliveries = [*records, *order.sample(records, len(records) // 3)]
        order.shuffle(deliveries)
        while deliveries:
            size = order.randint(1, 60)
            batch, deliveries = deliveries[:size], deliveries[size:]
            load_function("rollups").handler({"Records": batch}, lambda_context("rollups"))


@contextmanager
def _seen(see: Callable[[str], None]) -> Iterator[None]:
    """Tells `see` the name of every request to DynamoDB and S3 but the counting of requests."""

    def hook(model: Any, params: Mapping[str, Any], **_: object) -> None:
        if settings().rate_limits_table not in str(params.get("body")):
            see(model.name)

    clients: list[Any] = [dynamodb(), s3()]
    for client in clients:
        client.meta.events.register("before-call", hook)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", hook)


@contextmanager
def storage_requests() -> Iterator[list[str]]:
    """The names of the requests to DynamoDB and S3 while the context lasts."""
    names: list[str] = []
    with _seen(names.append):
        yield names


@contextmanager
def storage_down() -> Iterator[None]:
    """No table and no bucket can be reached while the context lasts."""

    def fail(_name: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://aws.example")

    with _seen(fail):
        yield
