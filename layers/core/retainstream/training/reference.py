"""What the customers and the scores looked like when a model was made: the yardstick of later drift."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.schema import Column
from retainstream.scoring.model import ScoringModel
from retainstream.training.dataset import DataSet

SCORE_BINS = 20
_VALUE_BINS = 10


def reference(model: ScoringModel, development: DataSet, test: DataSet) -> dict[str, Any]:
    """Counts per bin of every feature over the development rows, and of the probability over the test rows.

    A number's bins are bounded by `edges` (its deciles, below the first and above the last included); a category's are its levels.
    Missing values are counted apart.
    """
    features = [_feature(column, development.rows[:, place]) for place, column in enumerate(model.schema.features)]
    edges = np.arange(1, SCORE_BINS) / SCORE_BINS
    scores = np.searchsorted(edges, model.probabilities(test.rows), side="right")
    return {
        "rows": len(development),
        "features": features,
        "score": {"rows": len(test), "edges": edges.tolist(), "counts": np.bincount(scores, minlength=SCORE_BINS).tolist()},
    }


def _feature(column: Column, values: NDArray[np.float32]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    told = {"feature": column.name, "missing": len(values) - len(known)}
    if column.kind == "category":
        return {**told, "levels": list(column.levels), "counts": np.bincount(known.astype(int), minlength=len(column.levels)).tolist()}
    edges = np.unique(np.quantile(known, np.arange(1, _VALUE_BINS) / _VALUE_BINS)) if len(known) else np.empty(0)
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {**told, "edges": [float(edge) for edge in edges], "counts": counts.tolist()}
