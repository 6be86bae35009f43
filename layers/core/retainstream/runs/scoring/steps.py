"""The scoring run: every customer who has not left, scored by one version of the model.

The run is planned as segments of a parallel scan of the customers table. A segment is scored block by block; when the time of one
invocation runs out it answers where to go on, and is asked again. At the end the parts are added up and compared with the plan. Every
step may be repeated: a repeated block writes the same predictions under the same keys again, and a repeated invocation the same counts.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from retainstream.dashboard.drift_reports import Report, put_report
from retainstream.engine.model.encoding import Rows, encode
from retainstream.engine.model.levels import LEVELS
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.drift import drift
from retainstream.engine.monitoring.expectation import expectation
from retainstream.engine.monitoring.histograms import Ruler, tally
from retainstream.engine.monitoring.tally import Tally, total
from retainstream.engine.records import SYNTHETIC, Customer
from retainstream.predictions.agreement import Known, settle_page
from retainstream.predictions.generate import now, score_and_store
from retainstream.runs.scoring.partials import Counted, LostCounts, Partials
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.pace import Pace
from retainstream.storage.rollups import Rollups, RunSnapshot
from retainstream.storage.stores import Stores

CUSTOMERS_PER_SEGMENT = 20_000
BLOCK = 4_000
"""Customers scored as one array: enough for what scoring costs once a block, and some 100 MB at most of a function's memory."""
RESERVE_SECONDS = 60.0
"""A segment answers where to go on when less than this is left of its invocation."""
_PACED_BLOCK_SECONDS = 10.0
"""Where writes are paced, a block is no larger than what may be written in this time."""

type Document = dict[str, Any]


class IncompleteRun(Exception):
    """The parts of a run do not add up to its plan; the message says where."""


class SegmentFailed(Exception):
    """A segment could not be scored; the message says which and why."""


def plan(stores: Stores, model: ScoringModel, run_id: str, started_by: str, *, most_segments: int) -> Document:
    """Opens the run and divides the base: {model_version, chosen_at (of the model), segments: [{segment, segments, start, turns}]}."""
    stores.runs.start(run_id, "scoring", started_by)
    stores.runs.step_started(run_id, "plan")
    base = max(stores.customers.approximate_count(), _counted(stores.rollups))
    segments = max(1, min(most_segments, math.ceil(base / CUSTOMERS_PER_SEGMENT)))
    stores.runs.step_finished(run_id, "plan", {"segments": segments, "model_version": model.version})
    stores.runs.step_started(run_id, "score")
    parts: list[Document] = [{"segment": segment, "segments": segments, "start": None, "turns": 0} for segment in range(segments)]
    return {"model_version": model.version, "chosen_at": model.chosen_at, "segments": parts}


def _counted(rollups: Rollups) -> int:
    """How many customers the dashboard's counters have: all but the last seconds', when DynamoDB has not counted since yesterday."""
    counters = rollups.counters("customers").counters
    return sum(amount for name, amount in counters.items() if name.startswith("customers/"))


def writes_of_one(segments: int, writes_per_second: float, side_by_side: int) -> float:
    """One worker's share of what a whole run of so many segments may write a second; 0 is no limit."""
    return writes_per_second / min(segments, side_by_side)


def score_segment(
    stores: Stores,
    model: ScoringModel,
    reference: Reference | None,
    run_id: str,
    part: Mapping[str, Any],
    seconds_left: Callable[[], float],
    writes_per_second: float = 0.0,
) -> Document:
    """Scores a part of the plan from its `start`, and returns it with the new `start`, one more of `turns`, and whether it is `done`.

    When all its customers are scored, it looks through its part of the predictions table (`sweeping`) for what others left undone. What it
    counted goes to the bucket; of the features only where there is a `reference`, which has their bins. Predictions are written no faster
    than `writes_per_second`; 0 is as fast as may be.

    Raises:
        StorageUnavailable: storage did not answer; the segment may be tried again.
        SegmentFailed: anything else.
    """
    name = f"Segment {part['segment'] + 1} of {part['segments']}"
    counts, tallies, start, sweeping = Counter[str](), [Tally()], part["start"], part.get("sweeping", False)
    place = {"segment": part["segment"], "segments": part["segments"]}
    pace = Pace(writes_per_second)
    block = min(BLOCK, max(1, int(writes_per_second * _PACED_BLOCK_SECONDS))) if writes_per_second else BLOCK
    try:
        ruler = Ruler.of(reference["features"]) if reference else None
        while True:
            if sweeping:
                repaired, start = settle_page(run_id, stores.customers, stores.predictions, start, **place)
                counts["repaired"] += repaired
            else:
                page = stores.customers.block(block, start, **place)
                look_again = partial(stores.customers.left_in_block, block, start, **place)
                counted = _score_block(stores, model, ruler, run_id, page.items, look_again, pace)
                counts += counted.counts
                tallies = [total([*tallies, counted.tally])]
                start = page.next_key
            done, sweeping = sweeping and start is None, sweeping or start is None
            if done or seconds_left() < RESERVE_SECONDS:
                Partials(stores.documents, run_id).put(part["segment"], part["turns"], Counted(counts, *tallies))
                return {**part, "start": start, "turns": part["turns"] + 1, "sweeping": sweeping, "done": done}
    except StorageUnavailable as error:
        raise StorageUnavailable(f"{name}: storage did not answer, even after several tries ({error}).") from error
    except Exception as error:
        raise SegmentFailed(f"{name} could not be scored ({type(error).__name__}).") from error


