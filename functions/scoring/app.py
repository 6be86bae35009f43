"""The tasks of the scoring state machine."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.registry.loading import champion_model, later_champion, load_reference, load_version
from retainstream.registry.versions import get
from retainstream.runs.failure import SCORING_ERRORS, reason_of
from retainstream.runs.scoring import steps as run
from retainstream.settings import settings
from retainstream.storage.stores import Stores
from retainstream.telemetry.figures import of_scoring
from retainstream.telemetry.tasks import Tasks, by_name

if TYPE_CHECKING:
    from retainstream.engine.model.model import ScoringModel

stores = Stores()


def plan(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    started_by = event["input"].get("started_by", "unknown")
    stores.runs.start(event["run_id"], "scoring", started_by)  # before the model, so that its absence has a record to be told in
    model = champion_model(stores.models, stores.documents, 0)
    return run.plan(stores, model, event["run_id"], started_by, most_segments=settings().scoring_segments_max)


def score(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    version = event["model_version"]
    model, reference = load_version(stores.models, stores.documents, version), load_reference(stores.models, stores.documents, version)
    chosen = replace(model, chosen_at=event.get("chosen_at", ""))
    pace = run.writes_of_one(event["part"]["segments"], settings().scoring_writes_per_second, settings().scoring_concurrency)

    def left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def by(scorer: "ScoringModel") -> dict[str, Any]:
        bins = reference if scorer.schema.features == model.schema.features else None
        return run.score_segment(stores, scorer, bins, event["run_id"], event["part"], left, pace)

    return run.score_by_latest(by, chosen, lambda scorer: later_champion(stores.models, stores.documents, scorer))


def verify(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return run.verify(stores, event["run_id"], event["parts"], event["planned"])


def finish(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    version = event["model_version"]
    reference, roc_auc = (
        load_reference(stores.models, stores.documents, version),
        get(stores.models, version).get("metrics", {}).get("roc_auc"),
    )
    return run.finish(stores, event["run_id"], version, event["counts"], reference, roc_auc)


def fail(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    reason = reason_of(event["error"], SCORING_ERRORS, work="scoring")
    stores.runs.start(event["run_id"], "scoring", event["input"].get("started_by", "unknown"))
    stores.runs.fail(event["run_id"], reason)
    return {"reason": reason}


TASKS = by_name({"plan": plan, "score": score, "verify": verify, "finish": finish, "fail": fail})
handler = Tasks("scoring", TASKS, {"finish": of_scoring})
