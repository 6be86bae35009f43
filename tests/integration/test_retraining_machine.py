"""The retraining state machine, executed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.awslambda.models import LambdaBackend
from moto.core.config import default_user_config

from retainstream.registry.champion import champion
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from retainstream.training.service import scoring_run_of
from retainstream.training.synthetic import as_customers, generate
from tests.integration.conftest import lambda_context, load_function

MACHINES = Path(__file__).parents[2] / "statemachines"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:retraining"


@pytest.fixture
def machine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs the state machine to its end: machine(run_id, …input) → the run's record."""
    settings.cache_clear()
    monkeypatch.setenv("TRAINING_SECONDS", "1")
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    role = "arn:aws:iam::123456789012:role/states"

    def invoke(_self: Any, _name: str, _qualifier: Any, body: Any, _headers: Any, response_headers: Any) -> bytes:
        try:
            return json.dumps(load_function("retraining").handler(json.loads(body), lambda_context("retraining"))).encode()
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}).encode()

    monkeypatch.setattr(LambdaBackend, "invoke", invoke)
    definition = yaml.safe_load((MACHINES / "retraining.asl.yaml").read_text().replace("${RetrainingFunctionArn}", FUNCTION))
    definition["States"]["Wait for scoring"]["Seconds"] = 1
    states = boto3.client("stepfunctions")
    arn = states.create_state_machine(name="test-retraining", definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    states.create_state_machine(name="test-scoring", definition=json.dumps(done), roleArn=role)

    def run(run_id: str, **given: Any) -> dict[str, Any]:
        execution = states.start_execution(stateMachineArn=arn, name=run_id, input=json.dumps(given))["executionArn"]
        deadline = time.monotonic() + 120
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING" and time.monotonic() < deadline:
            scoring = Runs().get(scoring_run_of(run_id))
            if scoring and scoring["status"] == "RUNNING":
                Runs().finish(scoring_run_of(run_id), counts={"scored": 1})
            time.sleep(0.1)
        record = Runs().get(run_id)
        assert record
        assert (told["status"], record["status"]) in {("SUCCEEDED", "SUCCEEDED"), ("FAILED", "FAILED")}, told
        return record

    yield run
    settings.cache_clear()


def test_labelled_customers_become_a_model_in_service(machine: Callable[..., dict[str, Any]]) -> None:
    Customers().put_many(as_customers(generate(1500, 1)))
    run = machine("first", started_by="schedule")
    assert run["started_by"] == "schedule"
    assert [step["name"] for step in run["steps"]] == [
        "extract", "validate", "train", "evaluate", "gate", "register", "promote", "score", "notify",
    ]  # fmt: skip
    assert {step["status"] for step in run["steps"]} == {"SUCCEEDED"}
    assert run["result"]["promoted"] is True
    pointer = champion(Models())
    assert pointer
    assert pointer.version == run["result"]["version"]
