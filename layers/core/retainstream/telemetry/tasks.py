"""The handler of a function that does tasks: it logs each one, with its metrics and the id of its cause."""

import itertools
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.telemetry.correlation import following
from retainstream.telemetry.invocation import error_of
from retainstream.telemetry.lines import logger_of
from retainstream.telemetry.metrics import Figures, emf

type Work = Callable[[Any, LambdaContext], Mapping[str, object]]


class TaskEvent(TypedDict, total=False):
    """The fields by which an event is followed in the log. Each task has others beside them."""

    task: str
    run_id: str
    import_id: str
    execution: str
    correlation_id: str
    input: "TaskEvent"
    Records: list[Mapping[str, Any]]
    id: str


def by_name(tasks: Mapping[str, Work]) -> Work:
    """Does the task that an event names."""
    return lambda event, context: tasks[event["task"]](event, context)


class Tasks:
    """A handler that writes one log line for each task.

    `figures` read the metrics off the answers of some tasks. The log line of a task in `tell` has its whole answer.
    """

    def __init__(
        self, service: str, work: Work, figures: Mapping[str, Callable[[Any], Figures]] | None = None, *, tell: Collection[str] = ()
    ) -> None:
        self._service = service
        self._work = work
        self._figures = figures or {}
        self._tell = tell
        self._logger = logger_of(service)
        self._invocations = itertools.count()

    def __call__(self, event: TaskEvent, context: LambdaContext) -> Mapping[str, object]:
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
            shown = answer if name in self._tell else {}
            measured = emf(self._service, figures) if figures else {}
            self._logger.info("task", extra={"milliseconds": _since(started), **shown, **measured})
            return answer


def run_of(event: TaskEvent) -> str | None:
    """The run that a task belongs to."""
    started_with = event.get("input") or {}
    return event.get("run_id") or event.get("import_id") or started_with.get("run_id") or event.get("execution")


def cause_of(event: TaskEvent) -> str:
    """The id of a task's cause: the one that the execution was started with, or else the run. An event of a schedule, a stream or a bucket
    is its own cause."""
    stated = (event.get("input") or event).get("correlation_id")
    first = event["Records"][0].get("eventID") if event.get("Records") else event.get("id")
    return str(stated or run_of(event) or first or "unknown")


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 1)
