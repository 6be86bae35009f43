"""One id, from a request through all that comes of it."""

import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest

from local.seed import ADMINISTRATOR, PASSWORD, add_administrator
from local.stack import LocalStack
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.settings import settings
from retainstream.telemetry.metrics import METRICS
from tests.importing import as_file, line
from tests.log_lines import Lines, log_lines
from tests.past_of_customers import store_with_history

IMPORT_TASKS = {"begin", "survey", "index", "compare", "begin_load", "load", "verify", "finish"}
SCORING_TASKS = {"plan", "score", "verify", "finish"}
TRAINING_TASKS = {"begin", "validate", "train", "evaluate", "gate", "register", "promote", "score", "check_scoring", "notify"}

type Told = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(parameters={"RateLimitUser": "1000000", "TrainingSeconds": "2"}) as running:
        yield running


@pytest.fixture(scope="module")
def lines(stack: LocalStack) -> Iterator[Lines]:
    for function in stack.runtime._functions:
        stack.runtime.load(function)
    with log_lines() as told:
        yield told


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Iterator[httpx.Client]:
    add_administrator()
    store_with_history(as_customers(generate(1200, 1)))
    with httpx.Client(base_url=stack.url, timeout=60) as signed_in:
        answer = signed_in.post("/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD})
        signed_in.headers["authorization"] = f"Bearer {answer.json()['data']['token']}"
        yield signed_in


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + 240
    while (run := client.get(path).json()["data"])["status"] in ("WAITING", "RUNNING") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert run["status"] == "SUCCEEDED", run
    found: dict[str, Any] = run
    return found


def given_to(machine: str, name: str) -> dict[str, Any]:
    """The input of an execution."""
    execution = machine.replace(":stateMachine:", ":execution:") + f":{name}"
    told: dict[str, Any] = json.loads(boto3.client("stepfunctions").describe_execution(executionArn=execution)["input"])
    return told


def of(lines: Lines, cause: str) -> Callable[[str], Told]:
    """The lines that an id finds, by service."""
    found = [told for told in lines() if told.get("correlation_id") == cause]
    assert all(told["request_id"] and told["timestamp"] and told["level"] == "INFO" for told in found)
    return lambda service: [told for told in found if told["service"] == service]


def tasks(told: Told) -> set[str]:
    return {line["task"] for line in told if line["message"] == "task"}


def test_a_training_is_followed_to_the_scoring_of_everybody(client: httpx.Client, lines: Lines) -> None:
    asked = client.post("/api/model/train")
    cause, run_id = asked.headers["x-request-id"], asked.json()["data"]["run_id"]
    run = ended(client, f"/api/model/training/{run_id}")
    assert run["correlation_id"] == cause
    assert given_to(settings().retraining_state_machine_arn, run_id)["correlation_id"] == cause
    scoring = run["steps"][-2]["detail"]["scoring_run"]
    assert given_to(settings().scoring_state_machine_arn, scoring)["correlation_id"] == cause
    assert ended(client, f"/api/predictions/runs/{scoring}")["correlation_id"] == cause
    found = of(lines, cause)
    assert [told["route"] for told in found("model") if told["message"] == "request"] == ["/api/model/train"]
    assert tasks(found("retraining")) == TRAINING_TASKS
    assert {told["run_id"] for told in found("retraining")} == {run_id}
    assert tasks(found("scoring")) == SCORING_TASKS
    assert {told["run_id"] for told in found("scoring")} == {scoring}
    [notified] = [told for told in found("retraining") if told["task"] == "notify"]
    assert notified["TrainedAuc"] == run["result"]["roc_auc"]
    assert notified["ModelsPromoted"] + notified["ModelsNotPromoted"] == 1
    [counted] = [told for told in found("scoring") if told["task"] == "finish"]
    assert counted["PredictionsMade"] > 0
    assert 0.5 < counted["EstimatedAuc"] < 1
    assert counted["LargestDrift"] >= 0
    assert counted["DriftedColumns"] == 0


def test_an_import_is_followed_from_the_request_for_its_upload(client: httpx.Client, lines: Lines) -> None:
    content = as_file([line(f"c{number}" if number != 7 else "") for number in range(20)])
    asked = client.post("/api/customers/imports", json={"file_name": "c.csv", "size": len(content)})
    cause, started = asked.headers["x-request-id"], asked.json()["data"]
    assert httpx.put(started["upload"]["parts"][0]["url"], content=content).is_success
    run = ended(client, f"/api/customers/imports/{started['import_id']}")
    assert run["correlation_id"] == cause
    assert given_to(settings().import_state_machine_arn, started["import_id"])["correlation_id"] == cause
    found = of(lines, cause)
    assert [told["route"] for told in found("customers") if told["message"] == "request"] == ["/api/customers/imports"]
    assert tasks(found("imports")) == IMPORT_TASKS
    assert {told["run_id"] for told in found("imports") if told["message"] == "task"} == {started["import_id"]}
    [finished] = [told for told in found("imports") if told.get("task") == "finish"]
    assert (finished["ImportRowsAccepted"], finished["ImportRowsRejected"], finished["ImportRejectedShare"]) == (19, 1, 5)
    arrived = [told for told in found("imports") if told["message"] == "the file of an import has arrived"]
    assert arrived, "the line of the upload's arrival has the id, too"


def test_a_scoring_run_is_followed_to_the_counters(stack: LocalStack, client: httpx.Client, lines: Lines) -> None:
    asked = client.post("/api/predictions/generate", json={"all": True})
    cause, run_id = asked.headers["x-request-id"], asked.json()["data"]["run_id"]
    assert ended(client, f"/api/predictions/runs/{run_id}")["correlation_id"] == cause
    assert given_to(settings().scoring_state_machine_arn, run_id)["correlation_id"] == cause
    assert tasks(of(lines, cause)("scoring")) == SCORING_TASKS
    assert stack.feeder.wait_until_drained(60)
    batches = [told for told in lines() if told["service"] == "rollups" and run_id in told.get("runs", [])]
    assert batches, "no batch of the stream names the run"
    assert all(told["correlation_id"] and told["last_event"] and told["CountersLag"] >= 0 for told in batches)
    assert sum(told["taken"]["predictions"]["changes"] for told in batches) >= 1


def test_an_execution_started_by_hand_is_its_own_cause(stack: LocalStack, client: httpx.Client, lines: Lines) -> None:
    assert client.get("/api/model/status").json()["data"]
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=settings().scoring_state_machine_arn, name="by-hand", input='{"started_by": "operations"}'
    )
    deadline = time.monotonic() + 30
    while client.get("/api/predictions/runs/by-hand").status_code == 404 and time.monotonic() < deadline:
        time.sleep(0.1)
    run = ended(client, "/api/predictions/runs/by-hand")
    assert run["correlation_id"] == "by-hand"
    assert tasks(of(lines, "by-hand")("scoring")) == SCORING_TASKS


