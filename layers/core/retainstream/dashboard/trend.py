"""The trend: the figures of each scoring run, and of the counters at the end of each day."""

from typing import TypedDict

from pydantic import BaseModel, Field

from retainstream.dashboard.churn import churn_months, newest_rate
from retainstream.dashboard.figures import LevelFigures, PredictionFigures
from retainstream.dashboard.fold import Counters
from retainstream.dashboard.interval import IntervalView
from retainstream.engine.lives.months import month_name
from retainstream.engine.model.levels import CALLED
from retainstream.storage.models import Version
from retainstream.storage.rollups import ChurnOfSnapshot, Dashboard, DaySnapshot, RunSnapshot, Snapshot


class TrendFigures(BaseModel):
    """Sums over scored customers who were not known to have left. A figure is null where an earlier version did not keep it."""

    at: str = Field(description="When the figures were taken; ISO 8601, UTC")
    model_version: str | None = Field(description="The model in service; null while there was none")
    roc_auc: float | None = Field(description="AUC of that model on held-out customers")
    scored: int
    churn_rate: float | None = Field(
        description="Customers who left in churn_period / customers active on its first day; null while no month was over and covered"
    )
    churn_period: str | None = Field(description="The newest month with a rate at that time", examples=["2026-10"])
    predicted_churners: int = Field(description="Customers at high risk or above")
    expected_churners: float = Field(description="The sum of the probabilities")
    revenue_at_risk: float | None = Field(description="The sum of the customers' value at risk over the schema's months, in the currency")
    revenue_of_predicted_churners: float = Field(description="The part of the customers at high risk or above")


class _Figures(TypedDict):
    at: str
    model_version: str | None
    roc_auc: float | None
    scored: int
    churn_rate: float | None
    churn_period: str | None
    predicted_churners: int
    expected_churners: float
    revenue_at_risk: float | None
    revenue_of_predicted_churners: float


class TrendPoint(TrendFigures):
    """One scoring run."""

    run_id: str
    expected_interval: IntervalView | None = Field(
        description="95% interval of the customers who will leave; null for runs of earlier versions"
    )
    features_on: str | None = Field(
        description="The day that the features of most scored customers describe; null where it is not known", examples=["2026-01-31"]
    )


class DayPoint(TrendFigures):
    """One day, as of its last hour."""

    day: str = Field(description="In UTC, such as 2026-01-31")


class ChangeView(BaseModel):
    """Differences of figures; null where one of the two is not known. Shares are subtracted: 0.12 after 0.10 is 0.02."""

    churn_rate: float | None
    predicted_churners: int
    expected_churners: float
    revenue_at_risk: float | None
    revenue_of_predicted_churners: float
    roc_auc: float | None


class ChangesView(BaseModel):
    """Changes of the headline figures."""

    since_last_run: ChangeView | None = Field(description="Present figures minus those of the last scoring run; null before the first")
    in_last_run: ChangeView | None = Field(
        description="Figures of the last scoring run minus those of the run before; null before the second"
    )


def expected_interval(snapshot: RunSnapshot) -> IntervalView | None:
    """The 95% interval of the customers who will leave; None for a run of an earlier version."""
    ends = snapshot.get("expected_ends")
    return IntervalView(low=ends[0], high=ends[1]) if ends else None


def run_point(snapshot: RunSnapshot) -> TrendPoint:
    """The point of a scoring run."""
    return TrendPoint(
        run_id=snapshot["run_id"],
        expected_interval=expected_interval(snapshot),
        features_on=snapshot.get("features_on"),
        **_figures(snapshot),
    )


def day_point(snapshot: DaySnapshot) -> DayPoint:
    """The point of a day."""
    return DayPoint(day=snapshot["day"], **_figures(snapshot))


def figures_now(dashboard: Dashboard, record: Version | None, at: str) -> TrendFigures:
    """The trend's figures by the present counters. `record` is that of the model in service."""
    return TrendFigures(**_figures(_snapshot(dashboard, record, at)))


def changes(now: TrendFigures, runs: list[TrendPoint]) -> ChangesView:
    """The changes since the last run, and between the last two runs."""
    return ChangesView(
        since_last_run=_change(now, runs[-1]) if runs else None,
        in_last_run=_change(runs[-1], runs[-2]) if len(runs) > 1 else None,
    )


def snapshot_of_day(dashboard: Dashboard, record: Version | None, *, day: str, at: str) -> DaySnapshot | None:
    """The snapshot of a day, with the names of a run's snapshot. None without customers."""
    if not dashboard.customers and not dashboard.predictions:
        return None
    return {"day": day, **_snapshot(dashboard, record, at)}


def _snapshot(dashboard: Dashboard, record: Version | None, at: str) -> Snapshot:
    predictions = PredictionFigures(dashboard.predictions)
    everyone, called = predictions.all_levels(), sum((predictions.level(level) for level in CALLED), LevelFigures())
    return {
        "at": at,
        "model_version": record["version"] if record else None,
        "roc_auc": record["metrics"]["roc_auc"] if record else None,
        "scored": everyone.customers,
        **churn_of_snapshot(dashboard.customers),
        "predicted_churners": round(everyone.expected_churners, 2),
        "high_risk": called.customers,
        "value_at_risk": called.value_at_risk,
        "value_at_risk_of_all": everyone.value_at_risk,
    }


def churn_of_snapshot(customers: Counters) -> ChurnOfSnapshot:
    """The churn rate that a snapshot keeps, with its month."""
    newest = newest_rate(churn_months(customers))
    if newest is None or newest.rate is None:
        return {"churn_rate": None, "churn_period": None}
    return {"churn_rate": round(newest.rate, 6), "churn_period": month_name(newest.month)}


def _figures(snapshot: Snapshot) -> _Figures:
    return {
        "at": snapshot["at"],
        "model_version": snapshot["model_version"],
        "roc_auc": snapshot.get("roc_auc"),
        "scored": snapshot["scored"],
        "churn_rate": snapshot.get("churn_rate"),
        "churn_period": snapshot.get("churn_period"),
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
