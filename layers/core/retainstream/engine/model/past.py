"""The history of a prediction."""

from typing import NotRequired, TypedDict

from retainstream.engine.records import PastPrediction, PreviousPrediction

HISTORY = 24


class Past(TypedDict):
    """history: at most 24 earlier predictions, newest first. change: probability minus the previous one; absent for the first."""

    history: list[PastPrediction]
    change: NotRequired[float]


def past_of(run_id: str, probability: float, previous: PreviousPrediction | None) -> Past:
    """The past of a prediction with this probability, from the customer's previous prediction.

    A run that scores a customer again replaces its own earlier prediction and keeps the same past, so that repeating a run changes
    nothing.
    """
    if previous is None:
        return {"history": []}
    history = list(previous.get("history", ()))
    if previous["run_id"] != run_id:
        history = [_summary(previous), *history][:HISTORY]
    if not history:
        return {"history": []}
    return {"history": history, "change": round(probability - history[0]["probability"], 6)}


def _summary(previous: PreviousPrediction) -> PastPrediction:
    summary: PastPrediction = {
        "scored_at": previous["scored_at"],
        "probability": previous["probability"],
        "model_version": previous["model_version"],
    }
    return {**summary, "level": previous["level"]} if "level" in previous else summary
