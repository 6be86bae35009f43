"""What the customers and the scores looked like when a model was made: the yardstick of later drift."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.monitoring.histograms import Ruler, edges_of, score_counts
from retainstream.engine.schema import Column


def reference(model: ScoringModel, development: DataSet, test: DataSet) -> dict[str, Any]:
    """Counts per bin of every feature over the development rows, and of the probability over the test rows.

    {rows, stayed_rows, features: [{feature, label, unit, kind, edges or levels, counts, missing, stayed, stayed_missing}],
    score: {rows, counts, stayed}}. A category's bins are its levels, a number's begin at its `edges` (see `histograms.edges_of`), with one
    more below; the probability's are those of `score_bins`. `stayed` counts the rows of customers who stayed.
    """
    bins = [_bins(column, development.rows[:, place]) for place, column in enumerate(model.schema.features)]
    ruler = Ruler.of({"features": [{**told, "counts": told.get("levels", [0, *told.get("edges", [])])} for told in bins]})
    everyone = ruler.by_feature(ruler.counts(development.rows))
    stayed = ruler.by_feature(ruler.counts(development.rows[~development.churned]))
    features = [
        {**told, "counts": one[:-1], "missing": one[-1], "stayed": other[:-1], "stayed_missing": other[-1]}
        for told, one, other in zip(bins, everyone, stayed, strict=True)
    ]
    probabilities = model.probabilities(test.rows).round(6)
    return {
        "rows": len(development),
        "stayed_rows": int((~development.churned).sum()),
        "features": features,
        "score": {
            "rows": len(test),
            "counts": score_counts(probabilities).tolist(),
            "stayed": score_counts(probabilities[~test.churned]).tolist(),
        },
    }


def _bins(column: Column, values: NDArray[np.float32]) -> dict[str, Any]:
    told = {"feature": column.name, "label": column.label, "unit": column.unit, "kind": column.kind}
    if column.kind == "category":
        return {**told, "levels": list(column.levels)}
    return {**told, "edges": edges_of(values[~np.isnan(values)])}
