"""The population stability index (PSI): how far customers have moved from the reference, and whether chance explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

type Level = Literal["none", "some", "strong"]

SOME, STRONG = 0.1, 0.25
"""PSI from which drift is called some, and strong: the usual thresholds since Siddiqi's Credit Risk Scorecards (2006)."""
FEWEST_EXPECTED = 5
"""Bins with fewer expected customers are merged (Cochran's rule for the chi-square approximation)."""
FALSE_ALARMS = 0.01
"""The chance of any alarm in a run without drift, over all its features and the score together."""


@dataclass(frozen=True)
class Expected:
    """Expected shares of the bins, which add up to 1, with the sampling variance of `rows` customers."""

    shares: tuple[float, ...]
    rows: float


@dataclass(frozen=True)
class Stability:
    """A PSI with its expected value without drift (`noise`) and the value it then hardly ever exceeds (`critical`)."""

    psi: float
    bins: int
    noise: float
    critical: float
    level: Level


def expected(counts: Sequence[int], stayed: Sequence[int], share_stayed: float) -> Expected:
    """The expected shares for customers of whom `share_stayed` are known to have stayed, and the others have no known outcome.

    A run scores no customers who have left, and a model is made with both kinds. So customers known to have stayed are compared with the
    reference rows that stayed, and the others with all rows. `counts` are the reference's rows per bin, `stayed` those of them that stayed.

    `rows` of the answer is the size of a sample with the same sampling variance; the stayed rows are part of all rows.
    """
    if not sum(stayed):
        share_stayed = 0.0
    shares = [
        (1 - share_stayed) * every + share_stayed * stayer for every, stayer in zip(_smoothed(counts), _smoothed(stayed), strict=True)
    ]
    variance = (1 - share_stayed**2) / max(1, sum(counts)) + share_stayed**2 / max(1, sum(stayed))
    return Expected(tuple(shares), 1 / variance)


def stability(reference: Expected, now: Sequence[int], *, comparisons: int) -> Stability:
    """PSI = sum over bins of (q - p) ln(q / p): p is the reference's share, q the present one, with half a customer added to each bin.

    Without drift PSI / (1/N + 1/M) has about a chi-square distribution with B - 1 degrees of freedom, for N and M customers in B bins
    (Yurdakul, Statistical properties of population stability index, 2018), so sampling alone gives (B - 1)(1/N + 1/M). The level is that
    of the PSI minus this value. It is "none" unless the PSI exceeds the critical value: the quantile of that distribution that the largest
    of `comparisons` PSIs exceeds with a chance of at most FALSE_ALARMS.
    """
    customers = sum(now)
    if not customers:
        return Stability(0.0, 0, 0.0, 0.0, "none")
    bins = _pooled(reference, now)
    shares = _smoothed([count for _, count in bins])
    psi = sum((q - p) * log(q / p) for (p, _), q in zip(bins, shares, strict=True))
    scale, freedom = 1 / reference.rows + 1 / customers, len(bins) - 1
    critical = scale * chi_square(freedom, FALSE_ALARMS / comparisons) if freedom else 0.0
    return Stability(psi, len(bins), scale * freedom, critical, _level(psi - scale * freedom) if psi > critical else "none")


def chi_square(freedom: int, chance: float) -> float:
    """The value that a chi-square variable with so many degrees of freedom exceeds with this chance."""
    from scipy.stats import chi2

    return float(chi2.isf(chance, freedom))


def _pooled(reference: Expected, now: Sequence[int]) -> list[tuple[float, int]]:
    """Share and count of each bin. Neighbours with too few expected customers are merged; the rest of them is one bin."""
    fewest = min(reference.rows, sum(now))
    pooled: list[tuple[float, int]] = []
    pending, waiting = 0.0, 0
    for share, count in zip(reference.shares, now, strict=True):
        if share * fewest >= FEWEST_EXPECTED:
            pooled.append((share, count))
            continue
        pending, waiting = pending + share, waiting + count
        if pending * fewest >= FEWEST_EXPECTED:
            pooled.append((pending, waiting))
            pending, waiting = 0.0, 0
    return [*pooled, (pending, waiting)] if pending else pooled


def _smoothed(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]


def _level(psi: float) -> Level:
    return "strong" if psi >= STRONG else "some" if psi >= SOME else "none"
