"""Requests that AWS refuses are faults of the product or of its deployment. They are not told as outages, nor tried again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from retainstream.http.problems import RETRY_SECONDS
from retainstream.runs.failure import reason_of
from retainstream.settings import settings
from retainstream.storage.errors import RequestRefused, StorageUnavailable
from tests.faults import OF_THE_REQUEST, Call, Fault, Kind, fault_layer
from tests.integration.conftest import FUNCTIONS, lambda_context, load_function
from tests.log_lines import log_lines
from tests.small_models import put_in_service

type Send = Callable[..., Any]

MACHINES = sorted((FUNCTIONS.parent / "statemachines").glob("*.asl.yaml"))


def lasting(kind: Kind, service: str, operation: str, about: str) -> Fault:
    return Fault(kind, Call(service, operation, about), lasting=True)


@pytest.mark.parametrize("kind", OF_THE_REQUEST)
def test_a_refused_request_is_an_internal_error_sent_once(call: Send, kind: Kind) -> None:
    with log_lines() as lines, fault_layer(lasting(kind, "dynamodb", "GetItem", settings().customers_table)) as layer:
        answer = call("customers", "GET", "/api/customers/c1")
    assert (answer.status, answer.body["type"]) == (500, "urn:retainstream:problem:internal-error")
    assert "Retry-After" not in answer.headers
    assert layer.hits == 1
    [cause] = [line for line in lines() if line["level"] == "CRITICAL"]
    assert cause["cause"] in ("GetItem: AccessDeniedException", "GetItem: ValidationException")
    [request] = [line for line in lines() if line["message"] == "request"]
    assert (request["ServerErrors"], request["InternalErrors"]) == (1, 1)


def test_an_outage_is_still_an_outage(call: Send) -> None:
    with log_lines() as lines, fault_layer(lasting(Kind.THROTTLED, "dynamodb", "GetItem", settings().customers_table)) as layer:
        answer = call("customers", "GET", "/api/customers/c1")
    assert (answer.status, answer.headers["Retry-After"]) == (503, str(RETRY_SECONDS))
    assert layer.hits == 4
    [request] = [line for line in lines() if line["message"] == "request"]
    assert "InternalErrors" not in request


@pytest.mark.parametrize("kind", OF_THE_REQUEST)
@pytest.mark.parametrize(("service", "operation", "dependency"), [("dynamodb", "GetItem", "tables"), ("s3", "ListObjectsV2", "bucket")])
def test_health_names_a_refused_request(call: Send, kind: Kind, service: str, operation: str, dependency: str) -> None:
    put_in_service()
    about = settings().models_table if service == "dynamodb" else ""
    with fault_layer(lasting(kind, service, operation, about)):
        health = call("model", "GET", "/api/health/details").body["data"]
    assert (health["status"], health["dependencies"][dependency]) == ("degraded", "refused")
    assert "Trying again does not help." in health["advice"][-1]


@pytest.mark.parametrize("kind", OF_THE_REQUEST)
def test_a_task_ends_with_an_error_that_no_state_machine_repeats(aws: None, kind: Kind) -> None:
    event = {"task": "fail", "run_id": "r1", "input": {"started_by": "ann@example.com"}, "error": {"Error": "States.Timeout"}}
    with (
        fault_layer(lasting(kind, "dynamodb", "PutItem", settings().runs_table)) as layer,
        pytest.raises(RequestRefused),
    ):
        load_function("recount").handler(event, lambda_context("recount"))
    assert layer.hits == 1


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_state_machines_repeat_outages_only(path: Any) -> None:
    def retried(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for retry in value.get("Retry", []):
                yield from retry["ErrorEquals"]
            for part in value.values():
                yield from retried(part)
        elif isinstance(value, list):
            for part in value:
                yield from retried(part)

    names = set(retried(yaml.safe_load(path.read_text())))
    assert StorageUnavailable.__name__ in names
    assert not names & {RequestRefused.__name__, "States.ALL", "States.TaskFailed"}


def test_the_reason_of_a_run_names_the_permission() -> None:
    cause = json.dumps({"errorType": "RequestRefused", "errorMessage": "PutItem: AccessDeniedException"})
    reason = reason_of({"Error": "RequestRefused", "Cause": cause}, set(), work="scoring")
    assert reason.startswith("AWS refused a request of the scoring function")
    assert "again later" not in reason
