"""The dashboard's figures, from the counters and the record of the model in service."""

from pydantic import BaseModel, Field

from retainstream.dashboard.churn import ChurnRateView, MonthOfChurnView, churn_months, churn_rate_view, month_view, newest_rate
from retainstream.dashboard.figures import CustomerFigures, LevelFigures, PredictionFigures
from retainstream.dashboard.interval import IntervalView as IntervalView
from retainstream.dashboard.trend import ChangesView, DayPoint, TrendPoint, changes, day_point, expected_interval, figures_now, run_point
from retainstream.engine.model.levels import CALLED, RISK_LEVELS, bounds_of
from retainstream.engine.model.threshold_rule import LevelMeanings, meanings
from retainstream.engine.records import RiskLevel
from retainstream.storage.models import MoneyRecord, Version
from retainstream.storage.rollups import Dashboard, RunSnapshot


class CustomersView(BaseModel):
    total: int
    active: int = Field(description="Customers who are not known to have left")
    churned: int = Field(description="Customers known to have left")
    scored: int = Field(description="Customers with a prediction who have not left")


class PredictedChurnersView(BaseModel):
    """The scored customers who are expected to leave within the horizon, and those at high risk or above."""

    expected: float = Field(description="The number of customers who are expected to leave: the sum of the probabilities")
    expected_interval: IntervalView | None = Field(
        description="95% interval of that number, that of the last scoring run in proportion to `expected`; null before the first "
        "run that kept one"
    )
    count: int = Field(description="Customers at high risk or above: their probability was at or above the model's threshold")
    horizon_days: int | None = Field(description="null while no model is in service")
    threshold: float | None = Field(description="Threshold of the model in service")
    level_meanings: LevelMeanings | None = Field(description="What each level means for the model in service, in words")


class RevenueAtRiskView(BaseModel):
    """Value at risk, summed over all scored customers: probability * price * margin * months that a saved customer stays on average."""

    currency: str
    months: float = Field(description="The longest time for which a saved customer is counted, from the schema")
    total: float = Field(description="Over these months")
    per_month: float
    of_predicted_churners: float = Field(description="The part of the customers at high risk or above")


class ModelFiguresView(BaseModel):
    """The model in service, with its figures on held-out customers."""

    version: str
    created_at: str = Field(description="ISO 8601, UTC")
    roc_auc: float
    roc_auc_interval: IntervalView | None = Field(description="95%; null with fewer than ten churners")
    synthetic: bool = Field(description="Whether synthetic customers were used to train or evaluate it")
    ceiling_roc_auc: float | None = Field(description="The best possible AUC on the same synthetic customers; null for real data")


class LevelView(BaseModel):
    """The scored customers of one risk level."""

    level: RiskLevel
    customers: int
    mean_probability: float | None
    expected_churners: float
    value_at_risk: float


class FreshnessView(BaseModel):
    model_version: str | None = Field(description="The model of the last scoring run")
    scored_at: str | None = Field(description="When the last scoring run ended; ISO 8601, UTC")


class MetricsView(BaseModel):
    customers: CustomersView
    churn_rate: ChurnRateView | None = Field(description="The newest month that is over and covered by outcomes; null without such a month")
    churn_by_month: list[MonthOfChurnView] = Field(description="Months that are over, oldest first; the newest 24")
    known_outcomes: int
    predicted_churners: PredictedChurnersView
    revenue_at_risk: RevenueAtRiskView | None = Field(description="null while no model is in service, and where its schema has no price")
    model: ModelFiguresView | None = Field(description="null while no model is in service")
    levels: list[LevelView] = Field(description="From low to critical")
    changes: ChangesView
    trend: list[TrendPoint] = Field(description="One point a scoring run, oldest first; the last 200")
    days: list[DayPoint] = Field(description="One point a day, oldest first; the last 400")
    freshness: FreshnessView


def metrics(dashboard: Dashboard, record: Version | None) -> MetricsView:
    """The dashboard's figures. `record` is that of the version in service, or None."""
    customers, predictions = CustomerFigures(dashboard.customers), PredictionFigures(dashboard.predictions)
    levels: dict[str, LevelFigures] = {level: predictions.level(level) for level in RISK_LEVELS}
    everyone = sum(levels.values(), LevelFigures())
    called = sum((levels[level] for level in CALLED), LevelFigures())
    trend = [run_point(snapshot) for snapshot in dashboard.trend]
    months = churn_months(dashboard.customers)
    newest = newest_rate(months)
    return MetricsView(
        customers=CustomersView(
            total=customers.total,
            active=customers.stayed + customers.unknown,
            churned=customers.churned,
            scored=everyone.customers,
        ),
        churn_rate=churn_rate_view(newest) if newest else None,
        churn_by_month=[month_view(month) for month in months],
        known_outcomes=customers.churned + customers.stayed,
        predicted_churners=PredictedChurnersView(
            expected=everyone.expected_churners,
            expected_interval=_expected_interval(everyone, dashboard.trend[-1] if dashboard.trend else None),
            count=called.customers,
            horizon_days=record.get("horizon_days") if record else None,
            threshold=record["threshold"] if record else None,
            level_meanings=meanings(bounds_of(record), record.get("threshold_rule")) if record else None,
        ),
        revenue_at_risk=_revenue(everyone, called, record.get("money") if record else None),
        model=_model(record) if record else None,
        levels=[level_view(level, levels[level]) for level in RISK_LEVELS],
        changes=changes(figures_now(dashboard, record, at=""), trend),
        trend=trend,
        days=[day_point(snapshot) for snapshot in dashboard.days],
        freshness=FreshnessView(
            model_version=trend[-1].model_version if trend else None,
            scored_at=trend[-1].at if trend else None,
        ),
    )


def level_view(level: RiskLevel, figures: LevelFigures) -> LevelView:
    return LevelView(
        level=level,
        customers=figures.customers,
        mean_probability=figures.mean_probability,
        expected_churners=figures.expected_churners,
        value_at_risk=figures.value_at_risk,
    )


def _expected_interval(everyone: LevelFigures, last_run: RunSnapshot | None) -> IntervalView | None:
    """The last run's interval, in proportion to the customers who are scored now."""
    ends = expected_interval(last_run) if last_run else None
    if last_run is None or ends is None or not last_run["predicted_churners"]:
        return None
    share = everyone.expected_churners / last_run["predicted_churners"]
    return IntervalView(low=round(ends.low * share, 2), high=round(ends.high * share, 2))


def _revenue(everyone: LevelFigures, called: LevelFigures, money: MoneyRecord | None) -> RevenueAtRiskView | None:
    if not money:
        return None
    return RevenueAtRiskView(
        currency=money["currency"],
        months=money["months"],
        total=everyone.value_at_risk,
        per_month=round(everyone.value_at_risk / money["months"], 2),
        of_predicted_churners=called.value_at_risk,
    )


def _model(record: Version) -> ModelFiguresView:
    figures, ceiling = record["metrics"], record.get("ceiling")
    interval = figures.get("roc_auc_interval")
    return ModelFiguresView(
        version=record["version"],
        created_at=record["created_at"],
        roc_auc=figures["roc_auc"],
        roc_auc_interval=IntervalView(**interval) if interval else None,
        synthetic=record["synthetic"],
        ceiling_roc_auc=ceiling["roc_auc"] if ceiling else None,
    )
