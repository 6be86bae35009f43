"""What stopped a run, as a sentence for its record."""

import json
from collections.abc import Mapping
from typing import Any

_TOLD_AS_THEY_ARE = {"IncompleteRun", "SegmentFailed", "StorageUnavailable", "NoModel", "CorruptModel"}


def reason_of(error: Mapping[str, Any]) -> str:
    """An error a state machine caught ({"Error", "Cause"}) as a sentence; what is not the package's own to tell stays in the log."""
    name = str(error.get("Error", "")).rsplit(".", 1)[-1]
    if name in _TOLD_AS_THEY_ARE:
        return _message(error.get("Cause"))
    if name in ("Timeout", "Timedout"):
        return "A step took longer than it may."
    return f"Scoring stopped at an unexpected error ({name or 'unknown'}); the log of the scoring function has the details."


def _message(cause: Any) -> str:
    try:
        told = json.loads(cause)
    except (TypeError, ValueError):
        return str(cause)
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else str(cause)
