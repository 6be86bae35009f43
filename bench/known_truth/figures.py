"""Intervals, the calibration check, reliability, groups, lift and gain, on made outcomes whose truth is known."""

from collections.abc import Callable, Iterator
from functools import cache
from statistics import NormalDist

import numpy as np

from bench.known_truth.row import Row
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.delong import FEWEST, auc_interval
from retainstream.engine.learning.evaluate import calibration_noise
from retainstream.engine.learning.group_ratios import shrunk
from retainstream.engine.learning.metrics import Floats, Outcomes, ece, top_decile_lift, weighted_aucs
from retainstream.engine.learning.reliability import bins
from retainstream.engine.learning.shares import wilson
from retainstream.engine.model.calibration import log_odds, sigmoid

AUC = 0.8
CELLS = ((40, 0.1), (60, 0.05), (200, 0.05), (1_000, 0.05))
"""Test rows, and the share of them that left."""

CHECKED_ROWS = (60, 200, 1_000, 5_000)
CHURN = 0.1

type Distorted = Callable[[Floats], Floats]

DISTORTIONS: dict[str, Distorted] = {
    "calibrated": lambda odds: odds,
    "odds × 2": lambda odds: odds + np.log(2),
    "slope .5": lambda odds: _around_churn(odds, 2.0),
    "slope 2": lambda odds: _around_churn(odds, 0.5),
}


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of this part."""
    few, many = repetitions or 300, repetitions or 1_000
    return [*_coverage(few), _perfect(), *_checks(many), *_curves(few), _groups(many), _lift()]


def ranked(rng: np.random.Generator, rows: int, churn: float) -> tuple[Outcomes, Floats]:
    """Outcomes, and normal scores of equal variance whose true AUC is `AUC`."""
    churned = np.arange(rows) < round(rows * churn)
    return churned, rng.normal(size=rows) + 2**0.5 * NormalDist().inv_cdf(AUC) * churned


def resampled_auc(churned: Outcomes, scores: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """The 95% percentile interval of 1,000 resamples, as the earlier version gave it for any number of churners."""
    rows = len(churned)
    drawn = rng.integers(0, rows, size=(1_000, rows)) + np.arange(1_000)[:, None] * rows
    aucs = weighted_aucs(churned, scores, np.bincount(drawn.ravel(), minlength=1_000 * rows).reshape(1_000, rows).astype(float))[0]
    low, high = np.nanquantile(aucs, [0.025, 0.975])
    return float(low), float(high)


def coverage(rows: int, churn: float, repetitions: int) -> tuple[float, float | None]:
    """The share of samples whose interval holds the true AUC: by resampling, and today's; None where today there is none."""
    rng = np.random.default_rng(rows)
    before, after, intervals = 0, 0, 0
    for _ in range(repetitions):
        churned, scores = ranked(rng, rows, churn)
        low, high = resampled_auc(churned, scores, rng)
        before += low <= AUC <= high
        if interval := auc_interval(churned, scores):
            intervals += 1
            after += interval.low <= AUC <= interval.high
    return before / repetitions, after / intervals if intervals else None


@cache
def _middle(churn: float, spread: float) -> float:
    """The mean of normal log-odds of this spread whose mean probability is `churn`."""
    points = spread * np.array([NormalDist().inv_cdf((place + 0.5) / 2_000) for place in range(2_000)])
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if sigmoid(points + middle).mean() > churn else (middle, high)
    return low


def samples(rows: int, repetitions: int, churn: float = CHURN, spread: float = 1.2) -> Iterator[tuple[Outcomes, Floats]]:
    """Outcomes, and the true log-odds that they are drawn from; samples where nobody left are left out."""
    rng = np.random.default_rng(rows)
    for _ in range(repetitions):
        odds = rng.normal(_middle(churn, spread), spread, rows)
        churned = rng.random(rows) < sigmoid(odds)
        if churned.any():
            yield churned, odds


def passed_before(churned: Outcomes, probabilities: Floats) -> bool:
    """The earlier check: the error over ten bins of equal width, at most .05 above what chance explains."""
    return ece(churned, probabilities) <= 0.05 + calibration_noise(probabilities, 0, draws=50)


def passing(rows: int, distortion: str, repetitions: int) -> tuple[float, float]:
    """The share of samples whose distorted probabilities pass: the earlier check, and today's."""
    verdicts = [
        (passed_before(churned, probabilities), checked(churned, probabilities).passed)
        for churned, odds in samples(rows, repetitions)
        for probabilities in [sigmoid(DISTORTIONS[distortion](odds))]
    ]
    before, after = np.mean(verdicts, axis=0)
    return float(before), float(after)


def ratio_and_slope_coverage(rows: int, repetitions: int) -> tuple[float, float]:
    """The share of samples of calibrated probabilities whose intervals of ratio and slope hold 1."""
    held = []
    for churned, odds in samples(rows, repetitions):
        check = checked(churned, sigmoid(odds))
        if check.slope:
            held.append((check.ratio.low <= 1 <= check.ratio.high, check.slope.low <= 1 <= check.slope.high))
    ratio, slope = np.mean(held, axis=0)
    return float(ratio), float(slope)