def test_a_scheduled_run_has_the_id_of_the_schedules_event(stack: LocalStack, client: httpx.Client, lines: Lines) -> None:
    [name] = [schedule.name for schedule in stack.deployment.schedules if "keep-day" in schedule.input]
    stack.scheduler.run_now(name)
    [kept] = [told for told in lines() if told.get("task") == "keep-day"]
    assert len(kept["correlation_id"]) == 36
    assert kept["ModelAge"] >= 0
    assert kept["TimeSinceScoring"] >= 0


def test_a_problem_document_and_its_lines_have_the_same_id(client: httpx.Client, lines: Lines) -> None:
    refused = client.get("/api/customers/nobody")
    assert refused.status_code == 404
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    [told] = of(lines, refused.json()["request_id"])("customers")
    assert told["route"] == "/api/customers/<customer_id>"
    assert (told["status"], told["ClientErrors"], told["Requests"], "ServerErrors" in told) == (404, 1, 1, False)
    assert told["Latency"] == told["milliseconds"]


def test_every_line_with_metrics_is_in_cloudwatchs_form(lines: Lines) -> None:
    measured = [told for told in lines() if "_aws" in told]
    assert len(measured) > 20
    for told in measured:
        [directive] = told["_aws"]["CloudWatchMetrics"]
        [dimensions] = directive["Dimensions"]
        assert (directive["Namespace"], sorted(dimensions)) == ("RetainStream", ["service", "stack"])
        assert all(isinstance(told[name], str) and told[name] for name in dimensions)
        for metric in directive["Metrics"]:
            known = METRICS[metric["Name"]]
            assert told["service"] in known.services
            assert metric["Unit"] == known.unit.value
            assert math.isfinite(told[metric["Name"]])
        assert abs(told["_aws"]["Timestamp"] / 1000 - time.time()) < 3600


def test_every_service_tells_its_cold_start_once(lines: Lines) -> None:
    started = {(told["service"], told["request_id"]) for told in lines() if told.get("cold_start")}
    assert len(started) == len({service for service, _ in started}) > 3
