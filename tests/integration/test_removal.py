"""A customer who is removed is gone at once, and nothing that was read or written before brings them back."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from retainstream.customers.removal import EXPIRES_IN_DAYS
from retainstream.runs.exports import steps as export_run
from retainstream.runs.exports.view import file_key
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from retainstream.storage.customers import Customers
from retainstream.storage.errors import NotStored
from retainstream.storage.predictions import Predictions
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.importing import as_file, imported, line
from tests.integration.base_of_customers import prediction, some_base, store_predictions
from tests.integration.conftest import lambda_context, load_function
from tests.small_models import put_in_service
from tests.stored import stored_items, stored_keys

type Call = Callable[..., Any]

BEFORE, AFTER = "2026-01-01", None
EXPORT = {"run_id": "e1", "started_by": "ann", "filters": {}, "predictions": 2}


@pytest.fixture
def remove(call: Call) -> Callable[[str], Any]:
    """DELETE of a customer, by an analyst."""

    def send(customer_id: str) -> Any:
        answer = call("customers", "DELETE", f"/api/customers/{customer_id}", role="analyst")
        assert answer.status == 200, answer.body
        return answer.body["data"]

    return send


def versions(prefix: str = "") -> list[bytes]:
    """The bytes of every version of every object below a prefix."""
    bucket = settings().bucket
    found = s3().list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", [])
    return [s3().get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read() for one in found]


def export_task(task: str, **given: Any) -> Any:
    event = {"task": task, "run_id": "e1", "input": EXPORT, **given}
    return load_function("exports").handler(json.loads(json.dumps(event)), lambda_context("exports"))


def test_the_answer_says_what_was_removed_and_what_expires_when(call: Call, remove: Callable[[str], Any]) -> None:
    imported(as_file([line("c1")]))
    store_predictions([prediction("c1", 0.9)])
    told = remove("c1")
    assert told["removed"] == {"customer": True, "prediction": True, "exports": 0}
    assert {one["what"]: one["within_days"] for one in told["expiring"]} == EXPIRES_IN_DAYS
    assert call("customers", "GET", "/api/customers/c1").status == 404
    again = remove("c1")
    assert again["removed"] == {"customer": False, "prediction": False, "exports": 0}
    assert again["removed_at"] > told["removed_at"]


def test_nobody_finds_out_by_trying_who_was_removed(remove: Callable[[str], Any]) -> None:
    remove("c1")
    stored = str(stored_items(settings().removed_customers_table))
    for name in hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}:
        assert hashlib.new(name, b"c1").hexdigest()[:32] not in stored, name
    for size in range(8, 65):
        assert hashlib.blake2b(b"c1", digest_size=size).hexdigest() not in stored


def test_a_mark_from_before_marks_were_keyed_still_counts(remove: Callable[[str], Any]) -> None:
    imported(as_file([line("c2")]))
    removed_at = remove("c2")["removed_at"]  # a removal, after which marks are looked up
    mark = hashlib.blake2b(b"c1", digest_size=16).hexdigest()
    dynamodb().put_item(TableName=settings().removed_customers_table, Item={"mark": {"S": mark}, "removed_at": {"S": removed_at}})
    counts = imported(as_file([line("c1"), line("c3")]), as_of=BEFORE).counts
    assert (counts.created, counts.older) == (1, 1)
    assert Customers().get("c1") is None


def test_only_those_who_may_change_customers_may_remove_one(call: Call) -> None:
    imported(as_file([line("c1")]))
    assert call("customers", "DELETE", "/api/customers/c1", role="viewer").status == 403
    assert Customers().get("c1")


def test_a_file_that_describes_an_earlier_moment_brings_nobody_back(remove: Callable[[str], Any]) -> None:
    imported(as_file([line("c1"), line("c2")]))
    remove("c1")
    counts = imported(as_file([line("c1"), line("c2"), line("c3")]), as_of=BEFORE).counts
    assert (counts.accepted, counts.created, counts.older + counts.unchanged) == (3, 1, 2)
    assert Customers().get("c1") is None
    assert imported(as_file([line("c1")]), as_of=AFTER).counts.created == 1


@pytest.mark.parametrize("put_again", [False, True])
def test_who_is_removed_while_an_import_writes_the_row_stays_removed(remove: Callable[[str], Any], *, put_again: bool, call: Call) -> None:
    removed: list[Any] = []

    def meanwhile(params: Any, **_: Any) -> None:
        if not removed and settings().customers_table in str(params["body"]):
            removed.append(None)  # the row is on its way, and the mark comes before it
            Removals().begin("c1")

    events = dynamodb().meta.events
    events.register("before-call.dynamodb.PutItem", meanwhile)
    try:
        counts = imported(as_file([line("c1")])).counts
    finally:
        events.unregister("before-call.dynamodb.PutItem", meanwhile)
    assert removed
    assert (counts.accepted, counts.created, counts.older) == (1, 0, 1)
    assert Customers().get("c1") is None
    if put_again:
        assert call("customers", "PUT", "/api/customers/c1", {"features": FEATURES_NOW}).status == 200
        assert imported(as_file([line("c1")]), as_of=BEFORE).counts.older == 1
        assert Customers().get("c1")


FEATURES_NOW = prediction("c1", 0.5)["features"]


def test_every_file_of_predictions_goes_with_a_customer(call: Call, remove: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    s3().put_bucket_versioning(Bucket=settings().bucket, VersioningConfiguration={"Status": "Enabled"})
    put_in_service()
    store_predictions(some_base(20, seed=3))
    store_predictions([prediction("c1", 0.9)])
    assert call("predictions", "GET", "/api/predictions/results", query="format=csv", role="analyst").body["data"]["rows"] == 21
    progress = export_task("begin")
    while not progress["done"]:
        progress = export_task("write", progress=progress["progress"])
    export_task("finish", progress=progress["progress"])
    assert any(b"c1," in found for found in versions("exports/"))
    assert remove("c1")["removed"]["exports"] > 1
    assert versions("exports/") == []
    found = call("predictions", "GET", "/api/predictions/exports/e1", role="analyst").body["data"]
    assert (found["url"], found["reason"]) == (None, "The file is no longer kept. Ask for it again.")


def test_a_file_made_at_once_while_somebody_is_removed_is_made_again(call: Call, remove: Callable[[str], Any]) -> None:
    put_in_service()
    store_predictions([prediction("c1", 0.9), prediction("c2", 0.8)])
    removed: list[Any] = []

    def meanwhile(**_: Any) -> None:
        if not removed:
            removed.append(None)
            removed.append(remove("c1"))

    events = s3().meta.events
    events.register("before-call.s3.PutObject", meanwhile)
    try:
        told = call("predictions", "GET", "/api/predictions/results", query="format=csv", role="analyst").body["data"]
    finally:
        events.unregister("before-call.s3.PutObject", meanwhile)
    assert told["rows"] == 1
    [key] = stored_keys(settings().bucket, "exports/")
    assert b"c1" not in boto3.client("s3").get_object(Bucket=settings().bucket, Key=key)["Body"].read()


@pytest.mark.parametrize("at", ["write", "finish"])
def test_a_file_in_the_making_is_given_up_when_somebody_is_removed(at: str, remove: Callable[[str], Any], aws: None) -> None:
    store_predictions([prediction("c1", 0.9), prediction("c2", 0.8)])
    progress = export_task("begin")
    if at == "finish":
        progress = export_task("write", progress=progress["progress"])
    remove("c1")
    with pytest.raises(export_run.IncompleteExport, match="was removed"):
        export_task(at, progress=progress["progress"])
    assert export_task("fail", error={"Error": "IncompleteExport", "Cause": json.dumps({"errorMessage": "removed"})})
    assert Runs().existing("e1")["status"] == "FAILED"
    assert versions("exports/") == []


def test_a_file_that_is_done_in_the_moment_of_a_removal_is_given_up(remove: Callable[[str], Any]) -> None:
    store_predictions([prediction("c1", 0.9), prediction("c2", 0.8)])
    progress = export_task("begin")
    progress = export_task("write", progress=progress["progress"])
    Predictions().delete("c1")
    Removals().done()
    with pytest.raises(export_run.IncompleteExport, match="was removed"):
        export_task("finish", progress=progress["progress"])
    with pytest.raises(NotStored):
        Stores().documents.get_bytes(file_key("e1"))
