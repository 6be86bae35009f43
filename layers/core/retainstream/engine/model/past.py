"""What a prediction keeps of the ones before it."""

from collections.abc import Mapping
from typing import Any

HISTORY = 24

_KEPT = ("scored_at", "probability", "level", "model_version")


def with_past(prediction: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """`history` (newest first, at most 24 earlier predictions) and `change` (probability minus the one before; absent for the first).

    A run that scores a customer again replaces its own earlier answer and keeps the same past, so that a repeated run changes nothing.
    """
    if previous is None:
        return {"history": []}
    history = list(previous.get("history", ()))
    if previous["run_id"] != prediction["run_id"]:
        history = [{name: previous[name] for name in _KEPT if name in previous}, *history][:HISTORY]
    if not history:
        return {"history": []}
    return {"history": history, "change": round(prediction["probability"] - history[0]["probability"], 6)}
