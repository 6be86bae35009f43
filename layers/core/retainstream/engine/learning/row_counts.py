"""Trees whose nodes count rows.

The path-dependent Shapley values of a tree weigh the branches of a split by the *covers* of their nodes, and so does the base, the score
before any column is known. The reference implementation counts the training rows of each node (Lundberg et al., "From local explanations
to global understanding with explainable AI for trees", 2020, algorithm 1). XGBoost sums hessians instead, p (1 − p) for each row, so that
customers who are sure to stay hardly count, and its base is nobody's mean score. Here counts replace these sums. So the base is the mean
score of the rows, and the contributions of a column are nearly 0 on average.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import matrix
from retainstream.engine.schema import Column

_LEAVES_AT_ONCE = 8_000_000
_TRACE = 0.01
"""Rows that each tree has in addition, divided as the stored covers are, so that a branch without rows has a cover for later rows."""


def counted(booster: xgboost.Booster, columns: Sequence[Column], rows: Rows) -> xgboost.Booster:
    """The booster with the same scores, and the number of `rows` (n, columns) at each node as its cover."""
    document = json.loads(bytes(booster.save_raw("json")))
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    if not trees:
        return booster
    ends = np.cumsum([len(tree["left_children"]) for tree in trees])
    reached = np.split(_reached(booster, columns, rows, ends), ends[:-1])
    for tree, counts in zip(trees, reached, strict=True):
        tree["sum_hessian"] = _covers(tree, counts)
    copy = xgboost.Booster()
    copy.load_model(bytearray(json.dumps(document).encode()))
    return copy


def _reached(booster: xgboost.Booster, columns: Sequence[Column], rows: Rows, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of rows in each leaf, (nodes of all trees,). ends: the number of nodes up to the end of each tree."""
    counts = np.zeros(int(ends[-1]), dtype=np.int64)
    starts = np.append(0, ends[:-1])
    step = max(1, _LEAVES_AT_ONCE // len(ends))
    for start in range(0, len(rows), step):
        leaves = booster.predict(matrix(columns, rows[start : start + step]), pred_leaf=True).reshape(-1, len(ends))
        counts += np.bincount((leaves.astype(np.int64) + starts).ravel(), minlength=len(counts))
    return counts


def _covers(tree: dict[str, Any], rows: NDArray[np.int64]) -> list[float]:
    """The cover of each node: its rows, and its part of the trace. A node comes before its children."""
    stored = np.array(tree["sum_hessian"], dtype=np.float64)
    covers: list[float] = (rows + _TRACE * stored / (stored[0] or 1.0)).tolist()
    for node in reversed(range(len(covers))):
        left, right = tree["left_children"][node], tree["right_children"][node]
        if left >= 0:
            covers[node] = covers[left] + covers[right]
    return covers
