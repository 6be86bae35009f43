"""The retraining state machine as it is deployed, executed here."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.registry.champion import champion
from retainstream.runs.retraining.promotion import scoring_run_of
from retainstream.settings import settings
from retainstream.storage.models import Models
from retainstream.storage.runs import Run, Runs
from tests.integration.state_machines import function_arn, run_machines
from tests.past_of_customers import store_with_history

MACHINES = Path(__file__).parents[2] / "statemachines"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:retraining"
ROLE = "arn:aws:iam::123456789012:role/states"

type Machine = Callable[..., Run]


def bare_version(name: str) -> Any:
    """The record of a version with nothing but what a promotion reads."""
    return {"version": name, "run_id": name, "status": "registered"}


@contextmanager
def retraining_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Runs the state machine to its end: machine(run_id, scoring="SUCCEEDED", …input) → the run's record.

    The scoring machine is a stand-in: its run ends as `scoring` says. `beside` are runs at the same time, for whose end this one may wait.
    """
    settings.cache_clear()
    monkeypatch.setenv("TRAINING_SECONDS", "0.5")
    run_machines(monkeypatch)

    states = boto3.client("stepfunctions")
    arn = states.create_state_machine(name="test-retraining", definition=json.dumps(quick_definition()), roleArn=ROLE)["stateMachineArn"]
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    states.create_state_machine(name="test-scoring", definition=json.dumps(done), roleArn=ROLE)

    def run(run_id: str, *, scoring: str = "SUCCEEDED", started: bool = False, beside: Sequence[str] = (), **given: Any) -> Run:
        execution = arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        if not started:
            execution = states.start_execution(stateMachineArn=arn, name=run_id, input=json.dumps(given))["executionArn"]
        deadline = time.monotonic() + 180
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING" and time.monotonic() < deadline:
            for waiting in (run_id, *beside):
                end_scoring(waiting, scoring)
            time.sleep(0.1)
        record = Runs().get(run_id)
        assert record
        assert (told["status"], record["status"]) in {("SUCCEEDED", "SUCCEEDED"), ("FAILED", "FAILED")}, told
        return record

    yield run
    settings.cache_clear()


def quick_definition() -> dict[str, Any]:
    """The machine as it is deployed, with shorter waits.

    moto cannot await other services: a training job is created and then looked at, and a query of Athena's has its answer at once.
    """
    text = (MACHINES / "retraining.asl.yaml").read_text().replace("${RetrainingFunctionArn}", FUNCTION).replace("${SageMakerRoleArn}", ROLE)
    text = text.replace("${HistoryFunctionArn}", function_arn("history")).replace("${HistoryWorkgroup}", "test-history")
    definition: dict[str, Any] = yaml.safe_load(text)
    for wait in ("Wait for its end", "Wait for scoring", "Wait for the job"):
        definition["States"][wait]["Seconds"] = 1
    definition["States"]["Fit on SageMaker"] |= {
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:createTrainingJob",
        "Next": "Read the job status",
    }
    definition["States"]["Ask Athena"]["Resource"] = "arn:aws:states:::aws-sdk:athena:startQueryExecution"
    for state in definition["States"].values():
        for retry in state.get("Retry", []):
            retry["IntervalSeconds"] = 1
            retry["BackoffRate"] = 1.0
    return definition


def end_scoring(run_id: str, status: str) -> None:
    scoring = Runs().get(scoring_run_of(run_id))
    if scoring and scoring["status"] == "RUNNING":
        if status == "SUCCEEDED":
            Runs().finish(scoring["run_id"], counts={"scored": 1500})
        else:
            Runs().fail(scoring["run_id"], "It rained.")


def seed(customers: int = 1_500, number: int = 1, **options: Any) -> None:
    store_with_history(as_customers(generate(customers, number), **options))


def step_names(run: Run) -> list[str]:
    return [step["name"] for step in run["steps"]]


def in_service() -> str | None:
    pointer = champion(Models())
    return pointer.version if pointer else None
