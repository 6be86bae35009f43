"""The reference of a model: what customers and scores looked like when it was made. Drift is measured against it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.monitoring.documents import FeatureBins, FeatureReference, Reference
from retainstream.engine.monitoring.histograms import Ruler, edges_of, score_counts
from retainstream.engine.schema import Column


def reference(model: ScoringModel, development: DataSet, test: DataSet) -> Reference:
    """Rows and their mean churn probability per bin of every feature over the development rows; rows per bin of the probability over the
    test rows.

    A category's bins are its levels; a number's bins begin at its `edges` (see `histograms.edges_of`), with one more bin below the first
    edge; the probability's bins are those of `score_bins`.
    """
    bins = [_bins(column, development.rows[:, place]) for place, column in enumerate(model.schema.features)]
    ruler = Ruler.of(bins)
    here = ~development.churned
    expected = model.probabilities(development.rows)
    every, stayed = (_filled(ruler, development.rows[rows], expected[rows]) for rows in (slice(None), here))
    probabilities = model.probabilities(test.rows).round(6)
    return {
        "rows": len(development),
        "stayed_rows": int(here.sum()),
        "features": [_feature(*figures) for figures in zip(model.schema.features, bins, every, stayed, strict=True)],
        "score": {
            "rows": len(test),
            "counts": score_counts(probabilities).tolist(),
            "stayed": score_counts(probabilities[~test.churned]).tolist(),
        },
    }


def _bins(column: Column, values: NDArray[np.float32]) -> FeatureBins:
    """A feature's bins, with no rows counted."""
    if column.kind == "category":
        return {"levels": list(column.levels), "counts": [0] * len(column.levels)}
    edges = edges_of(values[~np.isnan(values)])
    return {"edges": edges, "counts": [0] * (len(edges) + 1)}


@dataclass(frozen=True)
class _Filled:
    """Rows per bin, missing last, and their mean churn probability; the mean of all rows where a bin has none."""

    counts: list[int]
    probability: list[float]


def _filled(ruler: Ruler, rows: NDArray[np.float32], probabilities: NDArray[np.float64]) -> list[_Filled]:
    """The filled bins of each feature."""
    counts, sums = ruler.counts(rows), ruler.sums(rows, probabilities)
    average = probabilities.mean() if len(probabilities) else 0.0
    means = np.where(counts, sums / np.maximum(counts, 1), average).round(6)
    return [_Filled(rows.tolist(), of.tolist()) for rows, of in zip(ruler.by_feature(counts), ruler.by_feature(means), strict=True)]


def _feature(column: Column, bins: FeatureBins, every: _Filled, stayed: _Filled) -> FeatureReference:
    return {
        "feature": column.name,
        "label": column.label,
        "unit": column.unit_of_input,
        "kind": column.kind,
        **bins,
        "counts": every.counts[:-1],
        "missing": every.counts[-1],
        "stayed": stayed.counts[:-1],
        "stayed_missing": stayed.counts[-1],
        "probability": every.probability,
        "stayed_probability": stayed.probability,
    }
