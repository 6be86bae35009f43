"""The tasks of the prepare state machine, and the arrival of a source file, which starts it."""

from collections.abc import Mapping

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.runs.preparing.steps import TASKS, TURNS
from retainstream.runs.tasks import handler_of
from retainstream.telemetry.tasks import TaskEvent

tasks = handler_of("prepare", TASKS, TURNS)


def handler(event: TaskEvent, context: LambdaContext) -> Mapping[str, object]:
    """Does the task that the state machine names. An event without a task is the arrival of an object in the bucket."""
    return tasks(event if "task" in event else {"task": "arrived", **event}, context)
