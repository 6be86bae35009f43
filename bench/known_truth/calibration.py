"""Calibration beside the truth: margins whose true probabilities are known, for the curve and for its interval."""

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.learning.calibrate import calibrate, fit_beta
from retainstream.engine.learning.metrics import Outcomes, log_loss, row_log_losses
from retainstream.engine.model.calibration import Bounded, Calibration, Isotonic, Platt, log_odds, sigmoid

type Floats = NDArray[np.float64]
type Sample = tuple[Floats, Outcomes]
type Fit = Callable[[Floats, Outcomes], Calibration]

REPETITIONS = 40
FRESH = 20_000


def two_humps(rng: np.random.Generator) -> Sample:
    """400 margins around −10 and 10, with 1% of the outcomes on the wrong side."""
    right = rng.random(400) < 0.3
    churned = np.where(rng.random(400) < 0.01, ~right, right)
    return np.where(right, 10.0, -10.0) + rng.normal(0, 1, 400), churned


def skewed(rows: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Margins and true probabilities: the margins are right for small probabilities, and fall behind for large ones."""
    margins = rng.normal(-2, 1.5, rows)
    return margins, 1 - np.exp(-0.8 * np.exp(margins))


def platt_before(margins: Floats, churned: Outcomes) -> Platt:
    """Platt's curve by Newton's method without control of the step, as the earlier version fitted it."""
    left = int(churned.sum())
    target = np.where(churned, (left + 1) / (left + 2), 1 / (len(churned) - left + 2))
    terms, numbers = np.column_stack([margins, np.ones_like(margins)]), np.array([1.0, 0.0])
    for _ in range(30):
        probability = sigmoid(terms @ numbers)
        curvature = (terms * (probability * (1 - probability) + 1e-12)[:, None]).T @ terms + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, terms.T @ (probability - target))
        numbers = np.array([max(numbers[0] - step[0], 0.0), numbers[1] - step[1]])
        if np.abs(step).max() < 1e-9:
            break
    return Platt(float(numbers[0]), float(numbers[1]))


def isotonic_before(margins: Floats, churned: Outcomes) -> Isotonic:
    """Isotonic regression through the middles of its steps, as the earlier version fitted it."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(margins, kind="stable")
    levels = IsotonicRegression(y_min=0, y_max=1).fit_transform(margins[order], churned[order].astype(float))
    starts = np.flatnonzero(np.append(True, np.diff(levels) > 0))
    x = np.add.reduceat(margins[order], starts) / np.diff(np.append(starts, len(levels)))
    return Isotonic(tuple(x.tolist()), tuple(levels[starts].tolist()))


def calibrated_before(margins: Floats, churned: Outcomes) -> Calibration:
    """None, Platt's or from 2,000 rows on an isotonic curve, chosen by cross-fitting, as in the earlier version."""
    rows, fold_of = len(margins), np.arange(len(margins)) % 5
    chosen: Calibration = Platt()
    losses = row_log_losses(churned, Bounded(chosen, rows).probability(margins))
    for fit in cast("list[Fit]", [platt_before, *([isotonic_before] if rows >= 2_000 else [])]):
        rival = np.empty(rows)
        for number in range(5):
            judged = fold_of == number
            curve = Bounded(fit(margins[~judged], churned[~judged]), int((~judged).sum()))
            rival[judged] = row_log_losses(churned[judged], curve.probability(margins[judged]))
        gained = losses - rival
        if gained.mean() > gained.std() / np.sqrt(rows):
            chosen, losses = fit(margins, churned), rival
    return Bounded(chosen, rows)


def losses_on_two_humps(fit: Fit, repetitions: int) -> list[float]:
    """The log loss of the curve on the rows it was fitted to, by sample."""
    samples = [two_humps(np.random.default_rng(seed)) for seed in range(repetitions)]
    return [log_loss(churned, fit(margins, churned).probability(margins)) for margins, churned in samples]


def excess_on_skewed(fit: Fit, rows: int, repetitions: int) -> float:
    """Expected log loss above that of the true probabilities, in thousandths, for customers whom the curve was not fitted to."""
    fresh_margins, truth = skewed(FRESH, np.random.default_rng(10**6))
    excess = []
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        margins, chances = skewed(rows, rng)
        odds = log_odds(fit(margins, rng.random(rows) < chances).probability(fresh_margins))
        losses = np.logaddexp(0, odds) - truth * odds - np.logaddexp(0, log_odds(truth)) + truth * log_odds(truth)
        excess.append(1000 * float(losses.mean()))
    return float(np.mean(excess))


def scikit_learn(margins: Floats, churned: Outcomes) -> Calibration:
    """Platt's curve by scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e9).fit(margins[:, None], churned)
    return Platt(max(float(fitted.coef_[0, 0]), 0.0), float(fitted.intercept_[0]))


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of calibration."""
    times = repetitions or REPETITIONS
    before, after, best = (_mean_and_worst(losses_on_two_humps(fit, times)) for fit in (platt_before, fit_beta, scikit_learn))
    humps = Row(
        "log loss of the calibration (worst sample), margins around −10 and 10, 1% of 400 on the wrong side",
        before,
        after,
        f"{best} by scikit-learn",
        times,
        "Kull, Silva Filho & Flach 2017",
    )
    return [
        humps,
        *(
            Row(
                f"log loss above that of the truth × 1,000, skewed margins, {size:,} calibration rows",
                f"{excess_on_skewed(calibrated_before, size, times):.1f}",
                f"{excess_on_skewed(calibrate, size, times):.1f}",
                "0",
                times,
                "Kull, Silva Filho & Flach 2017",
            )
            for size in (1_000, 4_000, 16_000)
        ),
    ]


def _mean_and_worst(figures: list[float]) -> str:
    return f"{np.mean(figures):.3f} ({max(figures):.3f})"
