"""Deliveries of source files: uploaded or put into the bucket, added to the sources, and accounted for."""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.engine.schema import default_schema
from retainstream.registry.active_schema import set_active_schema
from retainstream.runs import uploading
from retainstream.runs.deliveries.work import upload_key
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from tests.integration.conftest import lambda_context, load_function
from tests.integration.state_machines import run_machines
from tests.made_sources import SOURCES_SCHEMA, stored_rows

type Call = Callable[..., Any]

SOURCES = "/api/customers/sources"
DELIVERIES = f"{SOURCES}/deliveries"
DEFINITION = Path(__file__).parents[2] / "statemachines/prepare.asl.yaml"
EVENTS = b"customer_id,occurred_at,event,amount\nc1,2026-01-05T10:00:00Z,login,\nc2,2026-01-06,payment,9.99\nc1,2026-02-01,login,\n"
SUBSCRIPTIONS = b"customer_id,started_on,ended_on,monthly_price,plan\nc1,2025-06-01,,9.99,basic\nc2,2025-07-01,,9.99,premium\n"


@pytest.fixture(autouse=True)
def schema(aws: None) -> None:
    set_active_schema(Documents(), SOURCES_SCHEMA)


@pytest.fixture
def arrive(aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tells the function twice that an object has arrived, with the machine deployed, and waits for the end of all executions."""
    run_machines(monkeypatch)
    text = (
        DEFINITION.read_text()
        .replace("${PrepareFunctionArn}", "arn:aws:lambda:eu-west-1:123456789012:function:prepare")
        .replace("${MaxConcurrency}", "2")
    )
    states = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    arn = states.create_state_machine(name="test-prepare", definition=json.dumps(yaml.safe_load(text)), roleArn=role)["stateMachineArn"]
    assert arn == settings().prepare_state_machine_arn

    before: list[bool] = []

    def arrived(key: str, *, starts: bool = True) -> None:
        event = {"detail-type": "Object Created", "time": "2026-02-10T02:00:00Z", "detail": {"object": {"key": key}}}
        told = [load_function("prepare").handler(event, lambda_context("prepare"))["started"] for _ in range(2)]
        assert told[0] is starts
        before.append(starts)
        assert len(states.list_executions(stateMachineArn=arn)["executions"]) == sum(before)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and any(
            execution["status"] == "RUNNING" for execution in states.list_executions(stateMachineArn=arn)["executions"]
        ):
            time.sleep(0.02)

    return arrived


@pytest.fixture
def deliver(call: Call, arrive: Callable[..., None]) -> Callable[..., dict[str, Any]]:
    """Delivers a file by its link, and returns the view at the end."""

    def send(kind: str, content: bytes, **more: Any) -> dict[str, Any]:
        view = asked(call, kind, content, **more)
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(view["delivery_id"]), Body=content)
        arrive(upload_key(view["delivery_id"]))
        seen: dict[str, Any] = call("customers", "GET", f"{DELIVERIES}/{view['delivery_id']}", role="analyst").body["data"]
        return seen

    return send


def asked(call: Call, kind: str, content: bytes, *, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    body = {"kind": kind, "file_name": f"{kind}.csv", "size": len(content), **more}
    answer = call("customers", "POST", DELIVERIES, body, role="analyst", headers=headers)
    assert answer.status == 202, answer.body
    view: dict[str, Any] = answer.body["data"]
    assert answer.headers["Location"] == f"{DELIVERIES}/{view['delivery_id']}"
    return view


def kept(kind: str, tmp_path: Path) -> list[tuple[Any, ...]]:
    """The rows of a source as the bucket keeps them, without the columns of their deliveries."""
    of_delivery = ("key", "as_of", "delivery", "line")
    rows = [tuple(value for name, value in row.items() if name not in of_delivery) for row in stored_rows(f"sources/{kind}/", tmp_path)]
    return sorted(rows, key=repr)


def source(call: Call, kind: str) -> dict[str, Any]:
    views = call("customers", "GET", SOURCES, role="analyst").body["data"]
    return next(view for view in views if view["kind"] == kind)


def test_an_uploaded_file_is_added_and_each_row_is_accounted_for(
    call: Call, deliver: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    assert source(call, "events") == {
        "kind": "events",
        "expected": True,
        "rows": 0,
        "first": None,
        "last": None,
        "last_delivery": None,
    }
    view = deliver("events", EVENTS)
    assert (view["status"], view["upload"], view["notes"]) == ("SUCCEEDED", None, []), view
    assert [step["name"] for step in view["steps"]] == view["planned_steps"]
    assert view["counts"] == {"read": 3, "added": 3, "changed": 0, "repeated": 0, "older": 0, "removed": 0}
    assert kept("events", tmp_path) == [
        ("c1", "2026-01-05T10:00:00Z", "login", None),
        ("c1", "2026-02-01", "login", None),
        ("c2", "2026-01-06", "payment", "9.99"),
    ]
    second = deliver("events", EVENTS + b"c3,2026-02-03,login,\n")
    assert (second["counts"]["added"], second["counts"]["repeated"]) == (1, 3)
    shown = source(call, "events")
    assert (shown["rows"], shown["first"], shown["last"]) == (4, "2026-01-05", "2026-02-03")
    assert {name: shown["last_delivery"][name] for name in ("delivery_id", "rows", "added")} == {
        "delivery_id": second["delivery_id"],
        "rows": 4,
        "added": 1,
    }


def test_files_that_the_business_puts_into_the_bucket_are_deliveries(call: Call, arrive: Callable[..., None], tmp_path: Path) -> None:
    bucket = boto3.client("s3")
    for key, starts in (("subscriptions/2026/week-06.csv.gz", True), ("other/x.csv", False), ("events/", False)):
        bucket.put_object(Bucket=settings().bucket, Key=f"deliveries/arriving/{key}", Body=gzip.compress(SUBSCRIPTIONS) if starts else b"")
        arrive(f"deliveries/arriving/{key}", starts=starts)
    [view] = call("customers", "GET", DELIVERIES, role="analyst").body["data"]
    assert (view["status"], view["kind"], view["file_name"], view["started_by"]) == (
        "SUCCEEDED",
        "subscriptions",
        "week-06.csv.gz",
        "bucket",
    )
    assert view["as_of"] == "2026-02-10T02:00:00.000000+00:00"
    assert len(kept("subscriptions", tmp_path)) == 2


def test_a_second_month_adds_ends_and_an_older_file_takes_none_away(
    call: Call, deliver: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    deliver("subscriptions", SUBSCRIPTIONS, as_of="2026-01-31")
    ended = SUBSCRIPTIONS.replace(b"2025-06-01,,", b"2025-06-01,2026-02-20,")
    view = deliver("subscriptions", ended, as_of="2026-02-28")
    assert (view["counts"]["changed"], view["counts"]["repeated"]) == (1, 1)
    late = deliver("subscriptions", SUBSCRIPTIONS, as_of="2026-02-01")
    assert (late["counts"]["older"], late["counts"]["repeated"]) == (1, 1)
    assert kept("subscriptions", tmp_path)[0][:4] == ("c1", "2025-06-01", "basic", "2026-02-20")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            EVENTS.replace(b"occurred_at", b"happened_at"),
            "events.csv: column occurred_at: the file does not have this column, which the sources name as at; "
            "it has customer_id, happened_at, event, amount. "
            "Nothing was added, and the earlier deliveries are unchanged.",
        ),
        (b"\x1f\x8bno", "events.csv: the compressed file is damaged. Nothing was added, and the earlier deliveries are unchanged."),
        (b"PK\x03\x04", "events.csv: the zip archive or workbook is damaged, or ends too early. Nothing was added, and the earlier"),
    ],
    ids=["columns", "damaged", "excel"],
)
def test_a_file_that_does_not_fit_fails_in_plain_words_and_changes_nothing(
    content: bytes, reason: str, deliver: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    deliver("events", EVENTS)
    before = kept("events", tmp_path)
    view = deliver("events", content)
    assert view["status"] == "FAILED"
    assert view["reason"].startswith(reason)
    assert kept("events", tmp_path) == before


def test_a_column_that_is_new_next_month_is_noted(deliver: Callable[..., dict[str, Any]]) -> None:
    view = deliver("events", EVENTS.replace(b"amount", b"amount,device").replace(b"\n", b",tv\n").replace(b"device,tv", b"device"))
    assert view["status"] == "SUCCEEDED"
    assert view["notes"] == ["columns that the schema does not read were not kept: device"]


def test_a_source_that_the_schema_does_not_read_is_refused(deliver: Callable[..., dict[str, Any]]) -> None:
    set_active_schema(Documents(), default_schema())
    view = deliver("profile", b"customer_id,country\nc1,NO\n")
    assert (view["status"], view["reason"].startswith("The active feature schema does not read profile.")) == ("FAILED", True)


def test_a_file_of_another_size_or_packing_than_announced_is_refused(call: Call, arrive: Callable[..., None]) -> None:
    for more, words in (({"size": 7}, f"The file has {len(EVENTS)} bytes, but 7 were announced."), ({"gzip": True}, "not compressed")):
        view = asked(call, "events", EVENTS, **more)
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(view["delivery_id"]), Body=EVENTS)
        arrive(upload_key(view["delivery_id"]))
        assert words in call("customers", "GET", f"{DELIVERIES}/{view['delivery_id']}", role="analyst").body["data"]["reason"]


def test_a_removed_customer_does_not_come_back_by_an_older_file(deliver: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    Removals().begin("c1")
    view = deliver("events", EVENTS, as_of="2026-02-28")
    assert (view["counts"]["added"], view["counts"]["removed"]) == (1, 2)
    assert [row[0] for row in kept("events", tmp_path)] == ["c2"]


def test_parts_of_a_large_file_are_completed_and_the_same_key_is_the_same_delivery(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "ONE_PUT", 5 << 20)
    content = b"x" * ((5 << 20) + 1)
    first = asked(call, "events", content, headers={"idempotency-key": "k"})
    again = asked(call, "events", content, headers={"idempotency-key": "k"})
    assert (again["delivery_id"], len(again["upload"]["parts"])) == (first["delivery_id"], 2)
    assert call("customers", "POST", first["upload"]["complete"], role="analyst").status == 409
    bucket, key = boto3.client("s3"), upload_key(first["delivery_id"])
    [upload] = bucket.list_multipart_uploads(Bucket=settings().bucket)["Uploads"]
    for number, body in ((1, content[: 5 << 20]), (2, content[5 << 20 :])):
        bucket.upload_part(Bucket=settings().bucket, Key=key, UploadId=upload["UploadId"], PartNumber=number, Body=body)
    for _ in range(2):
        assert call("customers", "POST", first["upload"]["complete"], role="analyst").status == 200
    assert bucket.head_object(Bucket=settings().bucket, Key=key)["ContentLength"] == len(content)


def test_recent_deliveries_come_last_first_page_by_page(call: Call) -> None:
    ids = []
    for kind in ("profile", "events", "subscriptions"):
        ids.append(asked(call, kind, b"a,b")["delivery_id"])
        time.sleep(0.002)
    first = call("customers", "GET", DELIVERIES, role="analyst", query="limit=2")
    rest = call("customers", "GET", DELIVERIES, role="analyst", query=f"limit=2&cursor={first.body['page']['next']}")
    assert [view["delivery_id"] for view in [*first.body["data"], *rest.body["data"]]] == ids[::-1]
    assert rest.body["page"]["next"] is None


def test_deliveries_are_for_analysts_and_other_runs_are_none(call: Call) -> None:
    body = {"kind": "events", "file_name": "e.csv", "size": 3}
    for method, path in (("GET", SOURCES), ("POST", DELIVERIES), ("GET", DELIVERIES), ("GET", f"{DELIVERIES}/x")):
        assert call("customers", method, path, body if method == "POST" else None, role="viewer").status == 403
    Runs().start("training-1", "training", "ann@example.com")
    for run_id in ("training-1", "nothing"):
        assert call("customers", "GET", f"{DELIVERIES}/{run_id}", role="analyst").status == 404
    for wrong in ({"kind": "plans"}, {"size": 0}, {"file_name": "a/b"}, {"as_of": "2099-01-01"}, {"more": 1}):
        assert call("customers", "POST", DELIVERIES, {**body, **wrong}, role="analyst").status == 422
