"""The reference of a model: what customers and scores looked like when it was made. Drift is measured against it."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.monitoring.documents import FeatureBins, FeatureReference, Reference
from retainstream.engine.monitoring.histograms import Ruler, edges_of, score_counts
from retainstream.engine.schema import Column


def reference(model: ScoringModel, development: DataSet, test: DataSet) -> Reference:
    """Rows per bin of every feature over the development rows, and of the probability over the test rows.

    A category's bins are its levels; a number's bins begin at its `edges` (see `histograms.edges_of`), with one more bin below the first
    edge; the probability's bins are those of `score_bins`.
    """
    bins = [_bins(column, development.rows[:, place]) for place, column in enumerate(model.schema.features)]
    ruler = Ruler.of(bins)
    every = ruler.by_feature(ruler.counts(development.rows))
    stayed = ruler.by_feature(ruler.counts(development.rows[~development.churned]))
    probabilities = model.probabilities(test.rows).round(6)
    return {
        "rows": len(development),
        "stayed_rows": int((~development.churned).sum()),
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


def _feature(column: Column, bins: FeatureBins, counts: list[int], stayed: list[int]) -> FeatureReference:
    return {
        "feature": column.name,
        "label": column.label,
        "unit": column.unit,
        "kind": column.kind,
        **bins,
        "counts": counts[:-1],
        "missing": counts[-1],
        "stayed": stayed[:-1],
        "stayed_missing": stayed[-1],
    }
