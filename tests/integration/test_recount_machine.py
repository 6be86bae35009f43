"""The recount state machine, asked for over HTTP and executed."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import recount
from retainstream.runs.recounts import counting
from retainstream.settings import settings
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs
from tests.integration.base_of_customers import some_base, storage_down
from tests.integration.state_machines import run_machines

type Call = Callable[..., Any]
type Settle = Callable[[str], Run]

DEFINITION = Path(__file__).parents[2] / "statemachines/recount.asl.yaml"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:recount"
RECOUNT = "/api/dashboard/recount"


@pytest.fixture
def settle(aws: None, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """The recount machine, deployed. Calling it waits until the run of that id has ended, and gives its record."""
    run_machines(monkeypatch)
    monkeypatch.setattr(counting, "ROWS_PER_SEGMENT", 20)

    states = boto3.client("stepfunctions")
    definition = json.dumps(yaml.safe_load(DEFINITION.read_text().replace("${RecountFunctionArn}", FUNCTION)))
    role = "arn:aws:iam::123456789012:role/states"
    arn = states.create_state_machine(name="test-recount", definition=definition, roleArn=role)["stateMachineArn"]
    assert arn == settings().recount_state_machine_arn

    def wait(run_id: str) -> Run:
        execution = arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        deadline = time.monotonic() + 60
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.05)
        record = Runs().get(run_id)
        assert record
        assert told["status"] == record["status"], told
        return record

    return wait


def asked(call: Call, body: Any = None, **options: Any) -> dict[str, Any]:
    answer = call("dashboard", "POST", RECOUNT, {} if body is None else body, **options)
    assert answer.status == 202, answer.body
    assert answer.headers["Location"] == f"/api/dashboard/recounts/{answer.body['data']['run_id']}"
    found: dict[str, Any] = answer.body["data"]
    return found


def shown(call: Call, run_id: str) -> dict[str, Any]:
    answer = call("dashboard", "GET", f"/api/dashboard/recounts/{run_id}", role="viewer")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body["data"]
    return found


def test_wrong_counters_are_named_then_repaired(call: Call, settle: Settle) -> None:
    rows = some_base(70, seed=3)
    right = recount(COUNT["predictions"], rows)
    stored = Rollups().counters("predictions")
    Rollups().put_if_version("predictions", stored.version, {**right, "level/low/basic": 1000, "bin/3/gone": 2})

    run = asked(call, user="bob@example.com")
    assert (run["status"], run["repair"], run["started_by"], run["exact"]) == ("RUNNING", False, "bob@example.com", None)
    settle(run["run_id"])
    found = shown(call, run["run_id"])
    assert (found["status"], found["exact"], found["reason"]) == ("SUCCEEDED", False, None)
    assert found["differences"] == [
        {"source": "predictions", "counter": "bin/3/gone", "counted": 2, "recounted": 0},
        {"source": "predictions", "counter": "level/low/basic", "counted": 1000, "recounted": right["level/low/basic"]},
    ]
    assert [(table["source"], table["outcome"], table["rows"]) for table in found["tables"]] == [
        ("customers", "exact", 0),
        ("predictions", "different", 70),
    ]

    repaired = asked(call, {"repair": True})["run_id"]
    settle(repaired)
    assert [table["outcome"] for table in shown(call, repaired)["tables"]] == ["exact", "repaired"]
    assert Rollups().counters("predictions").counters == right

    again = asked(call)["run_id"]
    settle(again)
    assert (shown(call, again)["exact"], shown(call, again)["differences"]) == (True, [])


def test_a_run_that_fails_says_why_and_leaves_the_counters(call: Call, settle: Settle) -> None:
    some_base(3)
    before = Rollups().counters("predictions").counters
    run_id = asked(call, {"repair": True})["run_id"]
    while Runs().existing(run_id)["status"] == "RUNNING":  # something arrives before every look
        stored = Rollups().counters("predictions")
        Rollups().put_if_version("predictions", stored.version, stored.counters)
        time.sleep(0.3)
    settle(run_id)
    found = shown(call, run_id)
    assert found["status"] == "FAILED"
    assert found["reason"].startswith("The predictions were written during each of 5 attempts to count them.")
    assert (found["tables"], found["differences"], found["exact"]) == (None, None, None)
    assert Rollups().counters("predictions").counters == before


def test_the_same_key_starts_the_same_recount(call: Call, settle: Settle) -> None:
    key = {"idempotency-key": "monday"}
    first = asked(call, headers=key)["run_id"]
    assert asked(call, headers=key)["run_id"] == first
    settle(first)
    bobs = asked(call, headers=key, user="bob@example.com")["run_id"]
    settle(bobs)
    assert len({first, bobs, asked(call)["run_id"]}) == 3
    assert call("dashboard", "POST", RECOUNT, {"repair": True}, headers=key).status == 409


def test_only_administrators_start_one_and_viewers_read_it(call: Call, settle: Settle) -> None:
    assert call("dashboard", "POST", RECOUNT, {}, role="analyst").status == 403
    assert call("dashboard", "POST", RECOUNT, {}, role=None).status == 401
    run_id = asked(call)["run_id"]
    assert call("dashboard", "GET", f"/api/dashboard/recounts/{run_id}", role=None).status == 401
    assert shown(call, run_id)["run_id"] == run_id


@pytest.mark.parametrize("run_id", ["nothing", "x" * 80])
def test_a_recount_that_there_is_not(call: Call, run_id: str) -> None:
    Runs().start("nothing", "scoring", "ann")
    answer = call("dashboard", "GET", f"/api/dashboard/recounts/{run_id}")
    assert (answer.status, answer.body["type"]) == (404, "urn:retainstream:problem:not-found")


@pytest.mark.parametrize("body", [{"repair": "yes"}, {"repair": 1}, {"repair": None}, {"fix": True}, [], "x"])
def test_bodies_that_make_no_sense(call: Call, body: Any) -> None:
    assert call("dashboard", "POST", RECOUNT, body).status in (400, 422)


def test_when_nothing_can_be_started_no_run_is_left_behind(call: Call, aws: None) -> None:
    answer = call("dashboard", "POST", RECOUNT, {})  # no machine is deployed
    assert (answer.status, answer.body["type"]) == (503, "urn:retainstream:problem:unavailable")
    assert not [item for item in Runs()._table.scan().items if item["kind"] not in ("current", "key")]
    with storage_down():
        assert call("dashboard", "GET", "/api/dashboard/recounts/r1").status == 503
