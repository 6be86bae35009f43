"""Calibration beside the truth: margins whose true probabilities are known, for the curve and for its interval."""

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.learning.calibrate import calibrate, fit_beta
from retainstream.engine.learning.metrics import Outcomes, best_f1_threshold, log_loss, row_log_losses
from retainstream.engine.learning.venn_abers import intervals, venn_abers
from retainstream.engine.model.calibration import Bounded, Calibration, Isotonic, Platt, log_odds, sigmoid

type Floats = NDArray[np.float64]
type Sample = tuple[Floats, Outcomes]
type Fit = Callable[[Floats, Outcomes], Calibration]

REPETITIONS = 40
FRESH = 20_000
UNKNOWN = 0.5
"""Standard deviation, in log-odds, of the part of a customer's probability that the model does not know."""


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


class Coverage(NamedTuple):
    """Shares of fresh customers whose true churn rate lies in a range, and the mean width of the range.

    all: of all customers. top: of the tenth with the highest margins. alone: of all, in the range of Venn–Abers alone. own: of all whose
    range has the customer's own probability in it. confident: of those whose range has at most 10 points.
    """

    all: float
    top: float
    alone: float
    own: float
    confident: float
    width: float


def coverage(size: int, repetitions: int) -> Coverage:
    """The ranges by `size` calibration rows. Half of the samples have calibrated margins, half skewed ones."""
    figures = []
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        margins, chances = _with_truth(size, seed, rng)
        churned = rng.random(size) < chances
        fresh, truth = _with_truth(FRESH, seed, rng)
        own = sigmoid(log_odds(truth) + rng.normal(0, UNKNOWN, FRESH))
        found, pair = intervals(margins, churned), venn_abers(margins, churned)
        low, high = np.array(found.low)[np.searchsorted(found.x, fresh, "right")], np.array(found.high)[np.searchsorted(found.x, fresh)]
        place = np.searchsorted(pair.x, fresh, side="right")
        inside = (low <= truth) & (truth <= high)
        confident = high - low <= 0.1
        figures.append(
            Coverage(
                inside.mean(),
                inside[fresh > np.quantile(fresh, 0.9)].mean(),
                ((pair.staying[place] <= truth) & (truth <= pair.leaving[place])).mean(),
                ((low <= own) & (own <= high)).mean(),
                inside[confident].mean() if confident.any() else np.nan,
                (high - low).mean(),
            )
        )
    return Coverage(*np.nanmean(figures, axis=0).tolist())


class Marked(NamedTuple):
    """High-risk customers; those of them whom the earlier rule marked confident of staying; those marked confident now, and whose true
    churn rate is then in the range of at most 10 points."""

    high_risk: int
    before: int
    after: int
    right: int


def marked_confident(seed: int) -> Marked:
    """The marks in a base of 5,000 with 6% churn and 20,000 calibration rows, at high risk by the best F1 as before.

    The earlier rule marked customers with max(p, 1 − p) of at least 0.7.
    """
    rng = np.random.default_rng(seed)
    known, fresh = rng.normal(-3.6, 1.5, 20_000), rng.normal(-3.6, 1.5, 5_000)
    churned, truth = rng.random(20_000) < sigmoid(known), sigmoid(fresh)
    curve = Bounded(fit_beta(known, churned), len(known))
    probability = curve.probability(fresh)
    high = probability >= best_f1_threshold(churned, curve.probability(known))
    lowest, highest = intervals(known, churned).around(fresh, probability)
    marked = high & (highest - lowest <= 0.1)
    right = marked & (lowest <= truth) & (truth <= highest)
    return Marked(int(high.sum()), int((high & (1 - probability >= 0.7)).sum()), int(marked.sum()), int(right.sum()))


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
        *_rows_of_coverage(times),
        _row_of_marks(times),
    ]


def _rows_of_coverage(times: int) -> list[Row]:
    rows = []
    for size in (400, 1_000, 4_000, 16_000):
        found = coverage(size, times)
        alone, inside = f"{found.alone:.0%} (Venn–Abers alone)", f"{found.all:.1%} (top tenth {found.top:.1%})"
        figure = f"true churn rate in the interval, {size:,} calibration rows, mean width {100 * found.width:.1f} points"
        rows.append(Row(figure, alone, inside, "95%", times, "Banerjee & Wellner 2001; Vovk, Petej & Fedorova 2015"))
    figure = f"customer's own probability in the interval, {size:,} calibration rows, unknown part of {UNKNOWN:g} in log-odds"
    rows.append(Row(figure, "–", f"{found.own:.0%}", "95% only of the rate at a score", times, "engine/learning/venn_abers.py"))
    return rows


def _row_of_marks(times: int) -> Row:
    high, before, after, right = (sum(counts) for counts in zip(*map(marked_confident, range(times)), strict=True))
    return Row(
        "customers at high risk who are marked confident, 6% churn",
        f"{before / high:.0%}, all of staying",
        f"{after / high:.0%}, of a range of at most 10 points, which {right / after:.0%} have",
        "95% of the marks are right",
        times,
        "engine/model/intervals.py",
    )


def _with_truth(size: int, seed: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Margins and true churn rates: calibrated for even seeds, skewed for odd ones."""
    margins, truth = skewed(size, rng)
    return margins, truth if seed % 2 else sigmoid(margins)


def _mean_and_worst(figures: list[float]) -> str:
    return f"{np.mean(figures):.3f} ({max(figures):.3f})"
