"""Pairs of columns whose combinations say more about churn than the two columns each by itself.

Trees split a category level by level, so that a combination of two columns with many levels each costs them many splits of few rows. A
number for each combination, its log-odds of churn, shrunk to those of all rows, saves the splits (Micci-Barreca, "A preprocessing scheme
for high-cardinality categorical attributes in classification and prediction problems", 2001). The number of a row that the trees are
fitted to comes from the rows of other customers alone, because a number that has seen the row's own outcome would promise too much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.many_levels import columns_to_encode, differ_little, prior_rows
from retainstream.engine.learning.split import folds
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.inputs import Encoding, Inputs
from retainstream.engine.schema import FeatureSchema

type Floats = NDArray[np.float64]
type Mask = NDArray[np.bool_]

LEAST_LEVELS = 8
"""Levels that a column of a pair has at least: with fewer, trees find the combinations by themselves."""

MOST_PAIRS = 6
_MOST_COLUMNS = 24
_MOST_ROWS = 50_000
"""Rows on which pairs are compared."""
_FOLDS = 5
_PRIOR_ROWS = 20.0
_RIDGE_OF_A_LEVEL = 3.0
_RIDGES_OF_A_CELL = (3.0, 10.0, 40.0)
_STEPS = 3
_LEAST_GAIN = 4.0
"""Log loss, summed over the rows, by which a pair is better than its two columns."""
_LEAST_SURPRISE = 1.0
"""Standard deviations by which the squared residuals of the cells exceed their expectation if the columns did not act together."""
_OTHER_FOLDS = 0xA0761D6478BD642F


def may_be_encoded(schema: FeatureSchema) -> bool:
    """Whether the schema has columns that pairs are made of, or a column of many levels."""
    pairable = sum(column.kind == "category" and len(column.levels) >= LEAST_LEVELS for column in schema.features)
    return pairable > 1 or bool(columns_to_encode(schema))


def encoded(schema: FeatureSchema, rows: Rows, churned: Mask, keys: NDArray[np.uint64], seed: int) -> tuple[Inputs, Rows]:
    """The inputs of a model that is fitted to these rows, and the rows (n, inputs) to fit it to.

    Each column of many levels has a number, and the strongest pairs by these rows alone, at most `MOST_PAIRS`. In the rows these numbers
    come from the rows of the folds that the row's customer (`keys`) is not in; other rows get theirs from `Inputs.rows`. In the rows the
    levels of a column that says little are missing, so that nothing is learned from them. Without a number the inputs are the features.
    """
    fold_of = folds(keys ^ np.uint64((seed + 1) * _OTHER_FOLDS % 2**64), churned, _FOLDS)
    singles = columns_to_encode(schema)
    parts = [*((place,) for place in singles), *_strongest(schema, rows, churned, fold_of)]
    if not parts:
        return Inputs(schema), rows
    derived = [_encoding(places, rows, churned) for places in parts]
    learned = np.empty((len(rows), len(parts)), dtype=np.float32)
    for number in range(_FOLDS):
        apart = fold_of == number
        for at, places in enumerate(parts):
            learned[apart, at] = _encoding(places, rows[~apart], churned[~apart]).of(rows[apart])
    return Inputs(schema, tuple(derived)), np.hstack([_without_weak_levels(singles, rows, churned), learned])


def _without_weak_levels(singles: list[int], rows: Rows, churned: Mask) -> Rows:
    kept = rows.copy()
    for place in singles:
        _, of_row = _cells(rows, (place,))
        if differ_little(np.bincount(of_row).astype(np.float64), np.bincount(of_row, churned)):
            kept[:, place] = np.nan
    return kept


def _encoding(places: tuple[int, ...], rows: Rows, churned: Mask) -> Encoding:
    first, of_row = _cells(rows, places)
    count, left = np.bincount(of_row).astype(np.float64), np.bincount(of_row, churned)
    prior = (left.sum() + 0.5) / (count.sum() + 1)
    more = prior_rows(count, left) if len(places) == 1 else _PRIOR_ROWS
    share = (left + more * prior) / (count + more)
    scores = np.log(share / (1 - share)).round(5).astype(np.float32)
    return Encoding(places, rows[first][:, list(places)], scores, round(float(np.log(prior / (1 - prior))), 5))


def _cells(rows: Rows, places: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row of each combination of values, and the combination of each row."""
    numbers = np.zeros(len(rows), dtype=np.intp)
    for place in places:
        _, levels = np.unique(rows[:, place], return_inverse=True)
        numbers = numbers * (int(levels.max(initial=0)) + 1) + levels
    _, first, of_row = np.unique(numbers, return_index=True, return_inverse=True)
    return first, of_row


