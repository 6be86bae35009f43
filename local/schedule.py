"""Starts the state machines and calls the functions that the template schedules."""

import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import boto3

from local import time_expressions
from local.resources import Schedule

_LONGEST_SLEEP_SECONDS = 60.0
_SCHEDULED_TIME, _EXECUTION_ID = "<aws.scheduler.scheduled-time>", "<aws.scheduler.execution-id>"


class ScheduledFunctionError(Exception):
    """A function that a schedule called failed; the message is its answer."""


class Scheduler:
    """A thread that fires every enabled schedule at its time. Times at which the stack did not run are skipped.

    `anchor(name)` is the time at which a schedule was made; rates count from it. `clock` returns the present time.

    Raises:
        TimeExpressionError: a schedule's expression cannot be read.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        anchor: Callable[[str], datetime],
        report: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedules = {schedule.name: schedule for schedule in schedules}
        self._times = {schedule.name: time_expressions.parse(schedule.expression, schedule.timezone) for schedule in schedules}
        self._anchors = {schedule.name: anchor(schedule.name) for schedule in schedules}
        self._report = report
        self._clock = clock
        self._seen = clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def next_times(self) -> dict[str, datetime]:
        """The next time of each enabled schedule."""
        times = {
            name: self._times[name].after(self._seen, self._anchors[name]) for name, schedule in self._schedules.items() if schedule.enabled
        }
        return {name: moment for name, moment in times.items() if moment is not None}

    def run_now(self, name: str, scheduled: datetime | None = None) -> str:
        """Fire a schedule at once, as if it were `scheduled`. Returns the ARN of the execution, or of the function that answered.

        Raises:
            KeyError: no schedule has that name.
            ScheduledFunctionError: the function failed.
        """
        schedule = self._schedules[name]
        moment = (scheduled or self._clock()).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = schedule.input.replace(_SCHEDULED_TIME, moment).replace(_EXECUTION_ID, str(uuid.uuid4()))
        if ":lambda:" in schedule.target:
            answer = boto3.client("lambda").invoke(FunctionName=schedule.target, Payload=event)
            if answer.get("FunctionError"):
                raise ScheduledFunctionError(answer["Payload"].read().decode())
            return schedule.target
        started = boto3.client("stepfunctions").start_execution(stateMachineArn=schedule.target, name=str(uuid.uuid4()), input=event)
        return started["executionArn"]

    def fire_due(self) -> list[str]:
        """Fire the schedules that have become due since the last call. Returns their names."""
        now = self._clock()
        due = sorted((moment, name) for name, moment in self.next_times().items() if moment <= now)
        self._seen = max(self._seen, now)
        for moment, name in due:
            try:
                self.run_now(name, moment)
            except Exception as error:
                self._report(f"the schedule {name} could not start {self._schedules[name].target}: {error}")
        return [name for _, name in due]

    def _run(self) -> None:
        while True:
            coming = self.next_times().values()
            seconds = min([_LONGEST_SLEEP_SECONDS, *((moment - self._clock()).total_seconds() for moment in coming)])
            if self._stopping.wait(max(0.0, seconds)):
                return
            self.fire_due()
