"""What AWS delivers by itself, and again after an error: changes of tables, the day's end, a file that has arrived, tokens to look at."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from retainstream.accounts.sessions import Sessions
from retainstream.accounts.tokens import Realm
from retainstream.customers import records
from retainstream.engine.schema import default_schema
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.users import Users
from tests.aws_state import AwsState
from tests.faults import Kind
from tests.integration.faults.judging import Bench, chosen, comparable
from tests.integration.faults.routes import FEATURES
from tests.integration.faults.world import VIEWER, WAITING, miscounted, run

type Deliver = Callable[[], Any]


def judge(bench: Bench) -> int:
    """Delivers under every chosen fault, and once more after an error or a part that failed."""
    faults = chosen(bench.clean.calls)
    for fault in faults:
        answer, layer = bench.with_fault(fault)
        assert layer.hits, fault
        failed = isinstance(answer, Exception) or (isinstance(answer, dict) and answer.get("batchItemFailures"))
        if failed:
            answer = bench.again()
        assert comparable(answer) == comparable(bench.clean.answer), fault
        bench.require_after(fault)
    return len(faults)


@pytest.mark.parametrize("source", ["customers", "predictions"])
def test_changes_of_a_table_are_counted_once(business: AwsState, source: str) -> None:
    beginning = business.put_aside()
    customers, predictions = Customers(), Predictions()
    for customer_id in ("new-1", "new-2", "C-000004"):
        records.put(customer_id, FEATURES, default_schema(), customers, predictions)
    predictions.set_churned("C-000002")
    boto3.client("dynamodb").delete_item(TableName=settings().customers_table, Key={"customer_id": {"S": "C-000005"}})
    boto3.client("dynamodb").delete_item(TableName=settings().predictions_table, Key={"customer_id": {"S": "C-000005"}})
    table = {"customers": settings().customers_table, "predictions": settings().predictions_table}[source]
    changes = business.stream(table, beginning)
    assert changes
    bench = Bench(business, lambda: run("rollups", Records=changes), counted=False)
    assert bench.clean.before != bench.clean.after
    assert source not in miscounted()
    assert judge(bench) > 0
    bench.again()
    assert source not in miscounted()
    business.put_back(beginning)


@pytest.mark.parametrize(
    "deliver",
    [
        lambda: run("rollups", task="keep-day", scheduled_at="2026-11-21T23:55:00Z"),
        lambda: run("imports", detail={"object": {"key": f"imports/uploads/{WAITING}"}}),
        lambda: run("imports", detail={"object": {"key": "imports/uploads/unknown"}}),
    ],
    ids=["the end of a day", "a file that was waited for", "a file that nobody waits for"],
)
def test_an_event_has_its_effect_once(business: AwsState, deliver: Deliver) -> None:
    beginning = business.put_aside()
    bench = Bench(business, deliver, counted=False)
    bench.again()
    bench.require_after("delivered twice")
    for fault in chosen(bench.clean.calls):
        answer, layer = bench.with_fault(fault)
        assert layer.hits, fault
        if isinstance(answer, Exception):
            assert isinstance(answer, StorageUnavailable) or fault.kind is Kind.REFUSED, (fault, answer)
            bench.again()
        bench.require_after(fault)
    business.put_back(beginning)


def test_a_token_is_not_refused_for_a_fault(business: AwsState) -> None:
    """The authorizer raises: what it answered would be remembered for minutes."""
    user = Users().get(VIEWER)
    assert user
    token = Sessions(Realm(settings().token_issuer, settings().token_audience)).open(user).token
    event = {"headers": {"authorization": f"Bearer {token}"}, "requestContext": {"requestId": "r"}}
    bench = Bench(business, lambda: run("authorizer", **event), counted=False)
    assert bench.clean.answer["context"]["userId"] == VIEWER
    for fault in chosen(bench.clean.calls):
        answer, layer = bench.with_fault(fault)
        assert layer.hits, fault
        assert isinstance(answer, StorageUnavailable) or answer == bench.clean.answer, (fault, answer)
        bench.require_after(fault)
