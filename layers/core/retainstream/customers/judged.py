"""The prediction that an outcome is compared with.

An outcome "left" counts at once, for the latest prediction. An outcome "stayed" is known only when the horizon of a prediction has ended,
so it counts for the latest prediction whose features are of a day at least the horizon before the outcome. For newer predictions the same
outcome has to be recorded again, later.
"""

from datetime import UTC, datetime, timedelta

from retainstream.engine.records import JudgedPrediction, PastPrediction, Prediction, PreviousPrediction


def judged(
    prediction: Prediction | PreviousPrediction | None, horizon_days: int, *, churned: bool, moment: datetime
) -> JudgedPrediction | None:
    """The prediction that an outcome of this moment is compared with, or None.

    `prediction` is the customer's latest, with its `history`. Earlier ones without a level are skipped.
    """
    if prediction is None:
        return None
    latest = _snapshot(prediction)
    if churned:
        return latest
    made: list[Prediction | PreviousPrediction | PastPrediction] = [prediction, *prediction.get("history", ())]
    ended = (_snapshot(earlier) for earlier in made if _ended(earlier, horizon_days) <= moment)
    return next((snapshot for snapshot in ended if snapshot), None)


def judged_anew(
    kept: JudgedPrediction | None, prediction: Prediction | PreviousPrediction | None, horizon_days: int, *, moment: datetime
) -> JudgedPrediction | None:
    """As `judged`, for a customer known to have stayed who is recorded to have stayed again: None unless newer than `kept`."""
    newest = judged(prediction, horizon_days, churned=False, moment=moment)
    return newest if newest and (kept is None or _at(kept) < _at(newest)) else None


def moment_of(day: str) -> datetime:
    """The first moment of a day (ISO 8601) in UTC; a moment is returned as it is."""
    moment = datetime.fromisoformat(day)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _snapshot(prediction: Prediction | PreviousPrediction | PastPrediction) -> JudgedPrediction | None:
    if "level" not in prediction:
        return None
    return {
        "scored_at": prediction["scored_at"],
        "probability": prediction["probability"],
        "level": prediction["level"],
        "model_version": prediction["model_version"],
    }


def _at(prediction: JudgedPrediction) -> datetime:
    return moment_of(prediction["scored_at"])


def _ended(prediction: Prediction | PreviousPrediction | PastPrediction, horizon_days: int) -> datetime:
    begun = moment_of(prediction["features_on"] if "features_on" in prediction else prediction["scored_at"])
    return begun + timedelta(days=horizon_days)
