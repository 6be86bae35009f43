"""ROC AUC of binned scores, and its standard error. Two customers in the same bin are a tie, which counts half.

Every function takes, per bin of rising score, how many customers left and how many stayed. Both may be expected counts: sums of
probabilities.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import sqrt
from statistics import NormalDist

from retainstream.engine.monitoring.documents import Interval

type Counts = Sequence[float]

Z = NormalDist().inv_cdf(0.975)


def binned_auc(left: Counts, stayed: Counts) -> float | None:
    """The chance that a customer who left scores above one who stayed. None where either count is zero."""
    pairs = sum(left) * sum(stayed)
    return sum(count * below for count, below in zip(left, _below(stayed), strict=True)) / pairs if pairs > 0 else None


def realised_error(left: Counts, stayed: Counts) -> float | None:
    """Standard error of the AUC of known outcomes, by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988).

    The variance is S10 / m + S01 / n: the sample variances of each customer's share of wins, over the m who left and the n who stayed.
    None with fewer than two of either.
    """
    churners, stayers = sum(left), sum(stayed)
    auc = binned_auc(left, stayed)
    if auc is None or churners < 2 or stayers < 2:
        return None
    won = (below / stayers for below in _below(stayed))
    lost = (1 - below / churners for below in _below(left))
    of_left = sum(count * (share - auc) ** 2 for count, share in zip(left, won, strict=True)) / (churners - 1)
    of_stayed = sum(count * (share - auc) ** 2 for count, share in zip(stayed, lost, strict=True)) / (stayers - 1)
    return sqrt(of_left / churners + of_stayed / stayers)


def interval(auc: float, error: float) -> Interval:
    """The normal 95 % interval, within 0 and 1."""
    return {"low": max(0.0, auc - Z * error), "high": min(1.0, auc + Z * error)}


def _below(counts: Counts) -> list[float]:
    """For each bin, how many are below it; those in it count half."""
    return [until - count / 2 for count, until in zip(counts, accumulate(counts), strict=True)]
