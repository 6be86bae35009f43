"""The handler of a function that does the tasks of one state machine."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.runs.turns import SecondsLeft
from retainstream.storage.stores import Stores
from retainstream.telemetry.metrics import Figures
from retainstream.telemetry.tasks import Tasks

type Task = Callable[[Stores, Any], Mapping[str, object]]
"""Takes the state machine's event, and returns its answer."""
type LongTask = Callable[[Stores, Any, SecondsLeft], Mapping[str, object]]
"""A task that answers where to go on before its time is up."""
type ReadFigures = Callable[[Any], Figures]
"""Reads the metrics off a task's answer."""


def handler_of(
    service: str,
    tasks: Mapping[str, Task],
    turns: Mapping[str, LongTask] | None = None,
    figures: Mapping[str, ReadFigures] | None = None,
) -> Tasks:
    """A handler on the stack's stores, for the tasks, the turns and the figures of one run by the name of the task."""
    stores = Stores()

    def work(event: Any, context: LambdaContext) -> Mapping[str, object]:
        name = event["task"]
        if turns and name in turns:
            return turns[name](stores, event, lambda: context.get_remaining_time_in_millis() / 1000)
        return tasks[name](stores, event)

    return Tasks(service, work, figures)
