"""The split into development and test rows, by time or by customers, and into inner folds."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import NO_ANCHOR, DataSet, Keys, period_of, periods
from retainstream.engine.model.encoding import Rows
from retainstream.engine.traps.copies import MOST_COINCIDENCES, coincidences

TEST_SHARE = 0.2
FEWEST_PERIODS = 3
FEWEST_TO_JUDGE = 20
"""Rows of each outcome that development rows and test rows need for a split by time."""

_COPIED_SHARE = 0.02
_NO_VALUE = np.float32(-9.9e30)

type Mask = NDArray[np.bool_]


class SplitDocument(TypedDict):
    """A `Split` as JSON; the first test day and its period only where it is by time."""

    by: Literal["time", "customers"]
    horizon_days: int
    period: NotRequired[str]
    test_from: NotRequired[str]


@dataclass(frozen=True)
class Split:
    """The rule that divides rows into test rows and development rows.

    test_from: the first anchor of the test period, days since 1970-01-01; None where the rule goes by customers.
    """

    horizon_days: int
    test_from: int | None = None

    def test(self, data: DataSet) -> Mask:
        """The test rows, bool (n,)."""
        return held_out(data.keys) if self.test_from is None else data.anchors >= self.test_from

    def development(self, data: DataSet) -> Mask:
        """The rows that a model may learn from if it is judged on the test rows, bool (n,).

        By time these are the rows whose outcome window ends by the first test anchor: the embargo.
        """
        if self.test_from is None:
            return ~held_out(data.keys)
        before: Mask = (data.anchors != NO_ANCHOR) & (data.anchors <= self.test_from - self.horizon_days)
        return before

    def sides(self, data: DataSet) -> tuple[DataSet, DataSet]:
        """Development rows and test rows."""
        return data.where(self.development(data)), data.where(self.test(data))

    @classmethod
    def from_document(cls, document: SplitDocument) -> "Split":
        if document["by"] == "customers":
            return cls(document["horizon_days"])
        return cls(document["horizon_days"], int(np.datetime64(document["test_from"], "D").astype(int)))

    def document(self) -> SplitDocument:
        if self.test_from is None:
            return {"by": "customers", "horizon_days": self.horizon_days}
        day = np.datetime64(self.test_from, "D")
        return {
            "by": "time",
            "period": period_of(self.test_from),
            "test_from": str(day),
            "horizon_days": self.horizon_days,
        }


def split_of(data: DataSet) -> Split:
    """The split of a data set: by time where it has enough labelled periods, otherwise by customers."""
    return by_time(data, data.schema.horizon_days) or Split(data.schema.horizon_days)


def by_time(data: DataSet, horizon_days: int) -> Split | None:
    """The split with the newest period as test set.

    While the test set has fewer than `FEWEST_TO_JUDGE` rows of an outcome, the period before it joins it. None with fewer than three
    labelled periods, or where the development rows would have fewer than `FEWEST_TO_JUDGE` rows of an outcome.
    """
    firsts = first_anchors(data)
    if len(firsts) < FEWEST_PERIODS:
        return None
    for start in reversed(firsts):
        split = Split(horizon_days, start)
        if enough_to_judge(data.churned[split.test(data)]):
            return split if enough_to_judge(data.churned[split.development(data)]) else None
    return None


def first_anchors(data: DataSet) -> list[int]:
    """The first anchor of each labelled period, days since 1970-01-01, oldest period first."""
    named = periods(data)
    return [int(data.anchors[named == period].min()) for period in np.unique(named[named != ""])]


def enough_to_judge(churned: Mask) -> bool:
    """Whether there are `FEWEST_TO_JUDGE` rows of each outcome."""
    return min(int(churned.sum()), int((~churned).sum())) >= FEWEST_TO_JUDGE


def held_out(keys: Keys) -> Mask:
    """The test rows of a split by customers: true for about a fifth of the customers.

    A customer's side depends on its key alone, so it is the same in every run. No model is trained on a customer that another model is
    tested on, so any two models can be compared on these rows.
    """
    return keys.astype(np.float64) / 2.0**64 < TEST_SHARE


def folds(keys: Keys, churned: Mask, count: int) -> NDArray[np.int64]:
    """The inner fold of each row, 0 … count - 1; all rows of a customer are in one fold.

    The folds have equal numbers of customers who left at any of their rows. They depend on the keys alone.
    """
    _, first, customer_of = np.unique(keys, return_index=True, return_inverse=True)
    return _folds_of(keys[first], _any(churned, customer_of), count)[customer_of]


def _folds_of(keys: Keys, churned: Mask, count: int) -> NDArray[np.int64]:
    """The folds of distinct keys."""
    shuffled = keys * np.uint64(0x9E3779B97F4A7C15)  # a different order from that of `held_out`
    assigned = np.empty(len(keys), dtype=np.int64)
    for outcome in (True, False):
        members = np.flatnonzero(churned == outcome)
        by_key = members[np.lexsort((keys[members], shuffled[members]))]
        assigned[by_key] = np.arange(len(members)) % count
    return assigned


def folds_apart(keys: Keys, rows: Rows, churned: Mask, count: int) -> NDArray[np.int64]:
    """The inner fold of each row by `folds`, with copies of a row in the fold of the first copy.

    Rows count as copies if more than 2% repeat another customer's row in every column and coincidence does not explain it. Copies in two
    folds would favour models that memorise rows.
    """
    _, copy_of = _distinct(rows)
    _, customer_of = np.unique(keys, return_inverse=True)
    repeated = _surplus(copy_of, customer_of)
    if repeated <= _COPIED_SHARE * len(rows) or coincidences(rows.T) > MOST_COINCIDENCES:
        return folds(keys, churned, count)
    _, first, group_of = np.unique(_connected(copy_of, customer_of), return_index=True, return_inverse=True)
    several_rows = customer_of.max() + 1 < len(rows)
    if several_rows and np.bincount(group_of).max() > len(rows) / count:  # a chain of coincidences
        return folds(keys, churned, count)
    return _folds_of(keys[first], _any(churned, group_of), count)[group_of]


def _surplus(copy_of: NDArray[np.intp], customer_of: NDArray[np.intp]) -> int:
    """The number of rows that repeat a row of another customer."""
    pairs = np.unique(copy_of * (customer_of.max() + 1) + customer_of)
    return len(pairs) - int(copy_of.max()) - 1


def _connected(copy_of: NDArray[np.intp], customer_of: NDArray[np.intp]) -> NDArray[np.int32]:
    """A number for each row (n,), equal where rows are of one customer, are copies, or are linked by such rows."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    customers, distinct = int(customer_of.max()) + 1, int(copy_of.max()) + 1
    size = customers + distinct
    links = coo_array((np.ones(len(copy_of), dtype=bool), (customer_of, customers + copy_of)), shape=(size, size))
    component_of: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return component_of[customer_of]


def _any(values: Mask, group_of: NDArray[np.intp]) -> Mask:
    """Whether any value of a group is true, bool (groups,)."""
    return np.bincount(group_of, weights=values) > 0


def _distinct(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the distinct rows, and for each row the number of its distinct row."""
    comparable = np.ascontiguousarray(np.where(np.isnan(rows), _NO_VALUE, rows) + np.float32(0))
    _, first, copy_of = np.unique(comparable.view(f"V{comparable.shape[1] * 4}").ravel(), return_index=True, return_inverse=True)
    return first, copy_of
