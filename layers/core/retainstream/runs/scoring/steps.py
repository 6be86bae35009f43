"""The tasks of the scoring run, which scores every customer who has not left with one version of the model.

The run is planned as segments of a parallel scan of the customers table, each of which is scored in one or more turns. At the end the
parts are added up and compared with the plan. Every task may be repeated: a repeated block writes the same predictions under the same keys
again, and a repeated turn the same counts.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NotRequired, TypedDict

from retainstream.engine.model.model import ScoringModel
from retainstream.registry.loading import champion_model, later_champion, load_reference, load_version
from retainstream.registry.versions import get
from retainstream.runs.failure import CaughtError, Failed, fail_run, reason_of
from retainstream.runs.scoring.partials import LostCounts, Partials
from retainstream.runs.scoring.segment import Segment, SegmentFailed, score_segment, writes_of_one
from retainstream.runs.scoring.summary import Finished, summarise
from retainstream.runs.tasks import LongTask, ReadFigures, Task
from retainstream.runs.turns import SecondsLeft
from retainstream.settings import settings
from retainstream.storage.rollups import Rollups
from retainstream.storage.stores import Stores
from retainstream.telemetry.figures import known
from retainstream.telemetry.metrics import Figures

CUSTOMERS_PER_SEGMENT = 20_000
FOR_PEOPLE = frozenset({"IncompleteRun", "SegmentFailed", "NoModel", "CorruptModel", "UnknownVersion", "UnusableSchema"})
"""The errors whose messages are shown as the reason why a run failed."""


class IncompleteRun(Exception):
    """The parts of a run do not add up to its plan; the message says where."""


class Input(TypedDict, total=False):
    """The input of an execution."""

    started_by: str


class RunEvent(TypedDict):
    """The fields of every task's event."""

    run_id: str
    input: Input


class Plan(TypedDict):
    """`chosen_at` is the moment at which the model came into service."""

    model_version: str
    chosen_at: str
    segments: list[Segment]


class ScoreEvent(RunEvent):
    part: Segment
    model_version: str
    chosen_at: NotRequired[str]


class SegmentEnd(TypedDict):
    """The last answer of a segment. In a distributed run a segment that failed has a `reason` or an `error`, and no `turns`."""

    segment: int
    done: bool
    turns: NotRequired[int]
    reason: NotRequired[str]
    error: NotRequired[str]


class VerifyEvent(RunEvent):
    """A segment whose execution did not answer at all is None."""

    parts: Sequence[SegmentEnd | None]
    planned: int


class Verified(TypedDict):
    counts: dict[str, int]


class FinishEvent(RunEvent):
    model_version: str
    counts: Mapping[str, int]


class FailEvent(RunEvent):
    error: CaughtError


def plan(stores: Stores, event: RunEvent) -> Plan:
    """Opens the run and divides the base.

    Raises:
        NoModel: no model is in service. The run is open by then, so that its record can say so.
    """
    run_id = event["run_id"]
    stores.runs.start(run_id, "scoring", _started_by(event))
    model = champion_model(stores.models, stores.documents, 0)
    return divide(stores, model, run_id, most_segments=settings().scoring_segments_max)


def divide(stores: Stores, model: ScoringModel, run_id: str, *, most_segments: int) -> Plan:
    """Divides the base into segments of some CUSTOMERS_PER_SEGMENT customers, at most `most_segments`."""
    stores.runs.step_started(run_id, "plan")
    base = max(stores.customers.approximate_count(), _counted(stores.rollups))
    segments = max(1, min(most_segments, math.ceil(base / CUSTOMERS_PER_SEGMENT)))
    stores.runs.step_finished(run_id, "plan", {"segments": segments, "model_version": model.version})
    stores.runs.step_started(run_id, "score")
    parts: list[Segment] = [{"segment": segment, "segments": segments, "start": None, "turns": 0} for segment in range(segments)]
    return {"model_version": model.version, "chosen_at": model.chosen_at, "segments": parts}


def _counted(rollups: Rollups) -> int:
    """The customers in the dashboard's counters: all but those of the last seconds, while DynamoDB's own count is up to six hours old."""
    counters = rollups.counters("customers").counters
    return sum(amount for name, amount in counters.items() if name.startswith("customers/"))


