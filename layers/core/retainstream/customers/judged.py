"""Which of a customer's predictions an outcome judges.

Who has left has left: that counts at once, against the latest prediction there is. That a customer stayed is known only when the horizon of
a prediction has run out, so it counts against the latest prediction made at least the horizon before the moment at which it is said. Newer
predictions wait until it is said again, later.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

type Prediction = dict[str, Any]

_SNAPSHOT = ("probability", "level", "model_version", "scored_at")


def judged(prediction: Mapping[str, Any] | None, horizon_days: int, *, churned: bool, moment: datetime) -> Prediction | None:
    """What is kept, beside an outcome known at a moment, of the prediction that it judges. None where it judges none.

    `prediction` is the customer's latest, with its `history`; an earlier one of which no level is kept is passed over.
    """
    if prediction is None:
        return None
    if churned:
        return _kept(prediction)
    known = (earlier for earlier in (prediction, *prediction.get("history", ())) if "level" in earlier)
    return next((_kept(earlier) for earlier in known if _ended(earlier, horizon_days) <= moment), None)


def judged_anew(
    kept: Mapping[str, Any] | None, prediction: Mapping[str, Any] | None, horizon_days: int, *, moment: datetime
) -> Prediction | None:
    """As `judged`, where a customer known to have stayed is said to have stayed once more: None unless it is a newer one than `kept`."""
    found = judged(prediction, horizon_days, churned=False, moment=moment)
    return found if found and (kept is None or _at(kept) < _at(found)) else None


def moment_of(day: str) -> datetime:
    """The first moment of a day (ISO 8601) in UTC, or a moment as it is given."""
    moment = datetime.fromisoformat(day)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kept(prediction: Mapping[str, Any]) -> Prediction:
    return {name: prediction[name] for name in _SNAPSHOT}


def _at(prediction: Mapping[str, Any]) -> datetime:
    return moment_of(prediction["scored_at"])


def _ended(prediction: Mapping[str, Any], horizon_days: int) -> datetime:
    return _at(prediction) + timedelta(days=horizon_days)
