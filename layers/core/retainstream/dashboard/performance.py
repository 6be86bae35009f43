"""How good predictions turned out, and how good they ought to be: from the counters and the last run's record, not from customers."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from pydantic import BaseModel, Field

from retainstream.dashboard.fold import MILLION, Counters
from retainstream.dashboard.metrics import IntervalView
from retainstream.engine.monitoring.binned_auc import binned_auc, interval, realised_error
from retainstream.engine.monitoring.score_bins import SCORE_BINS, SCORE_MIDDLES
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Runs

FEW = 100
"""Fewer customers than these are said to be few."""
_CALLED = ("high", "critical")


class ConfusionView(BaseModel):
    """Customers at high risk or above are called churners. Counts, or expected counts in an estimate."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float


class FiguresView(BaseModel):
    """Null where it is not defined, for instance while nobody has left, or would mislead because mostly those who left are judged."""

    basis: str = Field(description="What these figures are, and whom they stand on")
    synthetic: bool = Field(description="Whether generated customers are among them: then this says little about a real business")
    customers: int
    churners: float = Field(description="Customers who left, or are expected to")
    churn_rate: float | None
    roc_auc: float | None = Field(description="From a histogram with 500 bins of probability, ties within a bin counting half")
    roc_auc_interval: IntervalView | None = Field(description="95 %; null with fewer than two of either outcome")
    brier: float | None = Field(description="Mean squared error of the probabilities")
    log_loss: float | None = Field(description="Mean -ln of the probability given to what happens, from the same histogram")
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: ConfusionView


class EstimateView(FiguresView):
    """The interval is for the AUC that the outcomes of these customers will show."""

    run_id: str
    at: str = Field(description="When the run ended; ISO 8601, UTC")
    model_version: str


class HeldOutView(BaseModel):
    """Figures of the model in service on rows it never saw, from its training run."""

    basis: str = Field(description="What these figures are, and whom they stand on")
    customers: int | None
    model_version: str
    synthetic: bool = Field(description="Whether the rows were generated: then these figures say nothing about a real business")
    metrics: dict[str, Any]
    baseline: dict[str, Any] | None = Field(description="A linear model on the same rows")
    ceiling: dict[str, Any] | None = Field(description="What the generator's true probabilities reach on the same rows; null for real data")


class PerformanceView(BaseModel):
    """The same model judged three ways. They differ in which customers they speak of, and in what they assume."""

    held_out: HeldOutView
    realised: FiguresView | None = Field(
        description="Recorded outcomes against the prediction each judges: of a customer who left the latest there was, of one who stayed "
        "the latest whose horizon had run out; null while there is none"
    )
    estimate: EstimateView | None = Field(
        description="To be expected, without outcomes, of the customers whom the model in service scored last (confidence-based "
        "performance estimation). Right as far as the probabilities are calibrated; blind to a changed relation between features and "
        "churn. Null until the model has scored everybody"
    )


def performance(record: Mapping[str, Any], rollups: Rollups, runs: Runs) -> PerformanceView:
    """Puts the three judgements of the model in service, whose record it is, side by side, in two reads."""
    dashboard = rollups.dashboard()
    scorings = [snapshot["run_id"] for snapshot in dashboard.trend if snapshot["model_version"] == record["version"]]
    return PerformanceView(
        held_out=held_out(record),
        realised=realised(dashboard.customers),
        estimate=estimate(runs.get(scorings[-1])) if scorings else None,
    )


def held_out(record: Mapping[str, Any]) -> HeldOutView:
    """The figures that a version's record has from its training."""
    return HeldOutView(
        basis="Measured at training, on customers with known outcomes whom the model had not seen.",
        customers=record["metrics"].get("rows"),
        model_version=record["version"],
        synthetic=record["synthetic"],
        metrics=record["metrics"],
        baseline=record.get("baseline_metrics"),
        ceiling=record.get("ceiling"),
    )


def realised(customers: Counters) -> FiguresView | None:
    """Figures from outcomes that judge a prediction. None when there is none.

    Who left is judged at once, who stayed only after a horizon. While fewer are judged of those known to have stayed than are not, or
    none, the figures that rest on the share who left are None: churn rate, precision, F1, Brier score and log loss.
    """
    sums = _sums(customers)

    def count(levels_called: bool, outcome: str) -> int:
        return sum(
            amount
            for name, amount in sums.items()
            if name[0] == "outcome" and name[1].endswith(f":{outcome}") and (name[1].split(":")[0] in _CALLED) == levels_called
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
    rates = _rates(confusion) | ({} if balanced else {"churn_rate": None, "precision": None, "f1": None})
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
    """What realised figures stand on, in sentences: how many are judged, how many of them stayed, how many others are known to have."""
    said = [
        "Measured on recorded outcomes: of customers who left against the latest prediction there was, of customers who stayed against the "
        "latest whose horizon had run out."
    ]
    if not stayed:
        said.append("So far only customers who left are judged: recall is theirs, and what rests on the share who left is not shown.")
    elif stayed < waiting:
        said.append("So far mostly customers who left are judged: what rests on the share who left is not shown.")
    if waiting:
        said.append(
            f"Customers known to have stayed but not judged, because no prediction was old enough when it was said: {waiting:,}"
            + ("; until then the churn rate is too high." if stayed >= waiting else ".")
        )
    if judged < FEW:
        said.append(f"Fewer than {FEW} customers: chance alone moves these figures.")
    return " ".join(said)


def estimate(run: Mapping[str, Any] | None) -> EstimateView | None:
    """The figures that a scoring run expected of its customers. None where it scored nobody."""
    found = run["result"].get("estimate") if run and run.get("result") else None
    if run is None or not found:
        return None
    return EstimateView(
        basis="Expected, not measured: from the probabilities of the customers scored last, as far as these are calibrated. Nobody knows "
        "their outcomes yet.",
        run_id=run["run_id"],
        at=run["finished_at"],
        model_version=run["result"]["model_version"],
        **{name: found[name] for name in ("synthetic", "roc_auc", "roc_auc_interval", "brier", "log_loss")},
        **_rates(ConfusionView.model_validate({name: found[name] for name in ConfusionView.model_fields})),
    )


def _sums(counters: Counters) -> dict[tuple[str, str], int]:
    """Counters added up over the groups, by measure and which."""
    sums: dict[tuple[str, str], int] = {}
    for name, amount in counters.items():
        measure, which, _group = name.split("/", 2)
        sums[measure, which] = sums.get((measure, which), 0) + amount
    return sums


def _rates(confusion: ConfusionView) -> dict[str, Any]:
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
