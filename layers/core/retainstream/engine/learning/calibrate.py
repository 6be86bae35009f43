"""Calibration of margins: the curve that makes probabilities of them, with its intervals."""

import numpy as np

from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.venn_abers import intervals
from retainstream.engine.model.calibration import Beta, Bounded, sigmoid

_SLOPE_SPREAD, _LEVEL_SPREAD = 0.3, 0.5
"""Standard deviations of the prior: of the mean of both slopes and of half their difference, and of the constant."""
_NEWTON_STEPS, _HALVINGS = 50, 40
_SAME_LOSS = 1e-10

_IDENTITY = np.array([1.0, 1.0, 0.0])
_CONTRASTS = np.array([[0.5, 0.5, 0.0], [0.5, -0.5, 0.0], [0.0, 0.0, 1.0]])
_PRECISION: Floats = _CONTRASTS.T @ np.diag(np.array([_SLOPE_SPREAD, _SLOPE_SPREAD, _LEVEL_SPREAD]) ** -2.0) @ _CONTRASTS


def calibrate(margins: Floats, churned: Outcomes) -> Bounded:
    """The curve for margins of rows that the trees were not fitted to, bounded by the number of rows, with its intervals.

    Every curve is bounded: a linear stage continues in a straight line without end, and trees that separate the outcomes have margins
    beyond all observed ones.
    """
    return Bounded(fit_beta(margins, churned), len(margins), intervals(margins, churned))


def fit_beta(margins: Floats, churned: Outcomes) -> Beta:
    """Beta calibration with a normal prior around the identity, which few rows hardly leave.

    The numbers are the mode of the posterior, by Newton's method. A step is halved until the loss falls, so the log loss on these rows is
    never above that of the margins themselves, also where the outcomes are far apart.
    """
    terms = np.column_stack([*Beta.parts(margins), np.ones_like(margins)])
    numbers, loss = _IDENTITY, _loss(terms, churned, _IDENTITY)
    for _ in range(_NEWTON_STEPS):
        probability = sigmoid(terms @ numbers)
        gradient = terms.T @ (probability - churned) + _PRECISION @ (numbers - _IDENTITY)
        curvature = (terms * (probability * (1 - probability))[:, None]).T @ terms + _PRECISION
        free = (numbers > 0) | (gradient < 0) | (_IDENTITY == 0)
        step = np.zeros(3)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        numbers, before = _halved(terms, churned, numbers, step, loss), loss
        loss = _loss(terms, churned, numbers)
        if before - loss <= _SAME_LOSS * len(margins):
            break
    a, b, c = numbers.tolist()
    return Beta(a, b, c)


def _halved(terms: Floats, churned: Outcomes, numbers: Floats, step: Floats, loss: float) -> Floats:
    """The numbers after the step, or after the largest of its halves that lowers the loss; the same numbers if none does."""
    for halving in range(_HALVINGS):
        moved: Floats = numbers - step / 2**halving
        moved[:2] = np.maximum(moved[:2], 0.0)
        if _loss(terms, churned, moved) <= loss:
            return moved
    return numbers


def _loss(terms: Floats, churned: Outcomes, numbers: Floats) -> float:
    """The log loss summed over the rows, plus that of the prior."""
    log_odds, away = terms @ numbers, numbers - _IDENTITY
    return float((np.logaddexp(0, log_odds) - churned * log_odds).sum() + away @ _PRECISION @ away / 2)
