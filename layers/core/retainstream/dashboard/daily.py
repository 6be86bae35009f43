"""The daily snapshot of the trend, and the daily metrics."""

from datetime import UTC, datetime
from typing import TypedDict

from retainstream.dashboard.trend import snapshot_of_day
from retainstream.registry.champion import record_in_service
from retainstream.storage.models import Models
from retainstream.storage.rollups import DaySnapshot, Rollups


class Standing(TypedDict):
    """Daily metrics. A figure is None where there is no model or run."""

    model_age_days: float | None
    days_since_scoring: float | None


def standing(rollups: Rollups, models: Models) -> Standing:
    """The ages of the model and of the predictions at this moment."""
    dashboard, record, now = rollups.dashboard(), record_in_service(models), datetime.now(UTC)
    return {
        "model_age_days": _days(now, record["created_at"]) if record else None,
        "days_since_scoring": _days(now, dashboard.trend[-1]["at"]) if dashboard.trend else None,
    }


def _days(now: datetime, since: str) -> float:
    return round((now - datetime.fromisoformat(since)).total_seconds() / 86400, 3)


def keep_day(rollups: Rollups, models: Models, scheduled_at: str | None = None) -> DaySnapshot | None:
    """Adds a snapshot of the counters to the trend, replaces an earlier one of the same day, and returns it. None without customers.

    The day is that of `scheduled_at` (ISO 8601), so that a late attempt after midnight does not replace the next day's snapshot. Default:
    today in UTC.

    Raises:
        StorageUnavailable: a table did not answer. The same call may be made again.
        Conflict: other writers changed the trend first every time. The same call may be made again.
    """
    now = datetime.now(UTC)
    day = datetime.fromisoformat(scheduled_at).astimezone(UTC) if scheduled_at else now
    at = now.isoformat(timespec="milliseconds")
    snapshot = snapshot_of_day(rollups.dashboard(), record_in_service(models), day=day.date().isoformat(), at=at)
    if snapshot is not None:
        rollups.add_day(snapshot)
    return snapshot
