"""The split into development and test rows, and into inner folds."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import Keys
from retainstream.engine.model.encoding import Rows
from retainstream.engine.traps.copies import MOST_COINCIDENCES, coincidences

TEST_SHARE = 0.2
_COPIED_SHARE = 0.02
_NO_VALUE = np.float32(-9.9e30)


def held_out(keys: Keys) -> NDArray[np.bool_]:
    """The test rows: true for about a fifth of the customers.

    A customer's side depends on its key alone, so it is the same in every run. No model is trained on a customer that another model is
    tested on, so any two models can be compared on these rows.
    """
    return keys.astype(np.float64) / 2.0**64 < TEST_SHARE


def folds(keys: Keys, churned: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The inner fold of each row, 0 … count - 1, with equal numbers of churners; it depends on the keys alone."""
    shuffled = keys * np.uint64(0x9E3779B97F4A7C15)  # a different order from that of `held_out`
    assigned = np.empty(len(keys), dtype=np.int64)
    for outcome in (True, False):
        members = np.flatnonzero(churned == outcome)
        by_key = members[np.lexsort((keys[members], shuffled[members]))]
        assigned[by_key] = np.arange(len(members)) % count
    return assigned


def folds_apart(keys: Keys, rows: Rows, churned: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The inner fold of each row by `folds`, with copies of a row in the fold of the first copy.

    Rows count as copies if more than 2% repeat another row in every column and coincidence does not explain it. Copies in two folds would
    favour models that memorise rows.
    """
    first, copy_of = _distinct(rows)
    if len(first) >= (1 - _COPIED_SHARE) * len(rows) or coincidences(rows.T) > MOST_COINCIDENCES:
        return folds(keys, churned, count)
    assigned: NDArray[np.int64] = folds(keys[first], churned[first], count)[copy_of]
    return assigned


def _distinct(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the distinct rows, and for each row the number of its distinct row."""
    comparable = np.ascontiguousarray(np.where(np.isnan(rows), _NO_VALUE, rows) + np.float32(0))
    _, first, copy_of = np.unique(comparable.view(f"V{comparable.shape[1] * 4}").ravel(), return_index=True, return_inverse=True)
    return first, copy_of
