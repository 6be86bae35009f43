"""How well one column predicts the outcome, in figures that hold on small data too."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

type Bins = NDArray[np.intp]

_FOLDS = 5
_OWN_BIN = 64
_QUANTILES = 32
_SPIKE = 0.01
_PRIOR = 2.0
_Z = 1.645


@dataclass(frozen=True)
class CodedColumn:
    """A column as its distinct values and an index into them.

    codes: the place of each row's value, (n,). Per distinct value: numbers, NaN where the value is not a number; absent, whether it means
    missing; counts, its rows. text: how a value is written. has_levels: whether single values can be compared (not for keys and free text).
    """

    header: str
    codes: NDArray[np.integer]
    numbers: NDArray[np.float64]
    absent: NDArray[np.bool_]
    counts: NDArray[np.intp]
    text: Callable[[int], str]
    has_levels: bool = True


@dataclass(frozen=True)
class Outcome:
    """The rows whose outcome is known, and whether each customer left."""

    known: NDArray[np.bool_]
    churned: NDArray[np.bool_]

    @classmethod
    def of(cls, churned: NDArray[np.float64]) -> "Outcome":
        """From one value per row: 1 left, 0 stayed, NaN not known."""
        known = ~np.isnan(churned)
        return cls(known, churned[known] == 1)

    def __len__(self) -> int:
        return len(self.churned)

    @cached_property
    def positives(self) -> int:
        return int(self.churned.sum())

    @property
    def negatives(self) -> int:
        return len(self) - self.positives

    @property
    def rate(self) -> float:
        return self.positives / len(self)

    @cached_property
    def folds(self) -> Bins:
        """A fold for each row, of equal churn rate; the same in every run."""
        folds = np.empty(len(self), dtype=np.intp)
        rng = np.random.default_rng(20_260_101)
        for side in (True, False):
            rows = np.flatnonzero(self.churned == side)
            folds[rng.permutation(rows)] = np.arange(len(rows)) % _FOLDS
        return folds


@dataclass(frozen=True)
class Auc:
    """An area under the ROC curve with its one-sided 95 % lower bound (Hanley and McNeil's standard error)."""

    value: float
    lower: float

    @classmethod
    def of(cls, value: float, outcome: Outcome) -> "Auc":
        positives, negatives = outcome.positives, outcome.negatives
        area = min(max(value, 0.5), 1 - 1 / (2 * (positives + negatives)))
        both_above, both_below = area / (2 - area), 2 * area * area / (1 + area)
        variance = area * (1 - area) + (positives - 1) * (both_above - area * area) + (negatives - 1) * (both_below - area * area)
        return cls(value, value - _Z * math.sqrt(max(variance, 0.0) / (positives * negatives)))


@dataclass(frozen=True)
class Cell:
    """The rows that share a value: how many, and how many of them left. is_rest: those with any value but this one."""

    name: str
    rows: int
    churned: int
    is_rest: bool = False

    @property
    def rate(self) -> float:
        return self.churned / self.rows

    @property
    def lower_rate(self) -> float:
        """Wilson's one-sided 95 % lower bound of the churn rate."""
        n, p, z = self.rows, self.rate, _Z
        return (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def single_column_auc(column: CodedColumn, outcome: Outcome) -> Auc:
    """How well the column alone ranks customers; missing counts as a value.

    Numbers are binned (a bin for each frequent number, quantiles for the rest), each bin gets the churn rate of the other folds, and the
    AUC of these rates is averaged over five folds. So the figure assumes no direction and no shape, and many levels do not raise it.
    """
    bins = _bins(column)[outcome.known]
    width = int(bins.max()) + 1
    cell = outcome.folds * width + bins
    left = np.bincount(cell, outcome.churned, _FOLDS * width).reshape(_FOLDS, width)
    rows = np.bincount(cell, minlength=_FOLDS * width).reshape(_FOLDS, width)
    stayed = rows - left
    rates = (left.sum(0) - left + _PRIOR * outcome.rate) / (rows.sum(0) - rows + _PRIOR)
    areas = [_area(rates[fold], left[fold], stayed[fold]) for fold in range(_FOLDS) if left[fold].any() and stayed[fold].any()]
    return Auc.of(float(np.mean(areas)) if areas else 0.5, outcome)


def cells_of(column: CodedColumn, outcome: Outcome) -> list[Cell]:
    """The column's frequent values, and its missing rows (named ""), with their churn rates.

    Where most numbers are the same, as in a column of refunds, the other numbers are a cell, too.
    """
    codes = column.codes[outcome.known]
    rows = np.bincount(codes, minlength=len(column.counts))
    left = np.bincount(codes, outcome.churned, len(column.counts))
    frequent = ~column.absent & (rows >= max(10, _SPIKE * len(outcome)))
    cells = [Cell(column.text(code), int(rows[code]), int(left[code])) for code in np.flatnonzero(frequent).tolist()]
    absent = column.absent
    usual = int(np.argmax(np.where(absent, 0, rows)))
    there = ~absent & (rows > 0)
    others = there & (np.arange(len(rows)) != usual)
    if not np.isnan(column.numbers[usual]) and np.count_nonzero(others) > 1 and rows[usual] > rows[others].sum():
        cells.append(Cell(column.text(usual), int(rows[others].sum()), int(left[others].sum()), is_rest=True))
    return cells + ([Cell("", int(rows[absent].sum()), int(left[absent].sum()))] if rows[absent].sum() else [])


def _bins(column: CodedColumn) -> Bins:
    """A bin for each row of the column."""
    of_value = np.arange(len(column.counts))
    numbers, counts = column.numbers, column.counts
    is_number = ~np.isnan(numbers)
    if is_number.any() and np.count_nonzero(~column.absent) > _OWN_BIN:
        total = counts[is_number].sum()
        spike = is_number & (counts >= max(10, _SPIKE * total))
        rest = is_number & ~spike
        order = np.flatnonzero(rest)[np.argsort(numbers[rest], kind="stable")]
        through = np.cumsum(counts[order])
        of_value = np.zeros(len(numbers), dtype=np.intp)
        if len(order):
            of_value[order] = 1 + (through - counts[order]) * _QUANTILES // through[-1]
        of_value[spike] = _QUANTILES + 1 + np.arange(np.count_nonzero(spike))
    of_value = np.where(column.absent, int(of_value.max()) + 1, of_value)
    bins: Bins = of_value[column.codes]
    return bins


def _area(rates: NDArray[np.float64], left: NDArray[np.float64], stayed: NDArray[np.float64]) -> float:
    levels, place = np.unique(rates, return_inverse=True)
    positives = np.bincount(place, left, len(levels))
    negatives = np.bincount(place, stayed, len(levels))
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))
