"""What each scoring run found, run after run, and what the counters said at the end of each day."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from retainstream.dashboard.figures import CALLED, CustomerFigures, LevelFigures, PredictionFigures
from retainstream.storage.rollups import Dashboard


class TrendFigures(BaseModel):
    """Sums over the scored customers who were not known to have left. A figure is null where an earlier version did not keep it."""

    at: str = Field(description="When it was taken; ISO 8601, UTC")
    model_version: str | None = Field(description="The model in service; null while there was none")
    roc_auc: float | None = Field(description="That model's, on customers it never saw")
    scored: int
    churn_rate: float | None = Field(description="Share of customers with a known outcome who left; null while no outcome was known")
    predicted_churners: int = Field(description="Customers at or above the model's threshold")
    expected_churners: float = Field(description="The sum of the probabilities")
    revenue_at_risk: float | None = Field(description="Expected revenue lost over the schema's months, in the currency")
    revenue_of_predicted_churners: float = Field(description="The part of customers at or above the model's threshold")


class TrendPoint(TrendFigures):
    """One scoring run."""

    run_id: str


class DayPoint(TrendFigures):
    """One day, as its last hour left it."""

    day: str = Field(description="Of UTC, as in 2026-01-31")


class ChangeView(BaseModel):
    """Figures less what they were before; null where either is not known. Shares are subtracted, not divided: .12 after .10 is .02."""

    churn_rate: float | None
    predicted_churners: int
    expected_churners: float
    revenue_at_risk: float | None
    revenue_of_predicted_churners: float
    roc_auc: float | None


class ChangesView(BaseModel):
    """How the headline figures have moved."""

    since_last_run: ChangeView | None = Field(description="The figures now, less what the last scoring run found; null before the first")
    in_last_run: ChangeView | None = Field(
        description="What the last scoring run found, less what the one before it found; null before the second"
    )


def run_point(snapshot: Mapping[str, Any]) -> TrendPoint:
    """A snapshot as the scoring run stored it."""
    return TrendPoint(run_id=snapshot["run_id"], **_figures(snapshot))


def day_point(snapshot: Mapping[str, Any]) -> DayPoint:
    """A snapshot as `snapshot_of_day` made it."""
    return DayPoint(day=snapshot["day"], **_figures(snapshot))


def figures_now(dashboard: Dashboard, record: Mapping[str, Any] | None, at: str) -> TrendFigures:
    """The trend's figures by the counters as they stand. `record` is that of the model in service."""
    return TrendFigures(**_figures(_snapshot(dashboard, record, at)))


def changes(now: TrendFigures, runs: list[TrendPoint]) -> ChangesView:
    """How the figures moved since the last of the runs, and between the last two."""
    return ChangesView(
        since_last_run=_change(now, runs[-1]) if runs else None,
        in_last_run=_change(runs[-1], runs[-2]) if len(runs) > 1 else None,
    )


def snapshot_of_day(dashboard: Dashboard, record: Mapping[str, Any] | None, *, day: str, at: str) -> dict[str, Any] | None:
    """What the trend keeps of a day, under the names that a run's snapshot has. None while there is nobody to count."""
    if not dashboard.customers and not dashboard.predictions:
        return None
    return {"day": day, **_snapshot(dashboard, record, at)}


def _snapshot(dashboard: Dashboard, record: Mapping[str, Any] | None, at: str) -> dict[str, Any]:
    customers, predictions = CustomerFigures(dashboard.customers), PredictionFigures(dashboard.predictions)
    everyone, called = predictions.all_levels(), sum((predictions.level(level) for level in CALLED), LevelFigures())
    return {
        "at": at,
        "model_version": record["version"] if record else None,
        "roc_auc": record["metrics"]["roc_auc"] if record else None,
        "scored": everyone.customers,
        "churned": customers.churned,
        "stayed": customers.stayed,
        "predicted_churners": round(everyone.expected_churners, 2),
        "high_risk": called.customers,
        "value_at_risk": called.value_at_risk,
        "value_at_risk_of_all": everyone.value_at_risk,
    }


def _figures(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    churned, stayed = snapshot.get("churned", 0), snapshot.get("stayed")
    known = churned + stayed if stayed is not None else 0
    return {
        "at": snapshot["at"],
        "model_version": snapshot["model_version"],
        "roc_auc": snapshot.get("roc_auc"),
        "scored": snapshot["scored"],
        "churn_rate": round(churned / known, 6) if known else None,
        "predicted_churners": snapshot["high_risk"],
        "expected_churners": snapshot["predicted_churners"],
        "revenue_at_risk": snapshot.get("value_at_risk_of_all"),
        "revenue_of_predicted_churners": snapshot["value_at_risk"],
    }


def _change(after: TrendFigures, before: TrendFigures) -> ChangeView:
    def less(name: str, digits: int) -> float | None:
        was, is_now = getattr(before, name), getattr(after, name)
        return round(is_now - was, digits) if was is not None and is_now is not None else None

    return ChangeView(
        churn_rate=less("churn_rate", 6),
        predicted_churners=after.predicted_churners - before.predicted_churners,
        expected_churners=round(after.expected_churners - before.expected_churners, 2),
        revenue_at_risk=less("revenue_at_risk", 2),
        revenue_of_predicted_churners=round(after.revenue_of_predicted_churners - before.revenue_of_predicted_churners, 2),
        roc_auc=less("roc_auc", 6),
    )
