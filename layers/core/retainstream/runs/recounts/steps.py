"""The recount: the counters compared with the rows they stand for, and put right.

For either table: wait until its counters are still, count its rows, and wait again. If the counters are still the same, every change there
was has been taken in, unless it hangs in the stream; the count is then compared with them.

To be put in their place, a count must hold every change up to some moment and none after it, and the counters must know that moment. So
the rows are counted a second time. If they are the same rows, written at the same times, nothing was written between the end of the first
count and the beginning of the second. A moment in the middle of these parts the changes: the count holds those before it, and the counters
that carry it take in only those after it, whatever still hangs in the stream. They are written on the condition of their version, which
must not have moved since before the first count. See docs/decisions.md.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retainstream.dashboard.fold import Counters
from retainstream.runs.recounts.counting import Document, Tallies, Tally, parts_of
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict
from retainstream.storage.rollups import Repair, Source
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores

SOURCES: tuple[Source, ...] = ("customers", "predictions")
ATTEMPTS = 5
MOST_SEGMENTS = 64


class BaseIsChanging(Exception):
    """Rows were written during every attempt; the message says which."""


class UncountedPart(Exception):
    """A part of a table was not counted to its end."""


RECOUNT_ERRORS = frozenset({"BaseIsChanging", "UncountedPart"})
"""The errors whose messages are told to who asked."""


@dataclass(frozen=True)
class Limits:
    """How long counters must stay the same to be called still, in seconds, and into how many segments a table is divided at most.

    `now` answers the time, in seconds since 1970.
    """

    settle_seconds: float
    most_segments: int = MOST_SEGMENTS
    now: Callable[[], float] = time.time


def open_run(stores: Stores, limits: Limits, run_id: str, started_by: str, *, repair: bool) -> Document:
    """Begins: the plan that `look` goes on with, see there."""
    stores.runs.start(run_id, "recount", started_by, {"repair": repair})
    sources = [_attempt(stores, limits, source, 1) for source in SOURCES]
    return _planned(stores, limits, run_id, {"repair": repair, "sources": sources, "step": ""})


def look(stores: Stores, limits: Limits, run_id: str, plan: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Document:
    """Goes one step on, with the parts that the plan asked to be counted, and returns the plan with what is to be done `next`:

    "wait" for `wait_seconds`, "count" the `parts`, or "end". Safe to repeat with the same plan and parts.

    Raises:
        BaseIsChanging: the attempts are used up.
        UncountedPart: the parts are not those asked for.
        StorageUnavailable: storage did not answer; the same call may be made again.
    """
    sources = []
    for state in plan["sources"]:
        mine = [part for part in parts if part["source"] == state["source"]]
        sources.append(_step(stores, limits, run_id, state, mine, repair=plan["repair"]))
    return _planned(stores, limits, run_id, {"repair": plan["repair"], "sources": sources, "step": plan["step"]})


def differences(counted: Counters, recounted: Counters) -> list[Document]:
    """Counters that are not what they should be: [{counter, counted, recounted}], by name."""
    return [
        {"counter": name, "counted": counted.get(name, 0), "recounted": recounted.get(name, 0)}
        for name in sorted({*counted, *recounted})
        if counted.get(name, 0) != recounted.get(name, 0)
    ]


def stored_differences(documents: Documents, run_id: str, source: str) -> list[Document]:
    """The differences that a run found.

    Raises:
        NotStored: the bucket keeps them no more.
    """
    found: list[Document] = json.loads(documents.get_bytes(_differences_key(run_id, source)))
    return found


def _attempt(stores: Stores, limits: Limits, source: Source, number: int) -> Document:
    version = stores.rollups.counters(source).version
    return {"source": source, "attempt": number, "phase": "settle", "version": version, "ready_at": limits.now() + limits.settle_seconds}


def _step(stores: Stores, limits: Limits, run_id: str, state: Document, parts: Sequence[Mapping[str, Any]], *, repair: bool) -> Document:
    source, phase, now = state["source"], state["phase"], limits.now()
    if phase == "done" or (phase in ("settle", "compare") and now < state["ready_at"]):
        return state
    stored = stores.rollups.counters(source)
    if phase == "confirm" and stored.repair and stored.repair.run_id == run_id:
        return _done(state, "repaired")  # by an invocation that did not live to say so
    if stored.version != state["version"]:
        return _again(stores, limits, state)
    if phase == "settle":
        return {**state, "phase": "count"}
    tallies = Tallies(stores.documents, run_id)
    if phase == "count":
        whole = tallies.put(_whole(tallies, parts))
        return {**state, "phase": "compare", "tally": whole, "quiet_from": now, "ready_at": now + limits.settle_seconds}
    first = tallies.get(state["tally"])
    if phase == "compare":
        return _compare(stores, limits, run_id, {**state, "rows": first.rows}, stored.counters, first.counters, repair=repair)
    if _whole(tallies, parts) != first:
        return _again(stores, limits, state)
    try:
        stores.rollups.put_if_version(source, state["version"], first.counters, Repair(run_id, state["until"]))
    except Conflict:
        return _again(stores, limits, state)
    return _done(state, "repaired")


def _compare(
    stores: Stores, limits: Limits, run_id: str, state: Document, counted: Counters, recounted: Counters, *, repair: bool
) -> Document:
    found = differences(counted, recounted)
    stores.documents.put_bytes(_differences_key(run_id, state["source"]), json.dumps(found).encode(), "application/json")
    state = {**state, "differences": len(found)}
    if not found:
        return _done(state, "exact")
    if not repair:
        return _done(state, "different")
    return {**state, "phase": "confirm", "until": math.floor((state["quiet_from"] + limits.now()) / 2)}


def _whole(tallies: Tallies, parts: Sequence[Mapping[str, Any]]) -> Tally:
    segments = sorted(part["segment"] for part in parts)
    if not parts or segments != list(range(parts[0]["segments"])) or not all(part["done"] for part in parts):
        raise UncountedPart("The parts of a table do not make it up.")
    return tallies.whole([part["tally"] for part in parts])


def _again(stores: Stores, limits: Limits, state: Document) -> Document:
    if state["attempt"] == ATTEMPTS:
        return _done(state, "changing")
    return _attempt(stores, limits, state["source"], state["attempt"] + 1)


def _done(state: Document, outcome: str) -> Document:
    kept = ("source", "attempt", "rows", "differences")
    return {**{name: state[name] for name in kept if name in state}, "phase": "done", "outcome": outcome}


def _planned(stores: Stores, limits: Limits, run_id: str, plan: Document) -> Document:
    sources = plan["sources"]
    counting = [state["source"] for state in sources if state["phase"] in ("count", "confirm")]
    waiting = [state["ready_at"] for state in sources if state["phase"] in ("settle", "compare")]
    if counting:
        parts = [part for source in counting for part in parts_of(stores, source, most_segments=limits.most_segments)]
        return {**plan, "step": _turn_to(stores.runs, run_id, plan["step"], "count"), "next": "count", "parts": parts}
    if waiting:
        seconds = max(1, math.ceil(min(waiting) - limits.now()))
        return {**plan, "step": _turn_to(stores.runs, run_id, plan["step"], "settle"), "next": "wait", "wait_seconds": seconds, "parts": []}
    changing = [state["source"] for state in sources if state["outcome"] == "changing"]
    if changing:
        raise BaseIsChanging(
            f"The {' and the '.join(changing)} were written during each of {ATTEMPTS} attempts to count them. Start the recount again when "
            "no import and no scoring run is under way."
        )
    _finish(stores.runs, run_id, plan)
    return {**plan, "next": "end", "parts": []}


def _finish(runs: Runs, run_id: str, plan: Document) -> None:
    if (runs.get(run_id) or {}).get("status") == "SUCCEEDED":
        return
    found = [{name: value for name, value in state.items() if name != "phase"} for state in plan["sources"]]
    if plan["step"]:
        runs.step_finished(run_id, plan["step"])
    runs.finish(
        run_id,
        counts={state["source"]: state["rows"] for state in found},
        result={"exact": all(state["outcome"] == "exact" for state in found), "sources": found},
    )


def _turn_to(runs: Runs, run_id: str, before: str, step: str) -> str:
    if before and before != step:
        runs.step_finished(run_id, before)
    if before != step:
        runs.step_started(run_id, step)
    return step


def _differences_key(run_id: str, source: str) -> str:
    return f"recounts/{run_id}/differences-{source}.json"