def score(stores: Stores, event: ScoreEvent, seconds_left: SecondsLeft) -> Segment:
    """Scores a segment with the model of the plan, and once more with the model in service where that has changed.

    Predictions are written without a look at those they replace, and so may replace some of a model that came into service meanwhile.
    Every writer looks afterwards which model is in service: so the last writer of a prediction used the model that was in service after
    the write.
    """
    version, part = event["model_version"], event["part"]
    planned, reference = load_version(stores.models, stores.documents, version), load_reference(stores.models, stores.documents, version)
    pace = writes_of_one(part["segments"], settings().scoring_writes_per_second, settings().scoring_concurrency)
    model: ScoringModel | None = replace(planned, chosen_at=event.get("chosen_at", ""))
    while model is not None:
        bins = reference if model.schema.features == planned.schema.features else None
        answer = score_segment(stores, model, bins, event["run_id"], part, seconds_left, pace)
        model = later_champion(stores.models, stores.documents, model)
    return answer


def verify(stores: Stores, event: VerifyEvent) -> Verified:
    """Compares the parts with the plan, and adds up their counts.

    Raises:
        SegmentFailed: a segment answered that it failed.
        IncompleteRun: a segment is absent, double or unfinished, its counts are lost, or customers were read that are neither scored nor
            left out.
    """
    run_id, planned = event["run_id"], event["planned"]
    parts = [part for part in event["parts"] if part is not None]
    failed = sorted((part["segment"], _failure(part, planned)) for part in parts if not part["done"] and part.keys() & {"reason", "error"})
    if failed:
        others = f" {len(failed) - 1} more failed as well." if len(failed) > 1 else ""
        raise SegmentFailed(f"{failed[0][1]}{others}")
    stores.runs.step_finished(run_id, "score")
    stores.runs.step_started(run_id, "verify")
    times_done = Counter(part["segment"] for part in parts if part["done"])
    faulty = sorted(segment for segment in range(planned) if times_done[segment] != 1)
    if faulty or len(parts) != planned:
        named = ", ".join(str(segment + 1) for segment in faulty)
        raise IncompleteRun(f"{planned} segments were planned; not finished exactly once: {named or 'a segment that was not planned'}.")
    try:
        counts = Partials(stores.documents, run_id).add_up((part["segment"], part["turns"]) for part in parts).counts
    except LostCounts as error:
        raise IncompleteRun(str(error)) from error
    if counts["read"] != counts["scored"] + counts["churned"] + counts["refused"]:
        raise IncompleteRun(
            f"{counts['read']} customers were read, but {counts['scored']} scored, {counts['churned']} left out because they have left, "
            f"and {counts['refused']} refused."
        )
    stores.runs.step_finished(run_id, "verify", {"repaired": counts["repaired"]})
    return {"counts": dict(counts)}


def _failure(part: SegmentEnd, planned: int) -> str:
    return part.get("reason") or f"Segment {part['segment'] + 1} of {planned} was stopped ({part.get('error')})."


def finish(stores: Stores, event: FinishEvent) -> Finished:
    """Writes the drift report, adds the run to the trend, and ends the run."""
    version = event["model_version"]
    reference = load_reference(stores.models, stores.documents, version)
    roc_auc = get(stores.models, version).get("metrics", {}).get("roc_auc")
    return summarise(stores, event["run_id"], version, event["counts"], reference, roc_auc)


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it."""
    reason = reason_of(event["error"], FOR_PEOPLE, work="scoring")
    return fail_run(stores.runs, "scoring", event["run_id"], _started_by(event), reason)


def _started_by(event: RunEvent) -> str:
    return event["input"].get("started_by", "unknown")


def _figures(finished: Finished) -> Figures:
    """Customers scored, their distance from those of the training, and the performance to be expected on them."""
    fields = {"LargestDrift": "largest_drift", "DriftedColumns": "drifted_columns", "EstimatedAuc": "estimated_auc"}
    return {"PredictionsMade": finished["scored"], **known(finished, fields)}


TASKS: dict[str, Task] = {"plan": plan, "verify": verify, "finish": finish, "fail": fail}
TURNS: dict[str, LongTask] = {"score": score}
FIGURES: dict[str, ReadFigures] = {"finish": _figures}
