"""The population stability index (PSI): how far customers are now from those a model was made with, and whether that can be chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

type Level = Literal["none", "some", "strong"]

SOME, STRONG = 0.1, 0.25
"""From where on a PSI is some drift, and strong: the thresholds usual since Siddiqi's Credit Risk Scorecards (2006)."""
FEWEST_EXPECTED = 5
"""Bins expected to hold fewer customers are put together (Cochran's rule for the chi-square approximation)."""
FALSE_ALARMS = 0.01
"""The chance that chance alone raises any alarm in a run, over all its features and the score together."""


@dataclass(frozen=True)
class Expected:
    """Shares of bins to compare with (they add up to 1), known as well as from a sample of `rows` customers."""

    shares: tuple[float, ...]
    rows: float


@dataclass(frozen=True)
class Stability:
    """A PSI with what chance does to it. `noise` is its expected value without drift, `critical` what it then hardly ever reaches."""

    psi: float
    bins: int
    noise: float
    critical: float
    level: Level


def expected(counts: Sequence[int], stayed: Sequence[int], share_stayed: float) -> Expected:
    """What customers should look like of whom that share is known to have stayed, and nothing is known of the others.

    Those who have left are not scored, and a model is made with both kinds: so customers known to have stayed are compared with the
    reference rows that stayed, and the others with all of them. `counts` are the reference's per bin, `stayed` those of them that stayed.

    The rows are those of one sample with the same sampling variance, where the stayed ones are part of all.
    """
    if not sum(stayed):
        share_stayed = 0.0
    shares = [(1 - share_stayed) * one + share_stayed * other for one, other in zip(_smoothed(counts), _smoothed(stayed), strict=True)]
    variance = (1 - share_stayed**2) / max(1, sum(counts)) + share_stayed**2 / max(1, sum(stayed))
    return Expected(tuple(shares), 1 / variance)


def stability(reference: Expected, now: Sequence[int], *, comparisons: int) -> Stability:
    """PSI = sum over bins of (q - p) ln(q / p), with p the reference's share and q today's, half a customer added to each bin of today's.

    Without drift PSI / (1/N + 1/M) follows about a chi-square distribution with B - 1 degrees of freedom for N and M customers in B bins
    (Yurdakul, Statistical properties of population stability index, 2018), so (B - 1)(1/N + 1/M) of it is expected from sampling alone.
    The level is that of the PSI with this taken off; and there is none unless the PSI is above the quantile of that distribution which
    the largest of `comparisons` PSIs exceeds with a chance of FALSE_ALARMS at most.
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
    """Share and count of each bin; neighbours of which too few are expected are put together, and what is left of them is one bin."""
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
    whole = sum(counts) + len(counts) / 2
    return [(count + 0.5) / whole for count in counts]


def _level(psi: float) -> Level:
    return "strong" if psi >= STRONG else "some" if psi >= SOME else "none"
