"""What each scoring run left the business with, one snapshot a run."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from retainstream.rollups.figures import CustomerFigures, LevelFigures, PredictionFigures
from retainstream.scoring.levels import LEVELS
from retainstream.storage.errors import Conflict
from retainstream.storage.rollups import Dashboard, Rollups

CALLED = ("high", "critical")
"""The levels at or above the model's threshold: these customers are expected to leave."""
_ATTEMPTS = 5


class TrendPoint(BaseModel):
    """The figures as they stood when a scoring run had ended."""

    run_id: str
    at: str = Field(description="ISO 8601, UTC")
    model_version: str
    scored: int = Field(description="Customers with a prediction who have not left")
    predicted_churners: int = Field(description="Of these, customers at or above the model's threshold")
    expected_churners: float = Field(description="The sum of the probabilities")
    value_at_risk: float = Field(description="Expected revenue lost over the schema's months, in the currency")
    churn_rate: float | None = Field(description="Share of customers with a known outcome who left")


def record_run(
    rollups: Rollups, *, run_id: str, at: str, model_version: str, levels: Mapping[str, LevelFigures] | None = None
) -> TrendPoint:
    """Adds the snapshot of a scoring run to the trend; a run that is recorded again replaces its own.

    `levels` are the run's own sums by risk level. Without them the counters are taken as they stand, which may be seconds behind.

    Raises:
        Conflict: other runs were recorded at the same moment every time.
    """
    point = trend_point(rollups.dashboard(), run_id=run_id, at=at, model_version=model_version, levels=levels)
    for attempt in range(_ATTEMPTS):
        try:
            rollups.add_trend(point.model_dump())
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    return point


def trend_point(
    dashboard: Dashboard, *, run_id: str, at: str, model_version: str, levels: Mapping[str, LevelFigures] | None = None
) -> TrendPoint:
    figures = PredictionFigures(dashboard.predictions)
    by_level = levels if levels is not None else {level: figures.level(level) for level in LEVELS}
    everyone = sum(by_level.values(), LevelFigures())
    return TrendPoint(
        run_id=run_id,
        at=at,
        model_version=model_version,
        scored=everyone.customers,
        predicted_churners=sum(by_level[level].customers for level in CALLED if level in by_level),
        expected_churners=everyone.expected_churners,
        value_at_risk=everyone.value_at_risk,
        churn_rate=CustomerFigures(dashboard.customers).churn_rate,
    )


def points_of(snapshots: list[dict[str, Any]]) -> list[TrendPoint]:
    """Stored snapshots, oldest first."""
    return [TrendPoint.model_validate(snapshot) for snapshot in snapshots]
