"""Preparations: training rows of the past, lives and present features from delivered sources, by the machine on moto."""

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.registry.active_schema import set_active_schema
from retainstream.runs.deliveries.work import upload_key
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from tests.integration.conftest import lambda_context, load_function
from tests.integration.state_machines import run_machines
from tests.made_sources import SOURCES_SCHEMA, stored_rows

type Call = Callable[..., Any]
type Execute = Callable[..., str]

PREPARATIONS = "/api/customers/preparations"
DEFINITION = Path(__file__).parents[2] / "statemachines/prepare.asl.yaml"
FIRST = date.today().replace(day=1) - timedelta(days=200)  # noqa: DTZ011


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def files() -> dict[str, str]:
    """After the first to leave, c0: c1 stays, c2 leaves after 100 days, c3 comes later, from a country that the schema does not list."""
    subscriptions = [
        f"c0,{day(-30)},{day(5)},9.99,basic",
        f"c1,{day(0)},,9.99,basic",
        f"c2,{day(0)},{day(100)},19.99,premium",
        f"c3,{day(120)},,9.99,basic",
    ]
    events = [f"{customer},{day(number)}T10:00:00Z,login," for customer in ("c1", "c2", "c3") for number in range(0, 190, 3)]
    events = [
        row
        for row in events
        if not (row[:2] == "c2" and row.split(",")[1] > day(100)) and not (row[:2] == "c3" and row.split(",")[1] < day(120))
    ]
    events += [f"c1,{day(number)},payment,9.99" for number in range(0, 190, 30)] + ["c1,soon,login,", f",{day(3)},login,"]
    return {
        "profile": "customer_id,country\nc1,NO\nc2,SE\nc3,IS\n",
        "subscriptions": "\n".join(["customer_id,started_on,ended_on,monthly_price,plan", *subscriptions, ""]),
        "events": "\n".join(["customer_id,occurred_at,event,amount", *events, ""]),
    }


