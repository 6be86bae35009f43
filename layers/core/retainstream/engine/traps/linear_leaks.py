"""Columns that give the outcome exactly when they are added and subtracted, although none of them gives it alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.leaks import FEWEST

type _Numbers = NDArray[np.float64]

_MOST_ROWS = 1000
_ROWS_PER_COLUMN = 2
_FEWEST_ROWS = 100
_MOST_NAMED = 6
_LIGHT = 0.01
_TOLERANCE = 0.15
_LEAST_CONSTANT = 0.05
_SEED = 20_260_101


@dataclass(frozen=True)
class LinearLeak:
    """Columns whose weighted sum is 1 for customers who left and 0 for those who stayed. places: of the columns, the heaviest first."""

    places: tuple[int, ...]
    weights: tuple[float, ...]
    constant: float

    def formula(self, headers: Sequence[str]) -> str:
        """As in: a − b − c, or 1 − 0.5 × a + 2 × b."""
        terms = [(weight, headers[place]) for place, weight in sorted(zip(self.places, self.weights, strict=True))]
        terms.sort(key=lambda term: term[0] < 0)
        text = f"{self.constant:.3g}" if abs(self.constant) > _LEAST_CONSTANT else ""
        for weight, header in terms:
            factor = header if abs(abs(weight) - 1) < 1e-3 else f"{abs(weight):.3g} × {header}"
            text += f" {'−' if weight < 0 else '+'} {factor}" if text or weight < 0 else factor
        return text.strip()


def linear_leak(numbers: Sequence[_Numbers], outcome: Outcome) -> LinearLeak | None:
    """The fewest of these columns that determine the outcome together, if they are six or fewer.

    Least squares over all columns at once shows whether any combination does; only then columns are left out, in halves, while the rest
    still does. So the usual cost is one QR decomposition, of at most 1,000 rows and two per column of either outcome. A combination counts
    if its residual is below 15% of the outcome's standard deviation. Rows with a missing value do not count; the columns with the most gaps
    do not either, while there are fewer than 100 rows, or than two per column.

    Args:
        numbers: the values of each column for the rows with a known outcome (n,), NaN where missing.
    """
    if min(outcome.positives, outcome.negatives) < FEWEST:
        return None
    places, rows = _complete(numbers)
    if len(places) < 2:
        return None
    shuffled = np.random.default_rng(_SEED).permutation(rows)
    sides = [shuffled[outcome.churned[shuffled] == left][: _MOST_ROWS + _ROWS_PER_COLUMN * len(places)] for left in (True, False)]
    if min(map(len, sides)) < FEWEST:
        return None
    rows = np.concatenate(sides)
    churned = outcome.churned[rows].astype(np.float64)
    values = np.column_stack([numbers[place][rows] for place in places])
    with np.errstate(over="ignore", invalid="ignore"):
        middle, spread = values.mean(axis=0), values.std(axis=0)
        standard = (values - middle) / np.where(spread > 0, spread, 1.0)
    usable = np.flatnonzero((spread > 0) & np.isfinite(standard).all(axis=0))
    triangle = np.linalg.qr(np.column_stack([standard[:, usable], churned - churned.mean()]), mode="r")
    chosen = _fewest(triangle, _TOLERANCE * float(churned.std()) * np.sqrt(len(rows)))
    if not 1 < len(chosen) <= _MOST_NAMED:
        return None
    of_values = usable[chosen]
    weights = _solved(triangle, chosen)[0] / spread[of_values]
    constant = float(churned.mean() - (weights * middle[of_values]).sum())
    return LinearLeak(tuple(places[place] for place in of_values.tolist()), tuple(weights.tolist()), constant)


def _complete(numbers: Sequence[_Numbers]) -> tuple[list[int], NDArray[np.intp]]:
    """Columns, and the rows that have a value in each of them."""
    gaps = [np.isnan(values) for values in numbers]
    places = sorted(range(len(numbers)), key=lambda place: int(gaps[place].sum()))
    incomplete = np.sum(gaps, axis=0, dtype=np.intp) if gaps else np.zeros(0, np.intp)
    while places and np.count_nonzero(incomplete == 0) < max(_FEWEST_ROWS, _ROWS_PER_COLUMN * len(places)):
        incomplete = incomplete - gaps[places.pop()]
    return sorted(places), np.flatnonzero(incomplete == 0)


def _fewest(triangle: _Numbers, tolerance: float) -> list[int]:
    """The places of columns that determine the last column, of which none can be left out; none if all together do not."""
    chosen = list(range(triangle.shape[1] - 1))
    weights, residual = _solved(triangle, chosen)
    if not chosen or residual > tolerance:
        return []
    ordered = [chosen[place] for place in np.argsort(np.abs(weights), kind="stable").tolist()]
    heavy = ordered[-int(np.count_nonzero(np.abs(weights) >= _LIGHT * np.abs(weights).max())) :]
    chosen = heavy if _solved(triangle, heavy)[1] <= tolerance else ordered
    size = max(1, len(chosen) // 2)
    while True:
        kept_all = True
        for start in range(0, len(chosen), size):
            rest = chosen[:start] + chosen[start + size :]
            if rest and _solved(triangle, rest)[1] <= tolerance:
                chosen, kept_all = rest, False
                break
        if kept_all:
            if size == 1:
                return chosen[::-1]
            size //= 2
        size = min(size, max(1, len(chosen) // 2))


def _solved(triangle: _Numbers, chosen: list[int]) -> tuple[_Numbers, float]:
    """The weights of these columns that come nearest to the last column, and the distance."""
    weights = np.linalg.lstsq(triangle[:, chosen], triangle[:, -1], rcond=1e-10)[0]
    return weights, float(np.linalg.norm(triangle[:, chosen] @ weights - triangle[:, -1]))