def score_by_latest(
    score: Callable[[ScoringModel], Document], chosen: ScoringModel, later_than: Callable[[ScoringModel], ScoringModel | None]
) -> Document:
    """Scores a part by the model a run has chosen, and once more by the one that `later_than` finds in service instead, if there is one.

    Predictions are written without a look at those they replace, and may so replace some of a model that came into service meanwhile.
    Whoever writes looks afterwards which model is in service: so the last to write a prediction wrote it by the one that was, once it was
    written.
    """
    model: ScoringModel | None = chosen
    while model is not None:
        answer = score(model)
        model = later_than(model)
    return answer


def _score_block(
    stores: Stores,
    model: ScoringModel,
    ruler: Ruler | None,
    run_id: str,
    customers: Sequence[Customer],
    look_again: Callable[[], Known],
    pace: Pace,
) -> Counted:
    present = [customer for customer in customers if customer.get("churned") is not True]
    readable, rows = _readable(model, present)
    made = score_and_store(model, readable, stores.customers, stores.predictions, run_id=run_id, look_again=look_again, pace=pace)
    counts = Counter(read=len(customers), churned=len(customers) - len(present), refused=len(present) - len(readable), scored=len(made))
    counts["stayed"] = sum(customer.get("churned") is False for customer in present)
    for prediction in made:
        level = prediction["level"]
        counts[f"level:{level}"] += 1
        counts[f"millionths:{level}"] += round(prediction["probability"] * 1_000_000)
        counts[f"cents:{level}"] += round(prediction["value_at_risk"] * 100)
    return Counted(
        counts,
        tally(
            ruler,
            rows,
            [prediction["probability"] for prediction in made],
            stayed=sum(customer.get("churned") is False for customer in readable),
            synthetic=sum(customer.get("source") == SYNTHETIC for customer in readable),
        ),
    )


def _readable(model: ScoringModel, customers: Sequence[Customer]) -> tuple[list[Customer], Rows]:
    """The customers whose features are of the right kinds, and their rows; others can only have been written past the API."""
    try:
        return list(customers), encode(model.schema, [customer["features"] for customer in customers])
    except (AttributeError, KeyError, TypeError, ValueError):
        if len(customers) == 1:
            return [], encode(model.schema, [])
    alone = [_readable(model, [customer]) for customer in customers]
    return [customer for found, _ in alone for customer in found], np.concatenate([rows for _, rows in alone])


