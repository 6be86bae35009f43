"""Which rows a model may learn from, and which only judge it."""

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

    A customer's side depends on its key alone, so it is the same in every run: no model, past or future, has learned from a
    customer by whom another is judged, and two models may be compared on these rows.
    """
    return keys.astype(np.float64) / 2.0**64 < TEST_SHARE


def folds(keys: Keys, churned: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The inner fold of each row, 0 … count - 1: as many churners in each as can be, decided by the keys alone."""
    shuffled = keys * np.uint64(0x9E3779B97F4A7C15)  # another order than the one `held_out` cuts
    assigned = np.empty(len(keys), dtype=np.int64)
    for outcome in (True, False):
        members = np.flatnonzero(churned == outcome)
        by_key = members[np.lexsort((keys[members], shuffled[members]))]
        assigned[by_key] = np.arange(len(members)) % count
    return assigned


def folds_apart(keys: Keys, rows: Rows, churned: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The inner fold of each row as `folds` gives it, with copies of a row in the fold of the first one.

    Rows are taken for copies where more than 2 % repeat another in every column and hardly any would by coincidence. Copies in two
    folds would make a model that learns its rows by heart look good.
    """
    first, copy_of = _distinct(rows)
    if len(first) >= (1 - _COPIED_SHARE) * len(rows) or coincidences(rows.T) > MOST_COINCIDENCES:
        return folds(keys, churned, count)
    assigned: NDArray[np.int64] = folds(keys[first], churned[first], count)[copy_of]
    return assigned


def _distinct(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the distinct rows, and for each row the number of the one it equals."""
    whole = np.ascontiguousarray(np.where(np.isnan(rows), _NO_VALUE, rows) + np.float32(0))
    _, first, copy_of = np.unique(whole.view(f"V{whole.shape[1] * 4}").ravel(), return_index=True, return_inverse=True)
    return first, copy_of
