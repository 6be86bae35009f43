"""What stopped a run, as a sentence for its record."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

SCORING_ERRORS = frozenset({"IncompleteRun", "SegmentFailed", "NoModel", "CorruptModel", "UnknownVersion", "UnusableSchema"})


def reason_of(error: Mapping[str, Any], ours: AbstractSet[str], *, work: str) -> str:
    """An error a state machine caught ({"Error", "Cause"}) as a sentence.

    The messages of `ours`, errors by class name, are told as they are; what any other error says stays in the log. `work` names what was
    being done: scoring, retraining.
    """
    name = str(error.get("Error", "")).rsplit(".", 1)[-1]
    if name in ours:
        return _message(error.get("Cause"))
    if name == "StorageUnavailable":
        return f"A service that {work} needs did not answer, even after several tries. Start it again later."
    if name in ("Timeout", "Timedout"):
        return "A step took longer than it may."
    if name in ("ExitError", "Unknown"):
        return f"A process that did a step of {work} was ended before it was done, even after several tries; most often it lacks memory."
    return f"An unexpected error ({name or 'unknown'}) stopped the run; the log of the {work} function has the details."


def _message(cause: Any) -> str:
    try:
        told = json.loads(cause)
    except (TypeError, ValueError):
        return str(cause)
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else str(cause)
