"""Intervals by resampling the held-out rows."""

from dataclasses import dataclass

import numpy as np

from retainstream.training.metrics import Floats, Outcomes, weighted_aucs

_WEIGHTS_AT_ONCE = 2_000_000
_ROWS_DRAWN = 12_000_000


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    def document(self) -> dict[str, float]:
        return {"low": self.low, "high": self.high}


def resamples(rows: int) -> int:
    """How many resamples are taken of so many rows: 1,000, and fewer (200 at least) where the rows are many."""
    return int(min(1000, max(200, _ROWS_DRAWN // max(1, rows))))


def auc_intervals(churned: Outcomes, probabilities: Floats, seed: int) -> tuple[Interval, Interval]:
    """95 % percentile intervals of ROC AUC and average precision."""
    rng = np.random.default_rng(seed)
    roc, pr = [], []
    rows, left = len(churned), resamples(len(churned))
    while left:
        count = min(left, max(1, _WEIGHTS_AT_ONCE // rows))
        drawn = rng.integers(0, rows, size=(count, rows)) + np.arange(count)[:, None] * rows
        weights = np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)
        both = weighted_aucs(churned, probabilities, weights)
        roc.append(both[0])
        pr.append(both[1])
        left -= count
    return _interval(np.concatenate(roc)), _interval(np.concatenate(pr))


def _interval(values: Floats) -> Interval:
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(float(low), float(high))
