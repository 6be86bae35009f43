"""The shift of expected churn that comes from a changed distribution of one column, and whether chance explains it.

The population stability index says how far customers moved, whether or not that matters for churn. This figure says what it does to churn:
today's distribution of the column takes the place of the reference's, with the reference's probabilities in each bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from retainstream.engine.monitoring.stability import FALSE_ALARMS, Level

SOME, STRONG = 0.05, 0.20
"""Shift, as a share of the expected churn, from which it is called some, and strong."""


@dataclass(frozen=True)
class ShiftReference:
    """Reference rows per bin, and their mean churn probability; `stayed` and `stayed_probability` are of the rows that stayed.

    Each has one entry per bin. Bins without a row have any probability that stands for new customers in them.
    """

    counts: Sequence[int]
    stayed: Sequence[int]
    probability: Sequence[float]
    stayed_probability: Sequence[float]


@dataclass(frozen=True)
class ChurnShift:
    """A shift of the mean churn probability.

    expected: the mean by the reference. relative: the shift's share of it. critical: the size that it hardly ever exceeds without drift.
    """

    probability: float
    expected: float
    critical: float
    level: Level

    @property
    def relative(self) -> float:
        return self.probability / self.expected if self.expected else 0.0


def churn_shift(reference: ShiftReference, share_stayed: float, now: Sequence[int], *, comparisons: int) -> ChurnShift:
    """sum over bins of (q - p) m: p is the reference's share, q the present one, m the reference's mean churn probability in the bin.

    As in `stability.expected`, customers of whom `share_stayed` are known to have stayed are compared with the mixture of all reference
    rows and of those that stayed. Without drift the sum over N reference rows and M customers has mean 0 and the variance
    (1/N + 1/M) (sum of p m² - (sum of p m)²): each side is a mean of m over a sample. The level is "none" unless the sum exceeds the normal
    quantile that the largest of `comparisons` sums exceeds with a chance of at most FALSE_ALARMS.
    """
    customers, rows, stayed_rows = sum(now), sum(reference.counts), sum(reference.stayed)
    if not customers or not rows:
        return ChurnShift(0.0, 0.0, 0.0, "none")
    of_stayed = share_stayed if stayed_rows else 0.0
    shares = [(1 - of_stayed) * count / rows for count in reference.counts]
    stayed_shares = [of_stayed * count / max(1, stayed_rows) for count in reference.stayed]
    p = [every + stayer for every, stayer in zip(shares, stayed_shares, strict=True)]
    m = [
        (every * probability + stayer * stayed_probability) / (every + stayer) if every + stayer else probability
        for every, stayer, probability, stayed_probability in zip(
            shares, stayed_shares, reference.probability, reference.stayed_probability, strict=True
        )
    ]
    expected = sum(share * mean for share, mean in zip(p, m, strict=True))
    shift = sum((count / customers - share) * mean for count, share, mean in zip(now, p, m, strict=True))
    spread = sum(share * (mean - expected) ** 2 for share, mean in zip(p, m, strict=True))
    sampling = (1 - of_stayed**2) / rows + of_stayed**2 / max(1, stayed_rows) + 1 / customers
    critical = NormalDist().inv_cdf(1 - FALSE_ALARMS / (2 * comparisons)) * sqrt(spread * sampling)
    size = abs(shift) / expected if expected else 0.0
    return ChurnShift(shift, expected, critical, _level(size) if abs(shift) > critical else "none")


def _level(size: float) -> Level:
    return "strong" if size >= STRONG else "some" if size >= SOME else "none"