def largest_bin(repetitions: int) -> tuple[float, float]:
    """The share of 1,000 rows at 3% churn in the fullest bin of the reliability curve: of equal width, and of today."""
    before, after = [], []
    for churned, odds in samples(1_000, repetitions, churn=0.03):
        before.append(np.bincount((sigmoid(odds) * 10).astype(int)).max() / 1_000)
        after.append(max(point["rows"] for point in bins(churned, sigmoid(odds))) / 1_000)
    return float(np.mean(before)), float(np.mean(after))


def bin_coverage(repetitions: int) -> float:
    """The share of today's bins, at 5,000 rows and 3% churn, whose interval holds the mean true probability."""
    return float(
        np.mean(
            [
                point["low"] <= point["mean_probability"] <= point["high"]
                for churned, odds in samples(5_000, repetitions, churn=0.03)
                for point in bins(churned, sigmoid(odds))
            ]
        )
    )


def group_errors(repetitions: int) -> tuple[float, float, float]:
    """The root mean square error of eight groups' ratios, by themselves and shrunk, and the coverage of the shrunk intervals.

    The groups expect 2 to 60 churners; their true ratios differ by 15%.
    """
    rng = np.random.default_rng(0)
    expected = np.geomspace(2, 60, 8)
    alone, together, held = [], [], []
    for _ in range(repetitions):
        truth = np.exp(rng.normal(0, 0.15, 8))
        observed = rng.poisson(truth * expected)
        estimates = list(shrunk({str(place): (observed[place], expected[place]) for place in range(8)}).values())
        alone.append((observed / expected - truth) ** 2)
        together.append((np.array([estimate.value for estimate in estimates]) - truth) ** 2)
        held.append([estimate.low <= ratio <= estimate.high for estimate, ratio in zip(estimates, truth, strict=True)])
    return float(np.sqrt(np.mean(alone))), float(np.sqrt(np.mean(together))), float(np.mean(held))


def lift_before(churned: Outcomes, probabilities: Floats) -> float:
    """Top-decile lift with ties in the order of the rows, as in the earlier version."""
    riskiest = np.argsort(-probabilities, kind="stable")[: max(1, round(len(churned) / 10))]
    return float(churned[riskiest].mean() / churned.mean())


def _around_churn(odds: Floats, factor: float) -> Floats:
    middle = float(log_odds(np.array([CHURN]))[0])
    stretched: Floats = middle + factor * (odds - middle)
    return stretched


def _coverage(repetitions: int) -> Iterator[Row]:
    for number, churn in CELLS:
        before, after = coverage(number, churn, repetitions)
        shown = f"none: under {FEWEST} churners" if after is None else f"{after:.2f}"
        figure = f"share of 95% intervals that hold the AUC, {number:,} test rows, {churn:.0%} left"
        yield Row(figure, f"{before:.2f}", shown, ".95", repetitions, "DeLong 1988, log-odds, Satterthwaite 1946")


def _perfect() -> Row:
    low, _ = wilson(3, 3)
    return Row("lower end of the precision, 3 of 3 called customers left", "1.00", f"{low:.2f}", ".29 (exact)", 1, "Wilson 1927")


def _checks(repetitions: int) -> Iterator[Row]:
    for name in DISTORTIONS:
        for number in CHECKED_ROWS:
            before, after = passing(number, name, repetitions)
            figure = f"share that passes the calibration check, {name}, {number:,} rows, {CHURN:.0%} left"
            yield Row(figure, f"{before:.0%}", f"{after:.0%}", "100%" if name == "calibrated" else "0%", repetitions, "Cox 1958")
    for number in CHECKED_ROWS[1:]:
        ratio, slope = ratio_and_slope_coverage(number, repetitions)
        for name, share in (("observed to expected", ratio), ("the slope", slope)):
            yield Row(
                f"share of 95% intervals that hold {name}, {number:,} rows", "no interval", f"{share:.2f}", ".95", repetitions, "Cox 1958"
            )


def _curves(repetitions: int) -> Iterator[Row]:
    before, after = largest_bin(repetitions)
    yield Row(
        "rows in the fullest reliability bin, 1,000 rows, 3% left", f"{before:.0%}", f"{after:.0%}", "10%", repetitions, "Roelofs 2022"
    )
    held = bin_coverage(repetitions)
    yield Row("share of reliability bins whose interval holds the truth", "–", f"{held:.2f}", ".95", repetitions, "Wilson 1927")


def _groups(repetitions: int) -> Row:
    alone, together, held = group_errors(repetitions)
    figure = f"error of the groups' observed to expected (intervals hold the truth in {held:.0%})"
    return Row(figure, f"{alone:.2f}", f"{together:.2f}", "0", repetitions, "Clayton and Kaldor 1987")


def _lift() -> Row:
    churned, same = np.arange(1_000) < 100, np.full(1_000, 0.1)
    before, after = lift_before(churned, same), top_decile_lift(churned, same)
    return Row(
        "top-decile lift of a constant model, churners first in the file", f"{before:.1f}", f"{after:.1f}", "1.0", 1, "mean over all orders"
    )
