"""Which columns move the scores, over a sample of held-out customers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.metrics import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import Column

SAMPLE_ROWS = 2_000
_CLEAR_CORRELATION = 0.5


def importance(model: ScoringModel, rows: Rows) -> list[dict[str, Any]]:
    """Mean absolute contribution (log-odds) of each column over the first `SAMPLE_ROWS` rows, largest first, with its direction.

    direction: "increasing" when larger values raise the risk, "decreasing" when they lower it, "mixed" when neither is clear, as for
    every category.
    """
    sample = rows[:SAMPLE_ROWS]
    contributions = model.explain(sample).contributions
    found = [
        {
            "feature": column.name,
            "label": column.label,
            "mean_abs_contribution": round(float(np.abs(contributions[:, place]).mean()), 6),
            "direction": direction(column, sample[:, place], contributions[:, place]),
        }
        for place, column in enumerate(model.schema.features)
    ]
    return sorted(found, key=lambda entry: (-float(entry["mean_abs_contribution"]), entry["feature"]))


def direction(column: Column, values: NDArray[np.float32], contributions: Floats) -> str:
    """How the risk moves when a column's value grows: "increasing", "decreasing" or "mixed"; both arrays have shape (n,)."""
    """Which way a column moves the scores, from its values (n,), missing ones NaN, and its contributions (n,)."""
    if column.monotone:
        return column.monotone
    known = ~np.isnan(values)
    if column.kind == "category" or known.sum() < 3:
        return "mixed"
    correlation = _rank_correlation(values[known], contributions[known])
    if correlation >= _CLEAR_CORRELATION:
        return "increasing"
    return "decreasing" if correlation <= -_CLEAR_CORRELATION else "mixed"


def _rank_correlation(first: NDArray[np.float32], second: Floats) -> float:
    from scipy.stats import rankdata

    ranks = np.array([rankdata(first), rankdata(second)])
    deviations = ranks - ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt((deviations**2).sum(axis=1).prod())
    return float((deviations[0] * deviations[1]).sum() / scale) if scale else 0.0