@pytest.fixture
def execute(aws: None, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Waits for the end of an execution of the deployed machine, which it starts where it has an input."""
    set_active_schema(Documents(), SOURCES_SCHEMA)
    run_machines(monkeypatch)
    text = DEFINITION.read_text().replace("${PrepareFunctionArn}", "arn:aws:lambda:eu-west-1:123456789012:function:prepare")
    states = boto3.client("stepfunctions")
    definition = json.dumps(yaml.safe_load(text.replace("${MaxConcurrency}", "2")))
    role = "arn:aws:iam::123456789012:role/states"
    arn = states.create_state_machine(name="test-prepare", definition=definition, roleArn=role)["stateMachineArn"]

    def run(name: str, given: dict[str, str] | None = None) -> str:
        if given:
            states.start_execution(stateMachineArn=arn, name=name, input=json.dumps(given))
        execution, deadline = arn.replace(":stateMachine:", ":execution:") + f":{name}", time.monotonic() + 120
        while (status := states.describe_execution(executionArn=execution)["status"]) == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.02)
        return status

    return run


def deliver(call: Call, execute: Execute, kind: str, content: str) -> None:
    body = {"kind": kind, "file_name": f"{kind}.csv", "size": len(content)}
    view = call("customers", "POST", "/api/customers/sources/deliveries", body, role="analyst").body["data"]
    key = upload_key(view["delivery_id"])
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=key, Body=content.encode())
    event = {"time": "2026-01-01T00:00:00Z", "detail": {"object": {"key": key}}}
    load_function("prepare").handler(event, lambda_context("prepare"))
    assert execute(view["delivery_id"]) == "SUCCEEDED"


@pytest.fixture
def delivered(call: Call, execute: Execute) -> None:
    for kind, content in files().items():
        deliver(call, execute, kind, content)


def prepare(call: Call, execute: Execute) -> dict[str, Any]:
    started = call("customers", "POST", PREPARATIONS, role="analyst")
    assert started.status == 202, started.body
    run_id = started.body["data"]["run_id"]
    assert started.headers["Location"] == f"{PREPARATIONS}/{run_id}"
    execute(run_id)
    view: dict[str, Any] = call("customers", "GET", f"{PREPARATIONS}/{run_id}", role="analyst").body["data"]
    return view


def history(tmp_path: Path) -> list[dict[str, Any]]:
    """The rows of the history, by anchor and customer."""
    return [{**row, "anchor": row["key"].split("/")[1].removeprefix("anchor=")} for row in stored_rows("history/anchor=", tmp_path)]


@pytest.mark.usefixtures("delivered")
def test_training_rows_lives_and_present_features_are_prepared(call: Call, execute: Execute, tmp_path: Path) -> None:
    view = prepare(call, execute)
    assert (view["status"], view["reason"]) == ("SUCCEEDED", None), view
    assert [step["name"] for step in view["steps"]] == view["planned_steps"]
    assert view["counts"] == {"customers": 3, "created": 3, "changed": 0, "unchanged": 0, "older": 0, "rejected": 0}
    assert view["features_on"] == day(190)
    assert sum(anchor["left"] for anchor in view["anchors"]) == 1
    texts = [finding["text"] for finding in view["findings"]]
    assert "events whose day cannot be read, not used: 1" in texts
    assert "events without a customer's id, not used: 1" in texts
    stays, leaves, new = (Customers().get(name) for name in ("c1", "c2", "c3"))
    assert stays
    assert leaves
    assert new
    assert stays["features"] == {"plan": "basic", "price": 9.99, "tenure": 190, "country": "NO", "logins": 10, "paid": 29.97}
    assert (stays["features_at"][:10], stays["life"]["began_on"], "left_on" in stays["life"]) == (day(190), day(0), False)
    assert (leaves["life"]["left_on"], "left_after" in leaves["life"]) == (day(100), False)
    assert leaves["features_at"][:10] <= day(100)
    assert new["features"]["country"] == "other"
    rows = history(tmp_path)
    assert {row["origin"] for row in rows} == {"prepared"}
    assert sorted({row["anchor"] for row in rows}) == [anchor["anchor"] for anchor in view["anchors"] if anchor["anchor"] != day(190)]
    assert [row for row in rows if row["customer_id"] == "c2" and row["anchor"] > day(100)] == []
    first = next(row for row in rows if row["customer_id"] == "c1")
    assert (first["group"], first["price"], first["f_plan"], first["f_country"]) == ("basic", 9.99, "basic", "NO")


@pytest.mark.usefixtures("delivered")
def test_a_second_preparation_doubles_nothing_and_a_second_month_moves_the_features(call: Call, execute: Execute, tmp_path: Path) -> None:
    prepare(call, execute)
    before = history(tmp_path)
    again = prepare(call, execute)
    assert (again["counts"]["created"], again["counts"]["unchanged"]) == (0, 3)
    changing = ("moment", "run_id")
    assert [{**row, **dict.fromkeys(changing)} for row in history(tmp_path)] == [{**row, **dict.fromkeys(changing)} for row in before]
    deliver(call, execute, "events", f"customer_id,occurred_at,event,amount\nc1,{day(193)},login,\n")
    deliver(call, execute, "subscriptions", f"customer_id,started_on,ended_on,monthly_price,plan\nc3,{day(120)},{day(181)},9.99,basic\n")
    later = prepare(call, execute)
    assert later["features_on"] == day(194)
    gone = Customers().get("c3")
    assert gone
    assert gone["life"]["left_on"] == day(181)


@pytest.mark.usefixtures("delivered")
def test_a_removed_customer_goes_from_the_sources_and_does_not_come_back(call: Call, execute: Execute, tmp_path: Path) -> None:
    prepare(call, execute)
    assert call("customers", "DELETE", "/api/customers/c1", role="analyst").status == 200
    view = prepare(call, execute)
    assert view["counts"]["customers"] == 2
    assert Customers().get("c1") is None
    assert {row["customer_id"] for row in history(tmp_path)} == {"c2", "c3"}
    assert [row for row in stored_rows("sources/", tmp_path) if row["id"] == "c1"] == []


def test_without_sources_a_request_is_refused_and_a_schedule_leaves_no_run(call: Call, execute: Execute) -> None:
    refused = call("customers", "POST", PREPARATIONS, role="analyst")
    assert refused.status == 409
    assert refused.body["detail"].startswith("The active feature schema reads profile, subscriptions, events, but no file was delivered.")
    assert execute("scheduled", {"work": "preparation", "started_by": "schedule"}) == "SUCCEEDED"
    assert Runs().get("scheduled") is None
    assert call("customers", "GET", f"{PREPARATIONS}/latest", role="analyst").body["data"] is None


@pytest.mark.usefixtures("delivered")
def test_the_schedule_prepares_and_one_preparation_runs_at_a_time(call: Call, execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    assert execute("scheduled", {"work": "preparation", "started_by": "schedule"}) == "SUCCEEDED"
    latest = call("customers", "GET", f"{PREPARATIONS}/latest", role="analyst").body["data"]
    assert (latest["run_id"], latest["status"], latest["started_by"]) == ("scheduled", "SUCCEEDED", "schedule")
    first = call("customers", "POST", PREPARATIONS, role="analyst").body["data"]
    second = call("customers", "POST", PREPARATIONS, role="analyst").body["data"]
    assert second["run_id"] == first["run_id"] or second["already_running"] is False
    execute(first["run_id"])
    execute(second["run_id"])


def test_sources_that_no_row_can_be_computed_from_fail_the_run_in_plain_words(call: Call, execute: Execute) -> None:
    for kind, content in files().items():
        deliver(call, execute, kind, content.splitlines()[0] + "\n")
    refused = call("customers", "POST", PREPARATIONS, role="analyst")
    assert refused.status == 409


def test_preparations_are_for_analysts(call: Call) -> None:
    for method, path in (("POST", PREPARATIONS), ("GET", f"{PREPARATIONS}/latest"), ("GET", f"{PREPARATIONS}/x")):
        assert call("customers", method, path, role="viewer").status == 403
    assert call("customers", "GET", f"{PREPARATIONS}/x", role="analyst").status == 404


def test_a_removal_before_the_delivery_keeps_the_customer_out(call: Call, execute: Execute) -> None:
    Removals().begin("c1")
    for kind, content in files().items():
        deliver(call, execute, kind, content)
    assert prepare(call, execute)["counts"]["customers"] == 2
