"""Intervals by resampling customers: the rows of a customer at several anchors are drawn together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.customer_errors import customers
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.metrics import Floats, Outcomes, ends_of_ties, row_log_losses, weighted_aucs

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


def resampled(churned: Outcomes, probabilities: Floats, seed: int, keys: Keys | None = None) -> dict[str, Interval]:
    """95% percentile intervals of average precision, log loss, Brier score and top-decile lift.

    keys: the rows' customers; without them each row is a customer. A figure that no resample has is left out.
    """
    drawn: dict[str, list[Floats]] = {}
    order = np.argsort(-probabilities, kind="stable")
    ends, left_in_order = ends_of_ties(probabilities[order]), churned[order].astype(np.float64)
    losses, errors = row_log_losses(churned, probabilities), (probabilities - churned) ** 2
    customer_of = customers(keys)
    for weights in _weightings(np.arange(len(churned)) if customer_of is None else customer_of, seed):
        rows = weights.sum(axis=1)
        ranked = weights[:, order]
        counted = _from_zero(np.cumsum(ranked, axis=1)[:, ends])
        left = _from_zero(np.cumsum(ranked * left_in_order, axis=1)[:, ends])
        top = np.array([np.interp(tenth, *curve) for tenth, *curve in zip(rows / 10, counted, left, strict=True)])
        with np.errstate(invalid="ignore", divide="ignore"):
            figures = {
                "pr_auc": weighted_aucs(churned, probabilities, weights)[1],
                "log_loss": weights @ losses / rows,
                "brier": weights @ errors / rows,
                "top_decile_lift": top / (rows / 10) / (left[:, -1] / rows),
            }
        for name, values in figures.items():
            drawn.setdefault(name, []).append(values)
    joined = {name: np.concatenate(values) for name, values in drawn.items()}
    return {name: _interval(values) for name, values in joined.items() if not np.isnan(values).all()}


def _from_zero(running: Floats) -> Floats:
    return np.insert(running, 0, 0.0, axis=1)


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
