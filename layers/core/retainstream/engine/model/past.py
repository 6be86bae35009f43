"""The history of a prediction."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from retainstream.engine.records import PastPrediction, Prediction, PreviousPrediction

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
    if "features_on" in previous:
        summary["features_on"] = previous["features_on"]
    return {**summary, "level": previous["level"]} if "level" in previous else summary


class Described(TypedDict):
    """The day that the features of a prediction describe; absent where it is the day of the scoring."""

    features_on: NotRequired[str]


def described_day(customer: Mapping[str, object], scored_at: str = "") -> str:
    """The day that the features of a customer (`records.NewCustomer`) describe, that of `scored_at` where it is not recorded."""
    return str(customer.get("features_at") or customer.get("updated_at") or scored_at)[:10]


def described_on(day: str, scored_at: str) -> Described:
    """`day` is an ISO day or moment, `scored_at` a moment."""
    return {} if day[:10] == scored_at[:10] else {"features_on": day[:10]}


def features_day(prediction: Prediction | PreviousPrediction | PastPrediction) -> str:
    """The day that the features of a prediction describe (2026-01-31), from which its horizon counts."""
    return prediction.get("features_on", prediction["scored_at"][:10])
