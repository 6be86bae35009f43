"""The door of a function that does the tasks of a state machine."""

import itertools
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.telemetry.correlation import following
from retainstream.telemetry.invocation import error_of
from retainstream.telemetry.lines import logger_of
from retainstream.telemetry.metrics import Figures, emf

type Task = Callable[[Any, LambdaContext], Mapping[str, Any]]


def by_name(tasks: Mapping[str, Task]) -> Task:
    """Does the one of several tasks that an event names."""
    return lambda event, context: tasks[event["task"]](event, context)


class Tasks:
    """A handler that does tasks and tells of each on one line, with the id of what caused it.

    `figures` has, by task, the metrics that are to be read off its answer; of the tasks in `tell` the line has the whole answer.
    """

    def __init__(
        self, service: str, work: Task, figures: Mapping[str, Callable[[Any], Figures]] | None = None, *, tell: Collection[str] = ()
    ) -> None:
        self._service = service
        self._work = work
        self._figures = figures or {}
        self._tell = tell
        self._logger = logger_of(service)
        self._invocations = itertools.count()

    def __call__(self, event: Any, context: LambdaContext) -> dict[str, Any]:
        name, run = event["task"], run_of(event)
        keys = {"request_id": context.aws_request_id, "task": name, "cold_start": next(self._invocations) == 0}
        with following(cause_of(event), service=self._service, **keys, **({"run_id": run} if run else {})):
            started = time.perf_counter()
            try:
                answer = self._work(event, context)
            except Exception as error:
                self._logger.error("task failed", extra={"milliseconds": _since(started), **error_of(error)})
                raise
            figures = self._figures[name](answer) if name in self._figures else {}
            told = answer if name in self._tell else {}
            measured = emf(self._service, figures) if figures else {}
            self._logger.info("task", extra={"milliseconds": _since(started), **told, **measured})
            return dict(answer)


def run_of(event: Mapping[str, Any]) -> str | None:
    """The run that a task is of."""
    given = event.get("input") or {}
    return event.get("run_id") or event.get("import_id") or given.get("run_id") or event.get("execution")


def cause_of(event: Mapping[str, Any]) -> str:
    """The id of what caused a task: what the execution was started with, or else its run; an event of a schedule, a stream or a bucket
    is its own cause."""
    stated = (event.get("input") or event).get("correlation_id")
    first = event["Records"][0].get("eventID") if event.get("Records") else event.get("id")
    return str(stated or run_of(event) or first or "unknown")


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 1)
