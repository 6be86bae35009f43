"""Expected maximum profit (EMP) of a churn model: Verbraken, Verbeke and Baesens, IEEE Transactions on Knowledge and Data Engineering 25
(2013)."""

from collections.abc import Iterator
from typing import TypedDict

import numpy as np
from scipy.special import betainc

from retainstream.engine.learning.metrics import Floats

_CERTAINTY = 20.0
"""α + β of the save rate's distribution; the paper has α = 6, β = 14."""
_MOST_CERTAIN = 1 - 1e-6


class ExpectedMaximum(TypedDict):
    """profit: per customer. contacted: the share of the customers to contact."""

    profit: float
    contacted: float


def expected_maximum_profit(probabilities: Floats, gained: Floats, spent: Floats, save_rate: float) -> ExpectedMaximum:
    """EMP: the profit at the best threshold for each save rate γ, averaged over γ ~ Beta(20·save_rate, 20·(1 − save_rate)).

    gained: what contacting a customer brings for each unit of γ. spent: what it costs whatever γ is. Both (n,), in the currency; the
    profit of contacting the first k customers by probability is γ·Σ gained − Σ spent, a line in γ. The integral over the upper
    envelope of these lines is exact. `contacted` is the average share over the same distribution.
    """
    order = np.argsort(-probabilities, kind="stable")
    last = np.flatnonzero(np.append(np.diff(probabilities[order]) != 0, True)) + 1  # equal probabilities are contacted together
    counts = np.concatenate([[0], last])
    gains = np.concatenate([[0.0], np.cumsum(gained[order])])[counts]
    costs = np.concatenate([[0.0], np.cumsum(spent[order])])[counts]
    mean = min(save_rate, _MOST_CERTAIN)
    alpha, beta = _CERTAINTY * mean, _CERTAINTY * (1 - mean)
    profit = contacted = 0.0
    for line, low, high in _envelope(gains, costs):
        chance = float(betainc(alpha, beta, high) - betainc(alpha, beta, low))
        rate = mean * float(betainc(alpha + 1, beta, high) - betainc(alpha + 1, beta, low))
        profit += gains[line] * rate - costs[line] * chance
        contacted += counts[line] * chance
    return {"profit": float(profit) / len(probabilities), "contacted": float(contacted) / len(probabilities)}


def _envelope(gains: Floats, costs: Floats) -> Iterator[tuple[int, float, float]]:
    """The lines γ·gains − costs that are highest somewhere in 0 ≤ γ ≤ 1, by rising slope, and from where to where each is."""
    lines: list[int] = []
    starts: list[float] = []
    for line in np.lexsort((-costs, gains)).tolist():
        start = 0.0
        while lines:
            steeper = gains[line] - gains[lines[-1]]
            start = (costs[line] - costs[lines[-1]]) / steeper if steeper > 0 else 0.0  # equal slopes: the later one costs less
            if start > starts[-1]:
                break
            lines.pop()
            starts.pop()
            start = 0.0
        if start < 1:
            lines.append(line)
            starts.append(start)
    yield from zip(lines, starts, [*starts[1:], 1.0], strict=True)
