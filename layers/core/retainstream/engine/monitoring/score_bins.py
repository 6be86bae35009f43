"""The bins that probabilities are counted in wherever their order matters: of equal width in log-odds.

Probabilities of churn crowd near zero, where bins of equal width in probability would throw most customers together. Here a bin is 0.04
wide in log-odds everywhere, so two customers of one bin differ by at most 0.04 in log-odds: taking them as equals changes a ROC AUC by
less than 0.001 however rare churn is. The first and the last bin take in what lies beyond ±10.
"""

import math
from bisect import bisect_right

SCORE_BINS = 500
_REACH = 10.0
_WIDTH = 2 * _REACH / SCORE_BINS


def probability_of(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


SCORE_EDGES = tuple(probability_of(_WIDTH * place - _REACH) for place in range(1, SCORE_BINS))
"""Probabilities where a new bin begins, growing."""

SCORE_MIDDLES = tuple(probability_of(_WIDTH * (place + 0.5) - _REACH) for place in range(SCORE_BINS))
"""The probability in the middle of each bin's log-odds."""


def score_bin_of(probability: float) -> int:
    """The bin of a probability, 0 … SCORE_BINS - 1."""
    return bisect_right(SCORE_EDGES, probability)
