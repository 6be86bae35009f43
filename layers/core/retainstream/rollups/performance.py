"""How good predictions turned out, and how good they ought to be, from counters alone."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from retainstream.rollups.fold import BINS, MILLION, Counters

_CALLED = ("high", "critical")


class ConfusionView(BaseModel):
    """Customers at high risk or above are called churners. Counts, or expected counts in an estimate."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float


class FiguresView(BaseModel):
    """Null where it is not defined, for instance while nobody has left."""

    customers: int
    churners: float = Field(description="Customers who left, or are expected to")
    churn_rate: float
    roc_auc: float | None = Field(description="From a histogram of probabilities with 20 bins, ties within a bin counting half")
    brier: float = Field(description="Mean squared error of the probabilities")
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: ConfusionView


class HeldOutView(BaseModel):
    """Figures of the model in service on rows it never saw, from its training run."""

    model_version: str
    synthetic: bool = Field(description="Whether the rows were generated: then these figures say nothing about a real business")
    metrics: dict[str, Any]
    baseline: dict[str, Any] | None = Field(description="A linear model on the same rows")
    ceiling: dict[str, Any] | None = Field(description="What the generator's true probabilities reach on the same rows; null for real data")


class PerformanceView(BaseModel):
    """The same model judged three ways. They differ in which customers they speak of, and in what they assume."""

    held_out: HeldOutView
    realised: FiguresView | None = Field(
        description="Recorded outcomes against the prediction there was when each became known; null while there is none"
    )
    estimate: FiguresView | None = Field(
        description="Expected today, without outcomes, from the probabilities of the latest predictions (confidence-based performance "
        "estimation). Right as far as the probabilities are calibrated; blind to a changed relation between features and churn"
    )


def performance(record: Mapping[str, Any], customers: Counters, predictions: Counters) -> PerformanceView:
    """Puts the three judgements side by side.

    Args:
        record: the record of the model version in service.
        customers, predictions: the counters of both tables; see `fold`.
    """
    return PerformanceView(
        held_out=HeldOutView(
            model_version=record["version"],
            synthetic=record["synthetic"],
            metrics=record["metrics"],
            baseline=record.get("baseline_metrics"),
            ceiling=record.get("ceiling"),
        ),
        realised=realised(customers),
        estimate=estimate(predictions),
    )


def realised(customers: Counters) -> FiguresView | None:
    """Figures from outcomes whose customer had a prediction when the outcome became known. None when there is none."""
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
    squared_error = sum(amount for name, amount in sums.items() if name[0] == "error") / MILLION**2
    left = [sums.get(("foreseen", f"{place}:churned"), 0) for place in range(BINS)]
    stayed = [sums.get(("foreseen", f"{place}:stayed"), 0) for place in range(BINS)]
    return _figures(confusion, squared_error, left, stayed)


def estimate(predictions: Counters) -> FiguresView | None:
    """Figures to be expected if every customer with probability p leaves with probability p. None when nobody is scored.

    Expected confusion counts are exact; AUC and Brier score take each customer to be in the middle of its bin.
    """
    sums = _sums(predictions)

    def level_sum(measure: str, called: bool) -> int:
        return sum(amount for name, amount in sums.items() if name[0] == measure and (name[1] in _CALLED) == called)

    positives, negatives = level_sum("probability", True) / MILLION, level_sum("probability", False) / MILLION
    confusion = ConfusionView(
        true_positives=positives,
        false_positives=level_sum("level", True) - positives,
        false_negatives=negatives,
        true_negatives=level_sum("level", False) - negatives,
    )
    middles = [(place + 0.5) / BINS for place in range(BINS)]
    counts = [sums.get(("bin", str(place)), 0) for place in range(BINS)]
    left = [count * middle for count, middle in zip(counts, middles, strict=True)]
    stayed = [count * (1 - middle) for count, middle in zip(counts, middles, strict=True)]
    squared_error = sum(count * middle * (1 - middle) for count, middle in zip(counts, middles, strict=True))
    return _figures(confusion, squared_error, left, stayed)


def _sums(counters: Counters) -> dict[tuple[str, str], int]:
    """Counters added up over the groups, by measure and which."""
    sums: dict[tuple[str, str], int] = {}
    for name, amount in counters.items():
        measure, which, _group = name.split("/", 2)
        sums[measure, which] = sums.get((measure, which), 0) + amount
    return sums


def _figures(confusion: ConfusionView, squared_error: float, left: list[Any], stayed: list[Any]) -> FiguresView | None:
    called = confusion.true_positives + confusion.false_positives
    churners = confusion.true_positives + confusion.false_negatives
    customers = round(called + confusion.false_negatives + confusion.true_negatives)
    if not customers:
        return None
    hits = confusion.true_positives
    return FiguresView(
        customers=customers,
        churners=churners,
        churn_rate=churners / customers,
        roc_auc=_auc(left, stayed),
        brier=squared_error / customers,
        precision=hits / called if called else None,
        recall=hits / churners if churners else None,
        f1=2 * hits / (called + churners) if called + churners else None,
        confusion=confusion,
    )


def _auc(left: list[float], stayed: list[float]) -> float | None:
    """The chance that one who left is in a higher bin than one who stayed; the same bin counts half."""
    pairs = sum(left) * sum(stayed)
    if not pairs:
        return None
    won = below = 0.0
    for gone, here in zip(left, stayed, strict=True):
        won += gone * (below + here / 2)
        below += here
    return won / pairs
