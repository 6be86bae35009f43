"""Reliability: the churn rate that a probability stands for."""

from typing import TypedDict

import numpy as np

from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.intervals import share_interval
from retainstream.engine.learning.metrics import Floats, Outcomes, ends_of_ties

BINS = 10
FEWEST_EXPECTED = 5.0
"""Expected churners of a bin, so that its churn rate says something."""

_MOST_POINTS = 100


class ReliabilityBin(TypedDict):
    """Rows of neighbouring probabilities, from `start` to `end`; low and high are the 95% interval of their churn rate."""

    start: float
    end: float
    rows: int
    mean_probability: float
    churn_rate: float
    low: float
    high: float


class ReliabilityCurve(TypedDict):
    """The coordinates of a curve: the churn rate of each probability."""

    probability: list[float]
    churn_rate: list[float]


def bins(churned: Outcomes, probabilities: Floats, keys: Keys | None = None) -> list[ReliabilityBin]:
    """Up to ten bins of equal numbers of rows, lowest probabilities first, each with at least `FEWEST_EXPECTED` expected churners.

    Equal probabilities share a bin. The bins depend on the probabilities alone, so Wilson's interval of a bin's churn rate holds.
    `keys` are the rows' customers. Equal widths would leave nearly all rows in one bin where churn is rare.
    """
    order = np.argsort(probabilities, kind="stable")
    ranked = probabilities[order]
    expected = np.cumsum(ranked)
    starts = [0]
    for end in (ends_of_ties(ranked) + 1).tolist():
        within = expected[end - 1] - (expected[starts[-1] - 1] if starts[-1] else 0.0)
        if end - starts[-1] >= len(ranked) / BINS - 0.5 and within >= FEWEST_EXPECTED:
            starts.append(end)
    rest = expected[-1] - (expected[starts[-1] - 1] if starts[-1] else 0.0)
    if len(starts) > 1 and (rest < FEWEST_EXPECTED or len(ranked) - starts[-1] < len(ranked) / BINS / 2):
        starts.pop()
    parts = np.split(order, starts[1:])
    return [_bin(churned[part], probabilities[part], None if keys is None else keys[part]) for part in parts]


def corp(churned: Outcomes, probabilities: Floats) -> ReliabilityCurve:
    """The CORP curve of Dimitriadis, Gneiting and Jordan (PNAS 118, 2021): isotonic regression of the outcomes on the probabilities, by
    pooling adjacent violators. It needs no bins. At most 100 of its points: both ends of each step."""
    from scipy.optimize import isotonic_regression

    distinct, place = np.unique(probabilities, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    pooled = isotonic_regression(np.bincount(place, weights=churned) / rows, weights=rows)
    starts = pooled.blocks[:-1]
    ends = pooled.blocks[1:] - 1
    corners = np.unique(np.concatenate([starts, ends]))
    if len(corners) > _MOST_POINTS:
        corners = corners[np.unique(np.linspace(0, len(corners) - 1, _MOST_POINTS).round().astype(int))]
    return {
        "probability": [round(float(value), 6) for value in distinct[corners]],
        "churn_rate": [round(float(value), 6) for value in pooled.x[corners]],
    }


def _bin(churned: Outcomes, probabilities: Floats, keys: Keys | None) -> ReliabilityBin:
    interval = share_interval(churned, keys)
    return {
        "start": float(probabilities.min()),
        "end": float(probabilities.max()),
        "rows": len(churned),
        "mean_probability": float(probabilities.mean()),
        "churn_rate": float(churned.mean()),
        "low": interval.low,
        "high": interval.high,
    }