@dataclass(frozen=True)
class _Cells:
    """The combinations of two columns that occur: for each row its cell (n,), and for each cell its first row and its two levels (m,)."""

    of_row: NDArray[np.intp]
    first: NDArray[np.intp]
    levels: tuple[NDArray[np.intp], NDArray[np.intp]]

    @classmethod
    def of(cls, rows: Rows, places: tuple[int, int]) -> "_Cells":
        first, of_row = _cells(rows, places)
        one, other = (np.unique(rows[:, place], return_inverse=True)[1] for place in places)
        return cls(of_row, first, (one[first], other[first]))


def _strongest(schema: FeatureSchema, rows: Rows, churned: Mask, fold_of: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The pairs that gain the most log loss, strongest first."""
    some = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ROWS)).astype(int)
    rows, churned, fold_of = rows[some], churned[some], fold_of[some]
    levels = {
        place: len(np.unique(rows[:, place]))
        for place, column in enumerate(schema.features)
        if column.kind == "category" and len(column.levels) >= LEAST_LEVELS
    }
    columns = sorted(sorted((place for place in levels if levels[place] >= LEAST_LEVELS), key=lambda place: -levels[place])[:_MOST_COLUMNS])
    gains = {pair: gain for pair in combinations(columns, 2) if (gain := _gain(_Cells.of(rows, pair), churned, fold_of)) > _LEAST_GAIN}
    return sorted(gains, key=lambda pair: -gains[pair])[:MOST_PAIRS]


def _gain(cells: _Cells, churned: Mask, fold_of: NDArray[np.int64]) -> float:
    """The log loss, summed over the rows, that the cells gain over the two columns: each fold judged by the others.

    0 where the cells' residuals are what chance makes of them.
    """
    size = len(cells.first)
    at = fold_of * size + cells.of_row
    count = np.bincount(at, minlength=_FOLDS * size).reshape(_FOLDS, size).astype(np.float64)
    left = np.bincount(at, churned, minlength=_FOLDS * size).reshape(_FOLDS, size)
    if _surprise(cells, count.sum(axis=0), left.sum(axis=0)) < _LEAST_SURPRISE:
        return 0.0
    return max(map(sum, zip(*_gains(cells, count, left), strict=True)))


def _gains(cells: _Cells, count: Floats, left: Floats) -> Iterator[list[float]]:
    """The gain on each fold, by each ridge of a cell."""
    all_count, all_left = count.sum(axis=0), left.sum(axis=0)
    for judged_count, judged_left in zip(count, left, strict=True):
        learned_count, learned_left = all_count - judged_count, all_left - judged_left
        margin = _additive(cells, learned_count, learned_left)
        excess, weight = _residuals(margin, learned_count, learned_left)
        before = _loss(margin, judged_count, judged_left)
        yield [before - _loss(margin + excess / (weight + ridge), judged_count, judged_left) for ridge in _RIDGES_OF_A_CELL]


def _surprise(cells: _Cells, count: Floats, left: Floats) -> float:
    """The score statistic of a variance component: the weighted squares of the cells' residuals, standardised.

    Lin, "Variance component testing in generalised linear models with random effects", 1997.
    """
    excess, weight = _residuals(_additive(cells, count, left), count, left)
    share = weight / (weight + _PRIOR_ROWS)
    deviation = float(np.sqrt(2 * (share**2).sum()))
    return float((excess**2 / (weight + _PRIOR_ROWS)).sum() - share.sum()) / deviation if deviation else 0.0


def _additive(cells: _Cells, count: Floats, left: Floats) -> Floats:
    """The margin of each cell (m,) by its two levels alone: a ridge logistic regression, fitted by Newton steps in turn."""
    margin = np.full(len(count), np.log((left.sum() + 0.5) / (count.sum() - left.sum() + 0.5)))
    slopes = [np.zeros(int(levels.max()) + 1) for levels in cells.levels]
    for _ in range(_STEPS):
        for slope, levels in zip(slopes, cells.levels, strict=True):
            excess, weight = (np.bincount(levels, of_cells) for of_cells in _residuals(margin, count, left))
            step = (excess - _RIDGE_OF_A_LEVEL * slope) / (weight + _RIDGE_OF_A_LEVEL)
            slope += step
            margin += step[levels]
    return margin


def _residuals(margin: Floats, count: Floats, left: Floats) -> tuple[Floats, Floats]:
    """Churners beyond the expected number in each cell, and the variance of that number."""
    share = sigmoid(margin)
    return left - count * share, count * share * (1 - share)


def _loss(margin: Floats, count: Floats, left: Floats) -> float:
    return float(count @ np.logaddexp(0, margin) - left @ margin)
