"""The base rate that the next period is expected to have.

A model that learns from many periods knows their average churn. Seasons, prices and competitors move the churn of everybody, and a
customer's own values do not show all of it. So the calibration comes from the newest periods, and its level from all periods in turn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet, periods
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.model.calibration import Calibration, log_odds, sigmoid

FEWEST_OF_AN_OUTCOME = 100
"""Rows of each outcome behind a calibration, where there are as many."""

_STEPS = np.array([0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3])
_NEWTON_STEPS = 20
_SMALLEST = 1e-9


def newest(data: DataSet) -> NDArray[np.bool_]:
    """The rows of the newest periods that together have `FEWEST_OF_AN_OUTCOME` rows of each outcome; all rows if no periods do, bool (n,).

    Rows without an anchor count as the oldest.
    """
    named = periods(data)
    chosen = np.zeros(len(data), dtype=bool)
    for period in np.unique(named)[::-1]:
        chosen |= named == period
        left = int(data.churned[chosen].sum())
        if min(left, int(chosen.sum()) - left) >= FEWEST_OF_AN_OUTCOME:
            break
    return chosen


@dataclass(frozen=True)
class Level:
    """The offset in log-odds of one period from a calibration, and the variance of that estimate by sampling."""

    offset: float
    variance: float


def level_of(churned: Outcomes, odds: Floats) -> Level:
    """The offset that makes the mean probability of the rows their churn rate, with a normal prior of standard deviation 1."""
    offset, weight = 0.0, 1.0
    for _ in range(_NEWTON_STEPS):
        probability = sigmoid(odds + offset)
        weight = float((probability * (1 - probability)).sum()) + 1
        step = (float(churned.sum() - probability.sum()) - offset) / weight
        offset += step
        if abs(step) < _SMALLEST:
            break
    return Level(offset, 1 / weight)


def next_level(levels: list[Level]) -> Level:
    """The level of the period after these, oldest first: the expected offset, and its variance with that of the step to the next period.

    The local level model: the offset of a period is that of the period before plus a normal step, and each is seen with its sampling error.
    Kalman's filter (1960) gives the newest level. The size of the steps is not known; the estimates for several sizes are averaged by their
    likelihood. So a level that does not move is the mean of all periods, and a level that moves is that of the newest ones.
    """
    filtered = [_filtered(levels, float(step) ** 2) for step in _STEPS]
    log_likelihoods = np.array([log_likelihood for _, log_likelihood in filtered])
    weights = np.exp(log_likelihoods - log_likelihoods.max())
    weights /= weights.sum()
    offsets, variances = (np.array([getattr(level, name) for level, _ in filtered]) for name in ("offset", "variance"))
    expected = float(weights @ offsets)
    return Level(expected, float(weights @ (variances + (offsets - expected) ** 2)))


def expected_offset(levels: list[Level]) -> float:
    """The offset of the period after these, oldest first; see `next_level`."""
    return next_level(levels).offset


def _filtered(levels: list[Level], step_variance: float) -> tuple[Level, float]:
    """The next level, and the log likelihood of all levels after the first."""
    offset, variance, log_likelihood = levels[0].offset, levels[0].variance, 0.0
    for level in levels[1:]:
        variance += step_variance
        total, surprise = variance + level.variance, level.offset - offset
        log_likelihood -= (np.log(total) + surprise**2 / total) / 2
        gain = variance / total
        offset, variance = offset + gain * surprise, variance * (1 - gain)
    return Level(offset, variance + step_variance), log_likelihood


def known_levels(data: DataSet, odds: Floats) -> list[Level]:
    """The level of each period whose anchors are known, oldest first. odds: float64 (n,), calibrated log-odds."""
    named = periods(data)
    return [level_of(data.churned[named == period], odds[named == period]) for period in np.unique(named[named != ""])]


def expected_move(curve: Calibration, data: DataSet, margins: Floats) -> float:
    """The offset in log-odds from the calibration to the base rate that is expected after the newest period; 0 with fewer than two periods.

    margins: float64 (n,), of models that were not fitted to the rows.
    """
    known = known_levels(data, log_odds(curve.probability(margins)))
    if len(known) < 2:
        return 0.0
    return expected_offset(known)
