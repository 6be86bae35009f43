"""Whether a data set can be learned from, and what is suspicious in it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import roc_auc
from retainstream.engine.learning.split import folds, held_out
from retainstream.engine.model.encoding import Rows
from retainstream.engine.schema import Column

LEAK_AUC = 0.95
"""A single column that tells churners apart this well is taken for a consequence of churn, not a sign of it."""

LEAK_BY_MISSING_AUC = 0.80
DUPLICATE_SHARE = 0.02
OUT_OF_RANGE_SHARE = 0.01
FEWEST_OF_A_CLASS = 20
_BINS = 50
_PRIOR_ROWS = 10.0
_NO_VALUE = np.float32(-9.9e30)


class UnfitData(ValueError):
    """No model can be made of this data; the message says why in a sentence."""


class TooFewRows(UnfitData):
    """Not enough customers with a known outcome."""


class OneClass(UnfitData):
    """Not enough customers of one of the two outcomes."""


@dataclass(frozen=True)
class Finding:
    """Something suspicious. An alarm keeps the model out of service; a warning is only told."""

    level: Literal["alarm", "warning"]
    code: Literal["leak", "leak_by_missing", "duplicates", "out_of_range", "constant", "imbalance"]
    detail: str
    column: str = ""

    def document(self) -> dict[str, str]:
        return {"level": self.level, "code": self.code, "column": self.column, "detail": self.detail}


def check(data: DataSet, *, fewest_rows: int) -> list[Finding]:
    """What is suspicious in data that can be learned from.

    Raises:
        TooFewRows: there are fewer customers than `fewest_rows`.
        OneClass: too few of them left, or too few stayed, in all or among the held-out ones.
    """
    require_enough(data, fewest_rows)
    findings = [*_balance(data), *_duplicates(data)]
    development = data.where(~held_out(data.keys))
    for place, column in enumerate(data.schema.features):
        values = data.rows[:, place]
        findings += _range(column, values)
        findings += _leaks(column, development, place)
    return findings


def require_enough(data: DataSet, fewest_rows: int) -> None:
    """Whether a model can be made of so many customers at all.

    Raises:
        TooFewRows, OneClass: see `check`.
    """
    rows, left = len(data), int(data.churned.sum())
    if rows < fewest_rows:
        raise TooFewRows(f"Only {rows} customers with a known outcome: at least {fewest_rows} are needed.")
    for count, what in ((left, "left"), (rows - left, "stayed")):
        if count == 0:
            raise OneClass(f"None of the {rows} customers with a known outcome {what}: a model needs customers who left and who stayed.")
        if count < FEWEST_OF_A_CLASS:
            raise OneClass(f"Only {count} of the {rows} customers with a known outcome {what}: at least {FEWEST_OF_A_CLASS} are needed.")
    test = data.churned[held_out(data.keys)]
    if not (test.any() and not test.all()):
        raise OneClass("The held-out customers do not hold both customers who left and who stayed: more known outcomes are needed.")


def _balance(data: DataSet) -> list[Finding]:
    share = float(data.churned.mean())
    if 0.01 <= share <= 0.9:
        return []
    return [Finding("warning", "imbalance", f"{share:.1%} of the customers with a known outcome left.")]


def _duplicates(data: DataSet) -> list[Finding]:
    whole = np.column_stack([np.where(np.isnan(data.rows), _NO_VALUE, data.rows), data.churned.astype(np.float32)])
    copies = len(whole) - len(np.unique(np.ascontiguousarray(whole).view(f"V{whole.shape[1] * 4}")))
    if copies <= DUPLICATE_SHARE * len(whole):
        return []
    return [Finding("warning", "duplicates", f"{copies} of {len(whole)} rows repeat another row in every column.")]


def _range(column: Column, values: NDArray[np.float32]) -> list[Finding]:
    known = values[~np.isnan(values)]
    if not len(known) or (known == known[0]).all():
        what = "has no value in any row" if not len(known) else "has the same value in every row"
        return [Finding("warning", "constant", f"{column.label} {what}.", column.name)]
    outside = np.zeros(len(known), dtype=bool)
    if column.min is not None:
        outside |= known < np.float32(column.min)
    if column.max is not None:
        outside |= known > np.float32(column.max)
    count = int(outside.sum()) + (0 if column.missing else len(values) - len(known))
    if not count:
        return []
    level: Literal["alarm", "warning"] = "alarm" if count > OUT_OF_RANGE_SHARE * len(values) else "warning"
    return [Finding(level, "out_of_range", f"{column.label} has {count} values the schema does not allow.", column.name)]


def _leaks(column: Column, data: DataSet, place: int) -> list[Finding]:
    alone = alone_auc(data.rows, data.churned, data.keys, place)
    if alone >= LEAK_AUC:
        detail = f"{column.label} alone tells who left with an AUC of {alone:.3f}: is it known before they leave?"
        return [Finding("alarm", "leak", detail, column.name)]
    missing = np.isnan(data.rows[:, place])
    by_missing = roc_auc(data.churned, missing.astype(np.float64))
    by_missing = max(by_missing, 1 - by_missing)
    if by_missing >= LEAK_BY_MISSING_AUC:
        detail = f"Whether {column.label} is missing tells who left with an AUC of {by_missing:.3f}."
        return [Finding("alarm", "leak_by_missing", detail, column.name)]
    return []


def alone_auc(rows: Rows, churned: NDArray[np.bool_], keys: NDArray[np.uint64], place: int) -> float:
    """The AUC that one column reaches alone: churn rate per bin (missing is a bin), each half judged by the other half's rates."""
    values = rows[:, place]
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.empty(0)
    bins = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    half = folds(keys, churned, 2)
    rates = np.empty(len(values))
    overall = churned.mean()
    for judged in (0, 1):
        learned = half != judged
        rows_in = np.bincount(bins[learned], minlength=len(edges) + 2)
        left_in = np.bincount(bins[learned], weights=churned[learned], minlength=len(edges) + 2)
        rates[~learned] = ((left_in + _PRIOR_ROWS * overall) / (rows_in + _PRIOR_ROWS))[bins[~learned]]
    return float(np.mean([roc_auc(churned[half == judged], rates[half == judged]) for judged in (0, 1)]))
