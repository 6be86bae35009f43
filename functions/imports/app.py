"""The tasks of the import state machine, and the arrival of an upload, which starts it."""

from collections.abc import Mapping

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.runs.imports.steps import FIGURES, TASKS, TURNS
from retainstream.runs.tasks import handler_of
from retainstream.telemetry.tasks import TaskEvent

tasks = handler_of("imports", TASKS, TURNS, FIGURES)


def handler(event: TaskEvent, context: LambdaContext) -> Mapping[str, object]:
    """Does the task that the state machine names. An event without a task is the arrival of an object in the bucket."""
    return tasks(event if "task" in event else {"task": "uploaded", **event}, context)
