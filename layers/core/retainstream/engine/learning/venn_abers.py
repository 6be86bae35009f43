"""Intervals of the churn rate at a margin, by isotonic regression of the outcomes on the margins.

Nothing is assumed but that the churn rate does not fall where the margin rises. Two intervals follow, and the wider is taken:

Venn–Abers (Vovk, Petej & Fedorova, "Large-scale probabilistic predictors with and without guarantees of validity", 2015): the values of the
regression at the margin with one more customer there who stays, and with one who leaves. One of the two is calibrated. But they are as far
apart as one customer moves the rate, so they say nothing of the sampling error of the others.

The likelihood ratio (Banerjee & Wellner, "Likelihood ratio tests for monotone functions", 2001): the rates that the regression through them
does not refute. Twice the logarithm of the ratio has the same limit law for every function that rises.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.model.intervals import Intervals

_CRITICAL = 2.286922
"""The 95% quantile of the limit law, from table 2 of Banerjee and Wellner."""

_POOLS, _ROWS_AT_THE_ENDS = 1_000, 200
"""Pools that many rows are put into, and the rows at either end that stay as they are, since bounds change from row to row there."""
_MOST_STEPS = 200
_BISECTIONS = 30


class _Pools(NamedTuple):
    """Rows in the order of their margins, those of one margin together: the lowest margin, the rows and the churners of each pool, (k,)."""

    margins: Floats
    rows: Floats
    left: Floats


class VennAbers(NamedTuple):
    """The pair of Venn–Abers: staying[i] and leaving[i] at margins of at least x[i − 1] and below x[i]. x: (k,), the others (k + 1,)."""

    x: Floats
    staying: Floats
    leaving: Floats


def venn_abers(margins: Floats, churned: Outcomes) -> VennAbers:
    """The pair of Venn–Abers by these rows, for every margin."""
    pools = _pooled(margins, churned)
    before, after = _regressions(pools)
    return VennAbers(pools.margins, _with_another(before, after, 0.0), _with_another(before, after, 1.0))


def intervals(margins: Floats, churned: Outcomes) -> Intervals:
    """The 95% intervals by these rows, for every margin, in at most 200 steps."""
    pools = _pooled(margins, churned)
    before, after = _regressions(pools)
    ratio = _LikelihoodRatio(before, after)
    low = ratio.bound(_with_another(before, after, 0.0), 0.0).round(6)
    high = ratio.bound(_with_another(before, after, 1.0), 1.0).round(6)
    return _thinned(pools.margins, np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1])


def _pooled(margins: Floats, churned: Outcomes) -> _Pools:
    order = np.argsort(margins, kind="stable")
    ranked, rows = margins[order], len(margins)
    starts = np.flatnonzero(np.append(True, np.diff(ranked) > 0))
    if rows > _POOLS + 2 * _ROWS_AT_THE_ENDS:
        ends = np.arange(_ROWS_AT_THE_ENDS)
        wanted = np.concatenate([ends, np.linspace(_ROWS_AT_THE_ENDS, rows - _ROWS_AT_THE_ENDS, _POOLS).astype(int), rows - 1 - ends])
        starts = starts[np.unique(np.searchsorted(starts, wanted, side="right") - 1)]
    sizes = np.diff(np.append(starts, rows))
    return _Pools(ranked[starts], sizes.astype(np.float64), np.add.reduceat(churned[order].astype(np.float64), starts))


def _regressions(pools: _Pools) -> tuple[list[Floats], list[Floats]]:
    """For each place between pools, the isotonic regression of the pools below it, and that of the pools above it, k + 1 each."""
    above = [blocks * [1.0, -1.0] + blocks[:, :1] * [0.0, 1.0] for blocks in _rising(pools.rows[::-1], (pools.rows - pools.left)[::-1])]
    return _rising(pools.rows, pools.left), above[::-1]


def _rising(rows: Floats, left: Floats) -> list[Floats]:
    """The isotonic regressions of the first 0, 1, … k pools: rows and churners of their blocks of equal rate, (blocks, 2)."""
    stages, blocks = [np.zeros((0, 2))], list[tuple[float, float]]()
    for block in zip(rows.tolist(), left.tolist(), strict=True):
        while blocks and blocks[-1][1] * block[0] >= block[1] * blocks[-1][0]:
            last = blocks.pop()
            block = (block[0] + last[0], block[1] + last[1])
        blocks.append(block)
        stages.append(np.array(blocks))
    return stages


def _with_another(below: list[Floats], above: list[Floats], outcome: float) -> Floats:
    """The rate at each place by the regression with one more customer of this outcome there, (k + 1,)."""
    rates = np.empty(len(below))
    for place, (lower, upper) in enumerate(zip(below, above, strict=True)):
        rows, left, under, over = 1.0, outcome, len(lower) - 1, len(upper) - 1
        while True:
            if under >= 0 and lower[under, 1] * rows >= left * lower[under, 0]:
                rows, left, under = rows + lower[under, 0], left + lower[under, 1], under - 1
            elif over >= 0 and upper[over, 1] * rows <= left * upper[over, 0]:
                rows, left, over = rows + upper[over, 0], left + upper[over, 1], over - 1
            else:
                break
        rates[place] = left / rows
    return rates


class _LikelihoodRatio:
    """The likelihood of the best regression, and that of the best one through a rate at each place."""

    def __init__(self, below: list[Floats], above: list[Floats]) -> None:
        self._below, self._above = _filled_up(below), _filled_up(above)
        self._best = float(_likelihoods(below[-1][None], _rates(below[-1][None]))[0])

    def bound(self, accepted: Floats, refuted: float) -> Floats:
        """The rates nearest to `refuted`, between it and the accepted ones, that the outcomes do not refute, (k + 1,)."""
        near, far = accepted, np.full_like(accepted, refuted)
        for _ in range(_BISECTIONS):
            middle = (near + far) / 2
            lost = self._best - _likelihoods(self._below, np.minimum(_rates(self._below), middle[:, None]))
            lost -= _likelihoods(self._above, np.maximum(_rates(self._above), middle[:, None]))
            possible = 2 * lost <= _CRITICAL
            near, far = np.where(possible, middle, near), np.where(possible, far, middle)
        return near


def _rates(blocks: Floats) -> Floats:
    rates: Floats = blocks[..., 1] / np.maximum(blocks[..., 0], 1)
    return rates


def _likelihoods(blocks: Floats, rates: Floats) -> Floats:
    """The log likelihood at each place, for blocks (k + 1, b, 2) and rates (k + 1, b)."""
    rows, left = blocks[..., 0], blocks[..., 1]
    likelihoods: Floats = (xlogy(left, rates) + xlogy(rows - left, 1 - rates)).sum(axis=1)
    return likelihoods


def _filled_up(regressions: list[Floats]) -> Floats:
    """The blocks of all places as one array (k + 1, b, 2), filled up with blocks of no rows."""
    filled = np.zeros((len(regressions), max(map(len, regressions)), 2))
    for place, blocks in enumerate(regressions):
        filled[place, : len(blocks)] = blocks
    return filled


def _thinned(x: Floats, low: Floats, high: Floats) -> Intervals:
    """The steps with neighbours put together, at most 200, each as wide as all of its own together.

    Together are those whose bounds differ least, by the arcsine of the root, on which the sampling error of every rate is the same.
    """
    scaled = [np.arcsin(np.sqrt(bound)) for bound in (low, high)]
    least, most = 0.0, np.pi / 2
    firsts = _firsts(scaled, least)
    if len(firsts) > _MOST_STEPS:
        for _ in range(_BISECTIONS):
            middle = (least + most) / 2
            least, most = (least, middle) if len(_firsts(scaled, middle)) <= _MOST_STEPS else (middle, most)
        firsts = _firsts(scaled, most)
    lasts = np.append(firsts[1:], len(low)) - 1
    return Intervals(tuple(x[firsts[1:] - 1].tolist()), tuple(low[firsts].tolist()), tuple(high[lasts].tolist()))


def _firsts(scaled: list[Floats], allowed: float) -> NDArray[np.intp]:
    """The first places of the steps within which no bound differs by more than allowed."""
    firsts, place = list[int](), 0
    while place < len(scaled[0]):
        firsts.append(place)
        place = min(int(np.searchsorted(bound, bound[place] + allowed, side="right")) for bound in scaled)
    return np.array(firsts)
