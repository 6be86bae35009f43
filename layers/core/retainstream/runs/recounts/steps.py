"""The tasks of the recount, which compares the dashboard's counters with the rows they stand for, and repairs them.

Each table goes through the phases of `comparing`. The plan that goes from task to task says what the state machine does next.
"""

import math
from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from retainstream.runs.failure import CaughtError, Failed, fail_run, reason_of
from retainstream.runs.recounts.comparing import ATTEMPTS, Comparison, Limits, TableState
from retainstream.runs.recounts.counting import CountPart, count_part, parts_of
from retainstream.runs.recounts.view import Asked, CountedTable, Result
from retainstream.runs.tasks import LongTask, Task
from retainstream.runs.turns import SecondsLeft
from retainstream.settings import settings
from retainstream.storage.rollups import Source
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores

SOURCES: tuple[Source, ...] = ("customers", "predictions")
FOR_PEOPLE = frozenset({"BaseIsChanging", "UncountedPart"})
"""The errors whose messages are shown as the reason why a run failed."""


class BaseIsChanging(Exception):
    """Rows were written during every attempt; the message says in which tables."""


class Input(TypedDict, total=False):
    """The input of an execution."""

    repair: bool
    started_by: str


class RunEvent(TypedDict):
    """The fields of every task's event."""

    run_id: str
    input: Input


class CountEvent(RunEvent):
    part: CountPart


class Plan(TypedDict):
    """The states of the tables, and what the state machine does `next`: wait for `wait_seconds`, count the `parts`, or end.

    `step` is the step in progress, or an empty text.
    """

    repair: bool
    sources: list[TableState]
    step: str
    next: Literal["wait", "count", "end"]
    parts: list[CountPart]
    wait_seconds: NotRequired[int]


class LookEvent(RunEvent):
    plan: Plan
    parts: list[CountPart]


class FailEvent(RunEvent):
    error: CaughtError


def begin(stores: Stores, event: RunEvent) -> Plan:
    """Opens the run and makes the first plan."""
    return open_run(stores, _limits(), event["run_id"], _started_by(event), repair=event["input"].get("repair") is True)


def open_run(stores: Stores, limits: Limits, run_id: str, started_by: str, *, repair: bool) -> Plan:
    stores.runs.start(run_id, "recount", started_by, Asked(repair=repair))
    comparison = Comparison(stores, limits, run_id, repair)
    return _planned(comparison, [comparison.attempt(source, 1) for source in SOURCES], step="")


def count(stores: Stores, event: CountEvent, seconds_left: SecondsLeft) -> CountPart:
    """Counts a part of a table."""
    return count_part(stores, event["run_id"], event["part"], seconds_left)


def look(stores: Stores, event: LookEvent) -> Plan:
    """Goes one phase on with the parts that were counted. Safe to repeat with the same plan and parts.

    Raises:
        BaseIsChanging: the attempts are used up.
        UncountedPart: the parts are not those of the plan.
        StorageUnavailable: storage did not answer; the same call may be made again.
    """
    return look_again(stores, _limits(), event["run_id"], event["plan"], event["parts"])


def look_again(stores: Stores, limits: Limits, run_id: str, plan: Plan, parts: Sequence[CountPart]) -> Plan:
    comparison = Comparison(stores, limits, run_id, plan["repair"])
    sources = [comparison.next_state(state, [part for part in parts if part["source"] == state["source"]]) for state in plan["sources"]]
    return _planned(comparison, sources, plan["step"])


def _planned(comparison: Comparison, sources: list[TableState], step: str) -> Plan:
    stores, limits, run_id, repair = comparison.stores, comparison.limits, comparison.run_id, comparison.repair
    counting = [state["source"] for state in sources if state["phase"] in ("count", "confirm")]
    waiting = [state["ready_at"] for state in sources if state["phase"] in ("settle", "compare")]
    if counting:
        parts = [part for source in counting for part in parts_of(stores, source, most_segments=limits.most_segments)]
        step = _turn_to(stores.runs, run_id, step, "count")
        return {"repair": repair, "sources": sources, "step": step, "next": "count", "parts": parts}
    if waiting:
        seconds = max(1, math.ceil(min(waiting) - limits.now()))
        step = _turn_to(stores.runs, run_id, step, "settle")
        return {"repair": repair, "sources": sources, "step": step, "next": "wait", "wait_seconds": seconds, "parts": []}
    changing = [state["source"] for state in sources if state["outcome"] == "changing"]
    if changing:
        raise BaseIsChanging(
            f"The {' and the '.join(changing)} were written during each of {ATTEMPTS} attempts to count them. Start the recount again when "
            "no import and no scoring run is under way."
        )
    _finish(stores.runs, run_id, sources, step)
    return {"repair": repair, "sources": sources, "step": step, "next": "end", "parts": []}


def _turn_to(runs: Runs, run_id: str, before: str, step: str) -> str:
    if before and before != step:
        runs.step_finished(run_id, before)
    if before != step:
        runs.step_started(run_id, step)
    return step


def _finish(runs: Runs, run_id: str, sources: Sequence[TableState], step: str) -> None:
    if (run := runs.get(run_id)) and run["status"] == "SUCCEEDED":
        return
    if step:
        runs.step_finished(run_id, step)
    tables = [
        CountedTable(
            source=state["source"],
            attempt=state["attempt"],
            rows=state["rows"],
            differences=state["differences"],
            outcome=state["outcome"],
        )
        for state in sources
    ]
    result: Result = {"exact": all(state["outcome"] == "exact" for state in sources), "sources": tables}
    runs.finish(run_id, counts={state["source"]: state["rows"] for state in sources}, result=result)


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it."""
    reason = reason_of(event["error"], FOR_PEOPLE, work="recount")
    return fail_run(stores.runs, "recount", event["run_id"], _started_by(event), reason)


def _started_by(event: RunEvent) -> str:
    return event["input"].get("started_by", "unknown")


def _limits() -> Limits:
    return Limits(settings().recount_settle_seconds)


TASKS: dict[str, Task] = {"open": begin, "look": look, "fail": fail}
TURNS: dict[str, LongTask] = {"count": count}
