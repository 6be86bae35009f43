"""The quality of the predictions, realised and estimated: from the counters and the last run's record, without reading customers."""

from collections.abc import Sequence
from math import log
from typing import Any, TypedDict

from pydantic import BaseModel, Field

from retainstream.dashboard.fold import MILLION, Counters
from retainstream.dashboard.metrics import IntervalView
from retainstream.dashboard.periods import Judgement, PerformanceByPeriod, judgement, months_judged, performance_by_period
from retainstream.engine.model.levels import CALLED
from retainstream.engine.monitoring.binned_auc import binned_auc, interval, realised_error
from retainstream.engine.monitoring.score_bins import SCORE_BINS, SCORE_MIDDLES
from retainstream.storage.documents import Documents
from retainstream.storage.models import Version
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs

FEW = 100
"""With fewer customers the text warns of chance."""


class ConfusionView(BaseModel):
    """The confusion matrix, where customers at high risk or above count as predicted churners. Counts; expected counts in an estimate."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float


class FiguresView(BaseModel):
    """A figure is null where it is not defined, as before the first customer has left, or where it would mislead."""

    basis: str = Field(description="How the figures were obtained, and from which customers")
    synthetic: bool = Field(description="Whether synthetic customers are among them: then the figures say little about a real business")
    customers: int
    churners: float = Field(description="Customers who left, or are expected to leave")
    churn_rate: float | None
    roc_auc: float | None = Field(description="From a histogram with 500 bins of probability; ties within a bin count half")
    roc_auc_interval: IntervalView | None = Field(description="95%; null with fewer than two customers of either outcome")
    brier: float | None = Field(description="Mean squared error of the probabilities")
    log_loss: float | None = Field(description="Mean -ln of the probability of the actual outcome, from the same histogram")
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: ConfusionView | None = Field(description="null for realised figures by month")


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
        description="The judged months of the model in service together. Before its first one, recorded outcomes compared with one "
        "prediction of each customer: the latest of a customer who left, the latest whose horizon had ended of a customer who stayed. null "
        "before the first such outcome"
    )
    estimate: EstimateView | None = Field(
        description="Estimated without outcomes for the customers that the model in service scored last (confidence-based performance "
        "estimation). It assumes calibrated probabilities, and does not see a changed relation between features and churn. null until the "
        "model has scored all customers"
    )


def performance(record: Version, rollups: Rollups, runs: Runs, documents: Documents) -> PerformanceView:
    """The evaluations of the model in service, whose record it is, and the performance by month, in three reads."""
    dashboard = rollups.dashboard()
    stored = judgement(documents)
    by_period = performance_by_period(stored, dashboard.trend[0]["at"] if dashboard.trend else None, record.get("horizon_days"))
    scorings = [snapshot["run_id"] for snapshot in dashboard.trend if snapshot["model_version"] == record["version"]]
    return PerformanceView(
        held_out=held_out(record),
        realised=realised_by_month(record, stored) or realised(dashboard.customers),
        estimate=estimate(runs.get(scorings[-1])) if scorings else None,
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
    """Figures of all judged months of this version: each prediction with the outcome of its own window. None before the first such month.

    Figures at the threshold are None: the history keeps no thresholds.
    """
    judged = months_judged(stored, record["version"])
    if judged is None:
        return None
    total, months = judged
    of_months = "1 judged month" if len(months) == 1 else f"{len(months)} judged months"
    customers = sum(month["left"] + month["stayed"] for month in months)
    return FiguresView.model_validate(
        {
            **total,
            "basis": f"Measured on the outcomes of {of_months} of this version, each prediction with the outcome of its own horizon.",
            "synthetic": record["synthetic"],
            "customers": customers,
            "churners": total["observed"],
            "churn_rate": total["observed"] / customers if customers else None,
            **dict.fromkeys(("precision", "recall", "f1", "confusion")),
        }
    )


def realised(customers: Counters) -> FiguresView | None:
    """Figures from outcomes that are compared with a prediction. None before the first.

    An outcome "left" counts at once, an outcome "stayed" only after a horizon. While fewer customers who stayed are compared than are
    waiting, or none, the figures that depend on the share who left are None: churn rate, precision, F1, Brier score and log loss.
    """
    sums = _sums(customers)

    def count(levels_called: bool, outcome: str) -> int:
        return sum(
            amount
            for name, amount in sums.items()
            if name[0] == "outcome" and name[1].endswith(f":{outcome}") and (name[1].split(":")[0] in CALLED) == levels_called
        )

    confusion = ConfusionView(
        true_positives=count(True, "churned"),
        false_positives=count(True, "stayed"),
        false_negatives=count(False, "churned"),
        true_negatives=count(False, "stayed"),
    )
    left, stayed = ([sums.get(("foreseen", f"{place}:{outcome}"), 0) for place in range(SCORE_BINS)] for outcome in ("churned", "stayed"))
    outcomes = sum(left) + sum(stayed)
    if not outcomes:
        return None
    auc, error = binned_auc(left, stayed), realised_error(left, stayed)
    waiting = sums.get(("customers", "stayed"), 0) - sum(stayed)
    balanced = sum(stayed) > 0 and sum(stayed) >= waiting
    rates = _rates(confusion)
    if not balanced:
        rates |= {"churn_rate": None, "precision": None, "f1": None}
    return FiguresView(
        basis=_basis(outcomes, sum(stayed), waiting),
        synthetic=sums.get(("synthetic", "outcomes"), 0) > 0,
        roc_auc=auc,
        roc_auc_interval=IntervalView(**interval(auc, error)) if auc is not None and error is not None else None,
        brier=sum(amount for name, amount in sums.items() if name[0] == "error") / MILLION**2 / outcomes if balanced else None,
        log_loss=_log_loss(left, stayed) / outcomes if balanced else None,
        **rates,
    )


def _basis(judged: int, stayed: int, waiting: int) -> str:
    """The basis of realised figures in sentences. `judged` customers are compared with a prediction, `stayed` of them stayed, and `waiting`
    others are known to have stayed."""
    sentences = [
        "Measured on recorded outcomes. A customer who left is compared with the latest prediction, a customer who stayed with the latest "
        "prediction whose horizon had ended."
    ]
    if not stayed:
        sentences.append("So far only customers who left are compared, so figures that depend on the share who left are not shown.")
    elif stayed < waiting:
        sentences.append("So far most of the compared customers left, so figures that depend on the share who left are not shown.")
    if waiting:
        sentences.append(
            f"Customers who stayed but are not compared, because no prediction was old enough at that time: {waiting:,}"
            + ("; until then the share who left is too high." if stayed >= waiting else ".")
        )
    if judged < FEW:
        sentences.append(f"With fewer than {FEW} customers these figures depend on chance.")
    return " ".join(sentences)


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


def _sums(counters: Counters) -> dict[tuple[str, str], int]:
    """Counters added up over the groups, by measure and which."""
    sums: dict[tuple[str, str], int] = {}
    for name, amount in counters.items():
        measure, which, _group = name.split("/", 2)
        sums[measure, which] = sums.get((measure, which), 0) + amount
    return sums


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


def _log_loss(left: Sequence[int], stayed: Sequence[int]) -> float:
    """Summed, every customer taken to be in the middle of its bin."""
    return -sum(gone * log(p) + here * log(1 - p) for gone, here, p in zip(left, stayed, SCORE_MIDDLES, strict=True))
