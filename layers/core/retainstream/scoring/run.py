"""The scoring run: every customer who has not left, scored by one version of the model.

The run is planned as segments of a parallel scan of the customers table. A segment is scored page by page; when the time of one
invocation runs out it answers where to go on, and is asked again. At the end the parts are added up and compared with the plan. Every
step may be repeated: a repeated page writes the same predictions under the same keys again.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retainstream.scoring.encoding import encode
from retainstream.scoring.generate import now, score_and_store
from retainstream.scoring.levels import LEVELS
from retainstream.scoring.model import ScoringModel
from retainstream.storage.customers import Customers
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Runs

CUSTOMERS_PER_SEGMENT = 20_000
PAGE = 500
RESERVE_SECONDS = 20.0
"""A segment answers where to go on when less than this is left of its invocation."""

type Document = dict[str, Any]


class IncompleteRun(Exception):
    """The parts of a run do not add up to its plan; the message says where."""


class SegmentFailed(Exception):
    """A segment could not be scored; the message says which and why."""


@dataclass(frozen=True)
class Stores:
    """The tables a run reads and writes."""

    customers: Customers = field(default_factory=Customers)
    predictions: Predictions = field(default_factory=Predictions)
    runs: Runs = field(default_factory=Runs)
    rollups: Rollups = field(default_factory=Rollups)


def plan(stores: Stores, model: ScoringModel, run_id: str, started_by: str, *, most_segments: int) -> Document:
    """Opens the run and divides the base: {model_version, segments: [{segment, segments, start, counts}]}."""
    stores.runs.start(run_id, "scoring", started_by)
    stores.runs.step_started(run_id, "plan")
    segments = max(1, min(most_segments, math.ceil(stores.customers.approximate_count() / CUSTOMERS_PER_SEGMENT)))
    stores.runs.step_finished(run_id, "plan", {"segments": segments, "model_version": model.version})
    stores.runs.step_started(run_id, "score")
    parts: list[Document] = [{"segment": segment, "segments": segments, "start": None, "counts": {}} for segment in range(segments)]
    return {"model_version": model.version, "segments": parts}


def score_segment(stores: Stores, model: ScoringModel, run_id: str, part: Mapping[str, Any], seconds_left: Callable[[], float]) -> Document:
    """Scores a part of the plan from its `start`, and returns it with `counts` grown, the new `start`, and whether it is `done`.

    Raises:
        StorageUnavailable: storage did not answer; the segment may be tried again.
        SegmentFailed: anything else.
    """
    name = f"Segment {part['segment'] + 1} of {part['segments']}"
    counts, start = Counter(part["counts"]), part["start"]
    try:
        while True:
            page = stores.customers.page(PAGE, start, segment=part["segment"], segments=part["segments"])
            counts += _score_page(stores, model, run_id, page.items)
            start = page.next_key
            if start is None or seconds_left() < RESERVE_SECONDS:
                return {**part, "counts": dict(counts), "start": start, "done": start is None}
    except StorageUnavailable as error:
        raise StorageUnavailable(f"{name}: storage did not answer, even after several tries ({error}).") from error
    except Exception as error:
        raise SegmentFailed(f"{name} could not be scored ({type(error).__name__}).") from error


def _score_page(stores: Stores, model: ScoringModel, run_id: str, customers: Sequence[Mapping[str, Any]]) -> Counter[str]:
    present = [customer for customer in customers if customer.get("churned") is not True]
    readable = _readable(model, present)
    made = score_and_store(model, readable, stores.predictions, run_id=run_id)
    counts = Counter(read=len(customers), churned=len(customers) - len(present), refused=len(present) - len(readable), scored=len(made))
    for prediction in made:
        level = prediction["level"]
        counts[f"level:{level}"] += 1
        counts[f"millionths:{level}"] += round(prediction["probability"] * 1_000_000)
        counts[f"cents:{level}"] += round(prediction["value_at_risk"] * 100)
    return counts


def _readable(model: ScoringModel, customers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The customers whose features are of the right kinds; others can only have been written past the API."""
    try:
        encode(model.schema, [customer["features"] for customer in customers])
    except (AttributeError, KeyError, TypeError, ValueError):
        if len(customers) == 1:
            return []
        return [readable for customer in customers for readable in _readable(model, [customer])]
    return list(customers)


def verify(stores: Stores, run_id: str, parts: Sequence[Mapping[str, Any]], planned: int) -> Document:
    """Compares the parts with the plan and adds them up: {counts}.

    Raises:
        IncompleteRun: a segment is absent, double or unfinished, or customers were read that are neither scored nor left out.
    """
    stores.runs.step_finished(run_id, "score")
    stores.runs.step_started(run_id, "verify")
    found = Counter(part["segment"] for part in parts if part["done"])
    faulty = sorted(segment for segment in range(planned) if found[segment] != 1)
    if faulty or len(parts) != planned:
        named = ", ".join(str(segment + 1) for segment in faulty)
        raise IncompleteRun(f"{planned} segments were planned; not finished exactly once: {named or 'one that was not planned'}.")
    counts: Counter[str] = sum((Counter(part["counts"]) for part in parts), Counter())
    if counts["read"] != counts["scored"] + counts["churned"] + counts["refused"]:
        raise IncompleteRun(
            f"{counts['read']} customers were read, but {counts['scored']} scored, {counts['churned']} left out because they have left, "
            f"and {counts['refused']} refused."
        )
    stores.runs.step_finished(run_id, "verify")
    return {"counts": dict(counts)}


def finish(stores: Stores, run_id: str, model_version: str, counts: Mapping[str, int]) -> Document:
    """Adds the run to the trend and ends it well. Returns the trend's snapshot."""
    snapshot = snapshot_of(run_id, model_version, counts)
    stores.rollups.add_trend(snapshot)
    result = {name: value for name, value in snapshot.items() if name not in ("run_id", "at")}
    stores.runs.finish(run_id, counts={name: counts.get(name, 0) for name in ("read", "scored", "churned", "refused")}, result=result)
    return snapshot


def snapshot_of(run_id: str, model_version: str, counts: Mapping[str, int]) -> Document:
    """What the trend keeps of a run.

    {run_id, at, model_version, scored, churned (known to have left), by_level, predicted_churners (summed probability), mean_probability,
    high_risk (customers at high risk or above), value_at_risk (theirs, in the schema's currency)}.
    """
    scored = counts.get("scored", 0)
    expected = sum(counts.get(f"millionths:{level}", 0) for level in LEVELS) / 1_000_000
    return {
        "run_id": run_id,
        "at": now(),
        "model_version": model_version,
        "scored": scored,
        "churned": counts.get("churned", 0),
        "by_level": {level: counts.get(f"level:{level}", 0) for level in LEVELS},
        "predicted_churners": round(expected, 2),
        "mean_probability": round(expected / scored, 6) if scored else None,
        "high_risk": sum(counts.get(f"level:{level}", 0) for level in LEVELS[2:]),
        "value_at_risk": sum(counts.get(f"cents:{level}", 0) for level in LEVELS[2:]) / 100,
    }
