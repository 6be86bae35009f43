"""ROC AUC of scores known only by their bins, and how sure it is. Two customers of one bin count as equals: half a win.

All take, per bin of growing score, how many left and how many stayed; these may be expected counts, that is sums of probabilities.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import sqrt
from statistics import NormalDist

type Counts = Sequence[float]

Z = NormalDist().inv_cdf(0.975)


def binned_auc(left: Counts, stayed: Counts) -> float | None:
    """The chance that one who left scores above one who stayed. None while one of the two is absent."""
    pairs = sum(left) * sum(stayed)
    return sum(gone * below for gone, below in zip(left, _below(stayed), strict=True)) / pairs if pairs > 0 else None


def realised_error(left: Counts, stayed: Counts) -> float | None:
    """Standard error of the AUC of known outcomes, by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988).

    The variance is S10 / m + S01 / n: the sample variances, over the m who left and the n who stayed, of each one's share of wins.
    None with fewer than two of either.
    """
    gone, here = sum(left), sum(stayed)
    auc = binned_auc(left, stayed)
    if auc is None or gone < 2 or here < 2:
        return None
    won = (below / here for below in _below(stayed))
    lost = (1 - below / gone for below in _below(left))
    of_left = sum(count * (share - auc) ** 2 for count, share in zip(left, won, strict=True)) / (gone - 1)
    of_stayed = sum(count * (share - auc) ** 2 for count, share in zip(stayed, lost, strict=True)) / (here - 1)
    return sqrt(of_left / gone + of_stayed / here)


def interval(auc: float, error: float) -> dict[str, float]:
    """The normal 95 % interval, within 0 and 1."""
    return {"low": max(0.0, auc - Z * error), "high": min(1.0, auc + Z * error)}


def _below(counts: Counts) -> list[float]:
    """For each bin, how many are below it, those in it counting half."""
    return [until - count / 2 for count, until in zip(counts, accumulate(counts), strict=True)]
