"""Calibration of margins, where it improves the probabilities.

Every curve is fitted to margins of rows that the trees were not fitted to, and chosen by cross-fitting: a curve is used if it lowers the
log loss, on rows it was not fitted to, by more than the standard error of the difference.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.metrics import Floats, Outcomes, row_log_losses
from retainstream.engine.model.calibration import Bounded, Calibration, Isotonic, Platt

_ROWS_FOR_ISOTONIC = 2_000
_NEWTON_STEPS = 30
_MOST_POINTS = 60


def fit_platt(margins: Floats, churned: Outcomes) -> Platt:
    """Maximum likelihood of sigmoid(a·margin + b), with Platt's softened targets (1999) against separation."""
    left = int(churned.sum())
    stayed = len(churned) - left
    target = np.where(churned, (left + 1) / (left + 2), 1 / (stayed + 2))
    a, b = 1.0, 0.0
    for _ in range(_NEWTON_STEPS):
        probability = Platt(a, b).probability(margins)
        weight = probability * (1 - probability) + 1e-12
        gradient = np.array([((probability - target) * margins).sum(), (probability - target).sum()])
        curvature = np.array([[(weight * margins**2).sum(), (weight * margins).sum()], [(weight * margins).sum(), weight.sum()]])
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        a, b = max(a - float(step[0]), 0.0), b - float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    return Platt(a, b)


def fit_isotonic(margins: Floats, churned: Outcomes) -> Isotonic:
    """Isotonic regression, as straight lines between the middles of its steps, which keeps the order within a step."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(margins, kind="stable")
    levels = IsotonicRegression(y_min=0, y_max=1).fit_transform(margins[order], churned[order].astype(float))
    starts = np.flatnonzero(np.append(True, np.diff(levels) > 0))
    sizes = np.diff(np.append(starts, len(levels)))
    x = np.add.reduceat(margins[order], starts) / sizes
    y = levels[starts]
    x, y = _thinned(x, y, sizes)
    return Isotonic(tuple(map(float, x)), tuple(map(float, y)))


def calibrate(margins: Floats, churned: Outcomes, fold_of: NDArray[np.int64]) -> Bounded:
    """The curve for these out-of-fold margins: none, Platt's, or an isotonic one; bounded by the number of rows.

    Every curve is bounded: a linear stage continues in a straight line without end, and trees that separate the outcomes have margins
    beyond all observed ones.
    """
    fits: list[Callable[[Floats, Outcomes], Calibration]] = [fit_platt]
    if len(margins) >= _ROWS_FOR_ISOTONIC:
        fits.append(fit_isotonic)
    chosen: Calibration = Platt()
    losses = row_log_losses(churned, Bounded(chosen, len(margins)).probability(margins))
    for fit in fits:
        rival = np.empty(len(margins))
        for number in range(int(fold_of.max()) + 1):
            judged = fold_of == number
            curve = Bounded(fit(margins[~judged], churned[~judged]), int((~judged).sum()))
            rival[judged] = row_log_losses(churned[judged], curve.probability(margins[judged]))
        gained = losses - rival
        if gained.mean() > gained.std() / np.sqrt(len(gained)):
            chosen, losses = fit(margins, churned), rival
    return Bounded(chosen, len(margins))


def _thinned(x: Floats, y: Floats, sizes: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """At most _MOST_POINTS points, with neighbours pooled by their rows; x rises strictly."""
    if len(x) > _MOST_POINTS:
        pool = np.minimum((np.cumsum(sizes) - 1) * _MOST_POINTS // sizes.sum(), _MOST_POINTS - 1)
        pool = np.unique(pool, return_inverse=True)[1]
        weight = np.bincount(pool, weights=sizes)
        x, y = np.bincount(pool, weights=x * sizes) / weight, np.bincount(pool, weights=y * sizes) / weight
    growing = np.append(True, np.diff(x) > 0)
    return x[growing], y[growing]
