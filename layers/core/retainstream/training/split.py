"""Which rows a model may learn from, and which only judge it."""

import numpy as np
from numpy.typing import NDArray

from retainstream.training.dataset import Keys

TEST_SHARE = 0.2


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
