"""The first training of a stack, and the counters after it."""

import json
import os
import time
import uuid
from typing import Any

import boto3
from rich.progress import Progress

from local.stack import LocalStack
from retainstream.storage.runs import Runs

_COUNTERS_SECONDS = 300.0


class TrainingError(Exception):
    """The training failed; the message says why."""


def train(progress: Progress) -> dict[str, Any]:
    """Run the retraining state machine, wait for its end, and return the result of the run.

    Raises:
        TrainingError
    """
    name = uuid.uuid4().hex
    states = boto3.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=os.environ["RETRAINING_STATE_MACHINE_ARN"], name=name, input=json.dumps({"started_by": "first start"})
    )
    runs, task = Runs(), progress.add_task("Training a model and scoring all customers", total=None)
    while True:
        status = states.describe_execution(executionArn=started["executionArn"])["status"]
        run = runs.get(name)
        if run and (step := run.get("step")):
            progress.update(task, description=f"Training a model and scoring all customers: {step}")
        if status != "RUNNING":
            break
        time.sleep(0.2)
    progress.remove_task(task)
    if status != "SUCCEEDED" or not run or "result" not in run:
        reason = (run and run.get("reason")) or "the run records no reason; see functions.log in the data folder"
        raise TrainingError(f"The first training did not succeed: {reason}")
    result: dict[str, Any] = run["result"]
    return result


def wait_for_counters(stack: LocalStack, progress: Progress) -> None:
    """Wait until the dashboard's counters include everything that was stored.

    Raises:
        TrainingError
    """
    task = progress.add_task("Updating the dashboard's counters", total=None)
    if not stack.feeder.wait_until_drained(_COUNTERS_SECONDS):
        failing = ", ".join(stack.feeder.failing) or "nothing"
        raise TrainingError(f"The dashboard's counters did not catch up; failing: {failing}.")
    progress.remove_task(task)
