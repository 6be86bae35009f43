"""What a first start puts in: the demonstration administrator, synthetic customers, a model trained on them and everybody's score."""

import json
import os
import time
import uuid
from itertools import batched
from typing import Any

import boto3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.stack import LocalStack
from retainstream.auth.accounts import new_user
from retainstream.auth.roles import Role
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from retainstream.storage.users import Users

ADMINISTRATOR = "alex.chen@netflix.com"
PASSWORD = "password"  # noqa: S105 - the demonstration account of the local stack, said so at every start
_GENERATOR_SEED = 20260101
_BATCH = 500
_COUNTERS_SECONDS = 300.0


class SeedError(Exception):
    """The first training failed; the message says why."""


def seed(stack: LocalStack, customers: int, console: Console) -> None:
    """Seed the stack unless that was done before. A seeding that was cut off is done again, with the same customers.

    Raises:
        SeedError: the training did not end well.
    """
    if stack.state is not None and stack.state.seeded:
        return
    add_administrator()
    if customers:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            _add_customers(customers, progress)
            _train(progress)
            task = progress.add_task("Bringing the dashboard's counters up to date", total=None)
            if not stack.feeder.wait_until_drained(_COUNTERS_SECONDS):
                raise SeedError(f"The dashboard's counters did not catch up; failing: {', '.join(stack.feeder.failing) or 'nothing'}.")
            progress.remove_task(task)
        console.print(f"Seeded with {customers:,} synthetic customers and a model trained on them.", markup=False)
    if stack.state is not None:
        stack.flush()
        stack.state.keep_seeded()


def add_administrator() -> None:
    """Make the demonstration administrator unless there is one."""
    user = new_user(ADMINISTRATOR, PASSWORD, name="Alex Chen", role=Role.ADMIN, check_password=False)
    try:
        Users().add(user)
    except Conflict:
        return


def _add_customers(count: int, progress: Progress) -> None:
    from retainstream.training.synthetic import as_customers, generate

    task = progress.add_task("Making synthetic customers", total=count)
    customers = Customers()
    for batch in batched(as_customers(generate(count, _GENERATOR_SEED)), _BATCH):
        progress.advance(task, customers.put_many(batch))


def _train(progress: Progress) -> None:
    name = uuid.uuid4().hex
    states = boto3.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=os.environ["RETRAINING_STATE_MACHINE_ARN"], name=name, input=json.dumps({"started_by": "first start"})
    )
    runs, task = Runs(), progress.add_task("Training a model and scoring everybody", total=None)
    while True:
        status = states.describe_execution(executionArn=started["executionArn"])["status"]
        run = runs.get(name) or {}
        if step := run.get("step"):
            progress.update(task, description=f"Training a model and scoring everybody: {step}")
        if status != "RUNNING":
            break
        time.sleep(0.2)
    progress.remove_task(task)
    if status != "SUCCEEDED":
        raise SeedError(f"The first training did not succeed: {_reason(run)}")
    if Models().champion() is None:
        raise SeedError(f"The first training put no model into service: {_reason(run)}")


def _reason(run: dict[str, Any]) -> str:
    return str(run.get("reason") or run.get("result") or "its run tells no reason; see functions.log in the data folder")
