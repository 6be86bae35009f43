"""Comparing the counters of a table with its rows, one phase after the other, and replacing them.

Wait until the counters of the table are still, count its rows, and wait again. If the counters are still the same, they have taken in every
change, unless a change hangs in the stream; the count is then compared with them.

To replace the counters, a count must hold every change up to some moment and none after it, and the counters must know that moment. So the
rows are counted a second time. If they are the same rows, written at the same times, nothing was written between the end of the first count
and the beginning of the second. A moment in the middle of these divides the changes: the count holds those before it, and the counters that
carry it take in only those after it, whatever still hangs in the stream. They are written on the condition of their version, which must not
have moved since before the first count. See docs/decisions.md.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from retainstream.dashboard.fold import Counters
from retainstream.runs.recounts.counting import CountPart, Tallies, Tally, differences, put_differences
from retainstream.storage.errors import Conflict
from retainstream.storage.rollups import Repair, Source
from retainstream.storage.stores import Stores

ATTEMPTS = 5
MOST_SEGMENTS = 64

type Outcome = Literal["exact", "different", "repaired", "changing"]


class UncountedPart(Exception):
    """A part of a table was not counted to its end."""


@dataclass(frozen=True)
class Limits:
    """`settle_seconds` without a change make counters still. A table is divided into `most_segments` at most.

    `now` is the clock, in seconds since 1970.
    """

    settle_seconds: float
    most_segments: int = MOST_SEGMENTS
    now: Callable[[], float] = time.time


class TableState(TypedDict):
    """How far the comparison of one table has come.

    `version` is that of the counters when the attempt began, and `ready_at` the end of a wait. `tally` is the name of the first count,
    which ended at `quiet_from`; `until` is the moment that divides the changes. `differences` is their number.
    """

    source: Source
    attempt: int
    phase: Literal["settle", "count", "compare", "confirm", "done"]
    version: NotRequired[int]
    ready_at: NotRequired[float]
    tally: NotRequired[str]
    quiet_from: NotRequired[float]
    until: NotRequired[int]
    rows: NotRequired[int]
    differences: NotRequired[int]
    outcome: NotRequired[Outcome]


@dataclass(frozen=True)
class Comparison:
    """One run's comparison of the counters with the rows; with `repair` it replaces counters that differ."""

    stores: Stores
    limits: Limits
    run_id: str
    repair: bool

    def attempt(self, source: Source, number: int) -> TableState:
        """The state of a table in which an attempt begins."""
        version, ready_at = self.stores.rollups.counters(source).version, self.limits.now() + self.limits.settle_seconds
        return {"source": source, "attempt": number, "phase": "settle", "version": version, "ready_at": ready_at}

    def next_state(self, state: TableState, parts: Sequence[CountPart]) -> TableState:
        """The state of a table after one more phase, with the counted parts that its state asked for.

        Raises:
            UncountedPart: the parts are not the parts asked for.
        """
        source, phase, now = state["source"], state["phase"], self.limits.now()
        if phase == "done" or (phase in ("settle", "compare") and now < state["ready_at"]):
            return state
        stored = self.stores.rollups.counters(source)
        if phase == "confirm" and stored.repair and stored.repair.run_id == self.run_id:
            return _done(state, "repaired")  # by an invocation that ended before its answer
        if stored.version != state["version"]:
            return self._again(state)
        if phase == "settle":
            return {**state, "phase": "count"}
        tallies = Tallies(self.stores.documents, self.run_id)
        if phase == "count":
            whole = tallies.put(_whole(tallies, parts))
            return {**state, "phase": "compare", "tally": whole, "quiet_from": now, "ready_at": now + self.limits.settle_seconds}
        first = tallies.get(state["tally"])
        if phase == "compare":
            return self._compared({**state, "rows": first.rows}, stored.counters, first.counters)
        if _whole(tallies, parts) != first:
            return self._again(state)
        try:
            self.stores.rollups.put_if_version(source, state["version"], first.counters, Repair(self.run_id, state["until"]))
        except Conflict:
            return self._again(state)
        return _done(state, "repaired")

    def _compared(self, state: TableState, counted: Counters, recounted: Counters) -> TableState:
        differing = differences(counted, recounted)
        put_differences(self.stores.documents, self.run_id, state["source"], differing)
        state = {**state, "differences": len(differing)}
        if not differing:
            return _done(state, "exact")
        if not self.repair:
            return _done(state, "different")
        return {**state, "phase": "confirm", "until": math.floor((state["quiet_from"] + self.limits.now()) / 2)}

    def _again(self, state: TableState) -> TableState:
        if state["attempt"] == ATTEMPTS:
            return _done(state, "changing")
        return self.attempt(state["source"], state["attempt"] + 1)


def _whole(tallies: Tallies, parts: Sequence[CountPart]) -> Tally:
    segments = sorted(part["segment"] for part in parts)
    if not parts or segments != list(range(parts[0]["segments"])) or not all(part["done"] for part in parts):
        raise UncountedPart("The parts of a table do not make it up.")
    return tallies.whole([part["tally"] for part in parts if part["tally"]])


def _done(state: TableState, outcome: Outcome) -> TableState:
    ended: TableState = {"source": state["source"], "attempt": state["attempt"], "phase": "done", "outcome": outcome}
    if "rows" in state:
        ended["rows"] = state["rows"]
    if "differences" in state:
        ended["differences"] = state["differences"]
    return ended
