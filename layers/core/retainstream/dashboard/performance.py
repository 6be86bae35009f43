"""The quality of the predictions: realised by the judged months, and estimated by the last run's record, without reading customers."""

from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import BaseModel, Field

from retainstream.dashboard.metrics import IntervalView
from retainstream.dashboard.periods import Judgement, PerformanceByPeriod, first_judged_on, judgement, months_judged, performance_by_period
from retainstream.storage.documents import Documents
from retainstream.storage.models import Version
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs

if TYPE_CHECKING:
    from retainstream.engine.history.performance import Realised


class ConfusionView(BaseModel):
    """The confusion matrix, where customers at high risk or above count as predicted churners. Counts; expected counts in an estimate."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float


class FiguresView(BaseModel):
    """A figure is null where it is not defined, as before the first customer has left."""

    basis: str = Field(description="How the figures were obtained, and from which customers")
    synthetic: bool = Field(description="Whether synthetic customers are among them: then the figures say little about a real business")
    customers: int
    churners: float = Field(description="Customers who left, or are expected to leave")
    churn_rate: float | None
    roc_auc: float | None = Field(
        description="An estimate is from a histogram with 500 bins of probability, where ties within a bin count half"
    )
    roc_auc_interval: IntervalView | None = Field(description="95%; null with fewer than ten customers of either outcome")
    brier: float | None = Field(description="Mean squared error of the probabilities")
    log_loss: float | None = Field(description="Mean -ln of the probability of the actual outcome")
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: ConfusionView | None = Field(description="null where the threshold of a version is not known")


class _Rates(TypedDict):
    customers: int
    churners: float
    churn_rate: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: ConfusionView


class EstimateView(FiguresView):
    """An estimate without outcomes. The interval is for the AUC that the outcomes of these customers will show."""

    run_id: str
    at: str = Field(description="When the run ended; ISO 8601, UTC")
    model_version: str


class HeldOutView(BaseModel):
    """Figures of the model in service on held-out customers, from its training run."""

    basis: str = Field(description="How the figures were obtained, and from which customers")
    customers: int | None
    model_version: str
    synthetic: bool = Field(description="Whether the customers are synthetic: then the figures say nothing about a real business")
    metrics: dict[str, Any]
    baseline: dict[str, Any] | None = Field(description="A linear model on the same customers")
    ceiling: dict[str, Any] | None = Field(description="The best figures possible on the same synthetic customers; null for real data")


class PerformanceView(PerformanceByPeriod):
    """Three evaluations of the model in service, which differ in their customers and in their assumptions, and the performance of all
    versions by month."""

    held_out: HeldOutView
    realised: FiguresView | None = Field(
        description="The judged months of the model in service together. null before the first one, since the outcome of a prediction is "
        "known only when its horizon has ended"
    )
    first_judged_on: str | None = Field(
        description="The day through which outcomes must be known for the first judgement of the model in service; null once `realised` is "
        "not null, or while the model has scored no customers",
        examples=["2026-10-30"],
    )
    estimate: EstimateView | None = Field(
        description="Estimated without outcomes for the customers that the model in service scored last (confidence-based performance "
        "estimation). It assumes calibrated probabilities, and does not see a changed relation between features and churn. null until the "
        "model has scored all customers"
    )


def performance(record: Version, rollups: Rollups, runs: Runs, documents: Documents) -> PerformanceView:
    """The evaluations of the model in service, whose record it is, and the performance by month, in four reads."""
    dashboard = rollups.dashboard()
    stored = judgement(documents)
    by_period = performance_by_period(stored, dashboard.trend[0]["at"] if dashboard.trend else None, record.get("horizon_days"))
    scorings = [snapshot for snapshot in dashboard.trend if snapshot["model_version"] == record["version"]]
    return PerformanceView(
        held_out=held_out(record),
        realised=realised_by_month(record, stored),
        first_judged_on=first_judged_on(record, stored, scorings[0]["at"] if scorings else None),
        estimate=estimate(runs.get(scorings[-1]["run_id"])) if scorings else None,
        by_period=by_period.by_period,
        next_judged_on=by_period.next_judged_on,
    )


def held_out(record: Version) -> HeldOutView:
    """The figures of a version's record, from its training."""
    return HeldOutView(
        basis="Measured at training on held-out customers with known outcomes.",
        customers=record["metrics"].get("rows"),
        model_version=record["version"],
        synthetic=record["synthetic"],
        metrics=record["metrics"],
        baseline=record.get("baseline_metrics"),
        ceiling=record.get("ceiling"),
    )


def realised_by_month(record: Version, stored: Judgement | None) -> FiguresView | None:
    """Figures of all judged months of this version, each prediction with the outcome of its own window. None before the first month."""
    judged = months_judged(stored, record["version"])
    if judged is None:
        return None
    total, months = judged
    of_months = "1 judged month" if len(months) == 1 else f"{len(months)} judged months"
    customers = sum(month["left"] + month["stayed"] for month in months)
    return FiguresView.model_validate(
        {
            **total,
            "basis": f"Measured on the outcomes of {of_months} of this version: one scoring run in each month, each prediction with the "
            "outcome of its own horizon.",
            "synthetic": record["synthetic"],
            "customers": customers,
            "churners": total["observed"],
            "churn_rate": total["observed"] / customers if customers else None,
            **_at_threshold(total, customers),
        }
    )


def _at_threshold(total: "Realised", customers: int) -> dict[str, Any]:
    at = total.get("at_threshold")
    if at is None:
        return dict.fromkeys(("precision", "recall", "f1", "confusion"))
    false_positives, false_negatives = at["called"] - at["left"], total["observed"] - at["left"]
    confusion = ConfusionView(
        true_positives=at["left"],
        false_positives=false_positives,
        false_negatives=false_negatives,
        true_negatives=customers - at["called"] - false_negatives,
    )
    return {**_rates(confusion)}


def estimate(run: Run | None) -> EstimateView | None:
    """The figures that a scoring run expected of its customers. None where it scored no customers."""
    expected = run["result"].get("estimate") if run and run.get("result") else None
    if run is None or not expected:
        return None
    return EstimateView(
        basis="Estimated, not measured: from the probabilities of the customers scored last, assuming that these are calibrated. Their "
        "outcomes are not known yet.",
        run_id=run["run_id"],
        at=run["finished_at"],
        model_version=run["result"]["model_version"],
        **{name: expected[name] for name in ("synthetic", "roc_auc", "roc_auc_interval", "brier", "log_loss")},
        **_rates(ConfusionView.model_validate({name: expected[name] for name in ConfusionView.model_fields})),
    )


def _rates(confusion: ConfusionView) -> _Rates:
    """The figures that follow from a confusion matrix with customers in it."""
    called = confusion.true_positives + confusion.false_positives
    churners = confusion.true_positives + confusion.false_negatives
    customers = round(called + confusion.false_negatives + confusion.true_negatives)
    hits = confusion.true_positives
    return {
        "customers": customers,
        "churners": churners,
        "churn_rate": churners / customers,
        "precision": hits / called if called else None,
        "recall": hits / churners if churners else None,
        "f1": 2 * hits / (called + churners) if called + churners else None,
        "confusion": confusion,
    }
