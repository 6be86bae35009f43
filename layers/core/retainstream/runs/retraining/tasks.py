"""The tasks of the retraining state machine, by name."""

from retainstream.runs.failure import reason_of
from retainstream.runs.retraining import job, large, steps
from retainstream.runs.retraining import promotion as service
from retainstream.runs.retraining.workbench import Document
from retainstream.storage.stores import Stores

TRAINING_ERRORS = frozenset({"UnfitData", "TooFewRows", "OneClass", "ScoringFailed", "UnusableArtefact", "NoContainer", "UnusableSchema"})


def run_task(event: Document, stores: Stores | None = None) -> Document:
    """Does what `event["task"]` names. Every task may be called twice with the same event.

    Raises:
        KeyError: there is no such task.
    """
    task = {"begin": begin, "fail": fail, **steps.STEPS, **large.STEPS, **service.STEPS}[event["task"]]
    return task(stores or Stores(), event)


def begin(stores: Stores, event: Document) -> Document:
    """Opens the run: the one named in the execution's input, or a new one called like the execution."""
    run = _opened(stores, event)
    return {name: run[name] for name in ("run_id", "started_at", "started_by")}


def fail(stores: Stores, event: Document) -> Document:
    """Ends the run with the reason of the error that stopped it."""
    error = event["error"]
    told_by_sagemaker = job.failure(str(error.get("Error", "")), error.get("Cause"))
    reason = told_by_sagemaker or reason_of(error, TRAINING_ERRORS, work="retraining")
    stores.runs.fail(_opened(stores, event)["run_id"], reason)
    return {"reason": reason}


def _opened(stores: Stores, event: Document) -> Document:
    given = event["input"]
    run, _ = stores.runs.start(given.get("run_id") or event["execution"], "training", given.get("started_by", "unknown"))
    return run
