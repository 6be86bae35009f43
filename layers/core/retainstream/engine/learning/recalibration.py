"""How far the calibrated probabilities may be wrong as a whole, by the rows behind the calibration."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.base_rate import known_levels, next_level
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.model.calibration import Calibration, Floats, log_odds, sigmoid
from retainstream.engine.monitoring.documents import Recalibration

_PRIOR = np.diag([1.0, 4.0])
"""Inverse variances of level and slope before any row is seen: standard deviations of 1 and a half."""
_NEWTON_STEPS = 30
_SMALLEST = 1e-9


def recalibration(curve: Calibration, data: DataSet, margins: Floats, rows: NDArray[np.bool_]) -> Recalibration:
    """Cox's recalibration (Biometrika 45, 1958) of the calibrated probabilities.

    It is logit(true p) = logit(p) + level + slope · (logit(p) − centre). `rows` are those behind the curve, and `centre` is their mean
    log-odds, each weighted by its information, so that level and slope hardly depend on each other. They are near 0 where the curve
    fits its rows; their variances are the inverse of the information. With two or more periods these rows do not show the level of the
    next period: its variance is that of `next_level`, and its expectation is in the curve already.

    Args:
        margins: float64 (n,), of models that were not fitted to the rows.
    """
    odds = log_odds(curve.probability(margins[rows]))
    chances = sigmoid(odds)
    weights = chances * (1 - chances)
    centre = float(weights @ odds / weights.sum())
    design = np.stack([np.ones_like(odds), odds - centre], axis=1)
    moved, information = np.zeros(2), _PRIOR
    for _ in range(_NEWTON_STEPS):
        chances = sigmoid(odds + design @ moved)
        information = (design * (chances * (1 - chances))[:, None]).T @ design + _PRIOR
        step = np.linalg.solve(information, design.T @ (data.churned[rows] - chances) - _PRIOR @ moved)
        moved = moved + step
        if np.abs(step).max() < _SMALLEST:
            break
    covariance = np.linalg.inv(information)
    level, variance, shared = float(moved[0]), float(covariance[0, 0]), float(covariance[0, 1])
    if len(levels := known_levels(data, log_odds(curve.probability(margins)))) > 1:
        level, variance, shared = 0.0, next_level(levels).variance, 0.0
    return {
        "centre": round(centre, 6),
        "level": round(level, 6),
        "slope": round(float(moved[1]), 6),
        "level_variance": variance,
        "slope_variance": float(covariance[1, 1]),
        "covariance": shared,
    }
