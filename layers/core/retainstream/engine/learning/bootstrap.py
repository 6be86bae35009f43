"""Bootstrap intervals over the held-out rows, by resampling customers: the rows of a customer at several anchors are drawn together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.metrics import Floats, Outcomes, row_log_losses, weighted_aucs

LEVEL = 0.95
_WEIGHTS_AT_ONCE = 2_000_000
_ROWS_DRAWN = 12_000_000


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    def document(self) -> dict[str, float]:
        return {"low": self.low, "high": self.high}


def resamples(rows: int) -> int:
    """The number of resamples: 1,000, and fewer for many rows, but at least 200."""
    return int(min(1000, max(200, _ROWS_DRAWN // max(1, rows))))


def auc_intervals(churned: Outcomes, probabilities: Floats, seed: int, keys: Keys | None = None) -> tuple[Interval, Interval]:
    """95% percentile intervals of ROC AUC and average precision. `keys` are the rows' customers; without them each row is a customer."""
    weightings = _weightings(_customer_of(keys, len(churned)), seed)
    roc, pr = zip(*(weighted_aucs(churned, probabilities, weights) for weights in weightings), strict=True)
    return _interval(np.concatenate(roc)), _interval(np.concatenate(pr))


def figure_intervals(
    churned: Outcomes, probabilities: Floats, threshold: float, seed: int, keys: Keys | None = None
) -> dict[str, Interval]:
    """95% percentile intervals of the other figures of `metrics.summary`. `keys` as for `auc_intervals`.

    A figure that no resample has is left out, such as the precision when no customer is called. ECE has no interval: resampling raises a
    calibration error, so that its percentiles do not contain the figure.
    """
    drawn: dict[str, list[Floats]] = {}
    called = probabilities >= threshold
    riskiest = np.argsort(-probabilities, kind="stable")
    losses, errors = row_log_losses(churned, probabilities), (probabilities - churned) ** 2
    for weights in _weightings(_customer_of(keys, len(churned)), seed):
        rows = weights.sum(axis=1)
        hits, offered, left = (weights @ chosen.astype(np.float64) for chosen in (called & churned, called, churned))
        ranked = weights[:, riskiest]
        before = np.cumsum(ranked, axis=1) - ranked
        top = np.clip(rows[:, None] / 10 - before, 0, ranked)
        with np.errstate(invalid="ignore", divide="ignore"):
            figures = {
                "log_loss": weights @ losses / rows,
                "brier": weights @ errors / rows,
                "precision": hits / offered,
                "recall": hits / left,
                "f1": 2 * hits / (offered + left),
                "top_decile_lift": (top @ churned[riskiest].astype(np.float64)) / (rows / 10) / (left / rows),
            }
        for name, values in figures.items():
            drawn.setdefault(name, []).append(values)
    joined = {name: np.concatenate(values) for name, values in drawn.items()}
    return {name: _interval(values) for name, values in joined.items() if not np.isnan(values).all()}


def _customer_of(keys: Keys | None, rows: int) -> NDArray[np.intp]:
    """The number of each row's customer, shape (rows,)."""
    if keys is None or len(distinct := np.unique(keys)) == rows:
        return np.arange(rows)
    return np.searchsorted(distinct, keys)


def _weightings(customer_of: NDArray[np.intp], seed: int) -> Iterator[Floats]:
    """Resamples of the customers as weights (b, rows), in blocks that fit in memory."""
    rng = np.random.default_rng(seed)
    rows, customers = len(customer_of), int(customer_of.max()) + 1
    left = resamples(rows)
    while left:
        count = min(left, max(1, _WEIGHTS_AT_ONCE // rows))
        drawn = rng.integers(0, customers, size=(count, customers)) + np.arange(count)[:, None] * customers
        times = np.bincount(drawn.ravel(), minlength=count * customers).reshape(count, customers)
        yield times[:, customer_of].astype(np.float64)
        left -= count


def _interval(values: Floats) -> Interval:
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
