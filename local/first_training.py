"""The runs of a first start: the training, and others that a past needs; and the counters after them."""

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from rich.progress import Progress

from local.stack import LocalStack
from retainstream.storage.runs import Run, Runs

_COUNTERS_SECONDS = 300.0
_FILE_SECONDS = 600.0
_PAUSE_SECONDS = 0.1

type Tell = Callable[[str], None]
"""Is called with the name of a run's step."""


class TrainingError(Exception):
    """A run failed; the message says why."""


def train(progress: Progress) -> dict[str, Any]:
    """Run the retraining state machine, wait for its end, and return the result of the run.

    Raises:
        TrainingError
    """
    task = progress.add_task("Training a model and scoring all customers", total=None)

    def tell(step: str) -> None:
        progress.update(task, description=f"Training a model and scoring all customers: {step}")

    machine = os.environ["RETRAINING_STATE_MACHINE_ARN"]
    run = run_to_its_end(machine, uuid.uuid4().hex, {"started_by": "first start"}, tell, what="The first training")
    progress.remove_task(task)
    result: dict[str, Any] = run["result"]
    return result


def run_to_its_end(machine_arn: str, run_id: str, asked: Mapping[str, object], tell: Tell, *, what: str) -> Run:
    """Start an execution, wait for its end, and return the record of its run. `what` names it in a message.

    Raises:
        TrainingError
    """
    states = boto3.client("stepfunctions")
    started = states.start_execution(stateMachineArn=machine_arn, name=run_id, input=json.dumps(asked))
    while (status := states.describe_execution(executionArn=started["executionArn"])["status"]) == "RUNNING":
        _tell_step(Runs().get(run_id), tell)
        time.sleep(_PAUSE_SECONDS)
    return _succeeded(Runs().get(run_id), succeeded=status == "SUCCEEDED", what=what)


def wait_for_file(run_id: str, tell: Tell, *, what: str) -> Run:
    """Wait for the end of a run that the arrival of its file starts, and return its record.

    Raises:
        TrainingError
    """
    deadline = time.monotonic() + _FILE_SECONDS
    while (run := Runs().get(run_id)) and run["status"] in ("WAITING", "RUNNING") and time.monotonic() < deadline:
        _tell_step(run, tell)
        time.sleep(_PAUSE_SECONDS)
    return _succeeded(run, succeeded=run is not None and run["status"] == "SUCCEEDED", what=what)


def wait_for_counters(stack: LocalStack, progress: Progress | None = None) -> None:
    """Wait until the dashboard's counters include everything that was stored.

    Raises:
        TrainingError
    """
    task = progress.add_task("Updating the dashboard's counters", total=None) if progress else None
    if not stack.feeder.wait_until_drained(_COUNTERS_SECONDS):
        failing = ", ".join(stack.feeder.failing) or "nothing"
        raise TrainingError(f"The dashboard's counters did not catch up; failing: {failing}.")
    if progress and task is not None:
        progress.remove_task(task)


def _tell_step(run: Run | None, tell: Tell) -> None:
    if run and (step := run.get("step")):
        tell(step)


def _succeeded(run: Run | None, *, succeeded: bool, what: str) -> Run:
    if not succeeded or not run or "result" not in run:
        reason = (run and run.get("reason")) or "the run records no reason; see functions.log in the data folder"
        raise TrainingError(f"{what} did not succeed: {reason}")
    return run