def verify(stores: Stores, run_id: str, answers: Sequence[Mapping[str, Any] | None], planned: int) -> Document:
    """Compares the parts with the plan and adds up what was counted: {counts}.

    Where segments have executions of their own, one that failed answers {segment, done: false, reason or error} or nothing at all.

    Raises:
        SegmentFailed: a segment says that it failed.
        IncompleteRun: a segment is absent, double or unfinished, its counts are lost, or customers were read that are neither scored nor
            left out.
    """
    parts = [part for part in answers if part is not None]
    failed = sorted((part["segment"], _failure(part, planned)) for part in parts if not part["done"] and part.keys() & {"reason", "error"})
    if failed:
        others = f" {len(failed) - 1} more failed as well." if len(failed) > 1 else ""
        raise SegmentFailed(f"{failed[0][1]}{others}")
    stores.runs.step_finished(run_id, "score")
    stores.runs.step_started(run_id, "verify")
    found = Counter(part["segment"] for part in parts if part["done"])
    faulty = sorted(segment for segment in range(planned) if found[segment] != 1)
    if faulty or len(parts) != planned:
        named = ", ".join(str(segment + 1) for segment in faulty)
        raise IncompleteRun(f"{planned} segments were planned; not finished exactly once: {named or 'one that was not planned'}.")
    try:
        counts = Partials(stores.documents, run_id).add_up(parts).counts
    except LostCounts as error:
        raise IncompleteRun(str(error)) from error
    if counts["read"] != counts["scored"] + counts["churned"] + counts["refused"]:
        raise IncompleteRun(
            f"{counts['read']} customers were read, but {counts['scored']} scored, {counts['churned']} left out because they have left, "
            f"and {counts['refused']} refused."
        )
    stores.runs.step_finished(run_id, "verify", {"repaired": counts["repaired"]})
    return {"counts": dict(counts)}


def _failure(part: Mapping[str, Any], planned: int) -> str:
    return str(part.get("reason") or f"Segment {part['segment'] + 1} of {planned} was stopped ({part['error']}).")


def finish(
    stores: Stores,
    run_id: str,
    model_version: str,
    counts: Mapping[str, int],
    reference: Reference | None,
    roc_auc: float | None = None,
) -> Document:
    """Writes the run's report on drift, adds the run to the trend and ends it well. Returns the trend's snapshot with
    largest_drift (PSI), drifted_columns (strongly; the score is one, too) and estimated_auc, each None where it is not known.

    The run's record has, beside the snapshot's figures, `estimate`: those to be expected of these predictions (see `expectation`).
    Without a `reference` nothing is known about drift. `roc_auc` is the model's, on customers it never saw.
    """
    counted = Partials(stores.documents, run_id).whole().tally
    expected = expectation(counted, counts, reference)
    snapshot = snapshot_of(run_id, model_version, counts)
    snapshot["roc_auc"] = roc_auc
    synthetic = counted.synthetic > 0
    parts: list[Document] = []
    if reference and counted.customers:
        report: Document = {
            **drift(counted, reference),
            "run_id": run_id,
            "at": snapshot["at"],
            "model_version": model_version,
            "synthetic": synthetic,
        }
        put_report(stores.documents, Report.model_validate(report))
        snapshot["drift"] = report["level"]
        parts = [report["score"], *report["features"]]
    stores.rollups.add_trend(snapshot)
    result = {name: value for name, value in snapshot.items() if name not in ("run_id", "at")}
    estimate = {**expected.document(), "synthetic": synthetic} if expected else None
    stores.runs.finish(
        run_id,
        counts={name: counts.get(name, 0) for name in ("read", "scored", "churned", "refused")},
        result={**result, "estimate": estimate},
    )
    return {
        **snapshot,
        "largest_drift": max((part["psi"] for part in parts), default=None),
        "drifted_columns": sum(part["level"] == "strong" for part in parts) if parts else None,
        "estimated_auc": expected.roc_auc if expected else None,
    }


def snapshot_of(run_id: str, model_version: str, counts: Mapping[str, int]) -> RunSnapshot:
    """What the trend keeps of a run.

    {run_id, at, model_version, scored, churned (known to have left), stayed (known to have stayed), by_level, predicted_churners (summed
    probability), mean_probability, high_risk (customers at high risk or above), value_at_risk (theirs, in the schema's currency),
    value_at_risk_of_all, roc_auc (of the model), drift (none, some or strong; absent where it is not known)}.
    """
    scored = counts.get("scored", 0)
    expected = sum(counts.get(f"millionths:{level}", 0) for level in LEVELS) / 1_000_000
    return {
        "run_id": run_id,
        "at": now(),
        "model_version": model_version,
        "scored": scored,
        "churned": counts.get("churned", 0),
        "stayed": counts.get("stayed", 0),
        "by_level": {level: counts.get(f"level:{level}", 0) for level in LEVELS},
        "predicted_churners": round(expected, 2),
        "mean_probability": round(expected / scored, 6) if scored else None,
        "high_risk": sum(counts.get(f"level:{level}", 0) for level in LEVELS[2:]),
        "value_at_risk": sum(counts.get(f"cents:{level}", 0) for level in LEVELS[2:]) / 100,
        "value_at_risk_of_all": sum(counts.get(f"cents:{level}", 0) for level in LEVELS) / 100,
    }
