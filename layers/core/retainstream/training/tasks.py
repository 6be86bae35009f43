"""The tasks of the retraining state machine, by name."""

import json
from typing import Any

from retainstream.training import service, steps
from retainstream.training.workbench import Document, Stores

_TOLD_AS_THEY_ARE = {"UnfitData", "TooFewRows", "OneClass", "ScoringFailed"}


def run_task(event: Document, stores: Stores | None = None) -> Document:
    """Does what `event["task"]` names. Every task may be called twice with the same event.

    Raises:
        KeyError: there is no such task.
    """
    task = {"begin": begin, "fail": fail, **steps.STEPS, **service.STEPS}[event["task"]]
    return task(stores or Stores(), event)


def begin(stores: Stores, event: Document) -> Document:
    """Opens the run: the one named in the execution's input, or a new one called like the execution."""
    run = _opened(stores, event)
    return {name: run[name] for name in ("run_id", "started_at", "started_by")}


def fail(stores: Stores, event: Document) -> Document:
    """Ends the run with the reason of the error that stopped it."""
    reason = reason_of(event["error"])
    stores.runs.fail(_opened(stores, event)["run_id"], reason)
    return {"reason": reason}


def _opened(stores: Stores, event: Document) -> Document:
    given = event["input"]
    run, _ = stores.runs.start(given.get("run_id") or event["execution"], "training", given.get("started_by", "unknown"))
    return run


def reason_of(error: Document) -> str:
    """A caught error of the state machine ({"Error", "Cause"}) as a sentence. What is not ours to tell is in the log, not here."""
    name = str(error.get("Error", "")).rsplit(".", 1)[-1]
    if name in _TOLD_AS_THEY_ARE:
        return _message(error.get("Cause", ""))
    if name == "StorageUnavailable":
        return "A service that training needs did not answer, even after several tries. Start the training again later."
    if name in ("Timeout", "Timedout"):
        return "A step took longer than it may."
    return f"Training stopped at an unexpected error ({name or 'unknown'}); the log of the retraining function has the details."


def _message(cause: Any) -> str:
    try:
        told = json.loads(cause)
    except (TypeError, ValueError):
        return str(cause)
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else str(cause)
