"""The snapshot that the trend keeps of a day."""

from datetime import UTC, datetime
from typing import Any

from retainstream.dashboard.performance import realised
from retainstream.dashboard.trend import snapshot_of_day
from retainstream.registry.champion import record_in_service
from retainstream.storage.models import Models
from retainstream.storage.rollups import Rollups


def standing(rollups: Rollups, models: Models) -> dict[str, float | None]:
    """How things stand today: {model_age_days, days_since_scoring, realised_auc}; None where there is nothing to tell."""
    dashboard, record, now = rollups.dashboard(), record_in_service(models), datetime.now(UTC)
    judged = realised(dashboard.customers)
    return {
        "model_age_days": _days(now, record["created_at"]) if record else None,
        "days_since_scoring": _days(now, dashboard.trend[-1]["at"]) if dashboard.trend else None,
        "realised_auc": judged.roc_auc if judged else None,
    }


def _days(now: datetime, since: str) -> float:
    return round((now - datetime.fromisoformat(since)).total_seconds() / 86400, 3)


def keep_day(rollups: Rollups, models: Models, scheduled_at: str | None = None) -> dict[str, Any] | None:
    """Adds the counters as they stand to the trend, in place of an earlier snapshot of the same day, and returns what was added.

    The day is that of `scheduled_at` (ISO 8601), so that a schedule's late attempt after midnight does not take the next day's place; or
    today's, of UTC. None while there is nobody to count.

    Raises:
        StorageUnavailable: a table did not answer; the same call may be made again.
        Conflict: others wrote the trend at the same moment, every time; the same call may be made again.
    """
    now = datetime.now(UTC)
    day = datetime.fromisoformat(scheduled_at).astimezone(UTC) if scheduled_at else now
    at = now.isoformat(timespec="milliseconds")
    snapshot = snapshot_of_day(rollups.dashboard(), record_in_service(models), day=day.date().isoformat(), at=at)
    if snapshot is not None:
        rollups.add_day(snapshot)
    return snapshot
