"""The bins of the churn probability, wherever its order matters: of equal width in log-odds.

Churn probabilities crowd near zero, where bins of equal width in probability would put most customers together. A bin is 0.04 wide in
log-odds, so counting two customers of a bin as equal changes a ROC AUC by less than 0.001, however rare churn is. The first and the last
bin include everything beyond ±10.
"""

import math
from bisect import bisect_right

SCORE_BINS = 500
_REACH = 10.0
_WIDTH = 2 * _REACH / SCORE_BINS


def probability_of(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


SCORE_EDGES = tuple(probability_of(_WIDTH * place - _REACH) for place in range(1, SCORE_BINS))
"""Probabilities where a new bin begins; rising."""

SCORE_MIDDLES = tuple(probability_of(_WIDTH * (place + 0.5) - _REACH) for place in range(SCORE_BINS))
"""The probability in the middle of each bin's log-odds."""


def score_bin_of(probability: float) -> int:
    """The bin of a probability, 0 … SCORE_BINS - 1."""
    return bisect_right(SCORE_EDGES, probability)
