"""SHAP values of held-out customers, for the card's bars and beeswarm."""

from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.importance import SAMPLE_ROWS, direction_at
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema.feature_schema import Kind

DRAWN_ROWS = 300
DRAWN_COLUMNS = 15


class InfluenceDocument(TypedDict):
    """How a column moves the scores, for `card.document.Influence`."""

    feature: str
    label: str
    kind: Kind
    mean_abs: float
    direction: str
    values: NotRequired[list[float]]
    ranks: NotRequired[list[float | None]]


class ExplanationDocument(TypedDict):
    """How all columns move the scores, for `card.document.Explanation`."""

    rows: int
    sampled: int
    base: float
    columns: list[InfluenceDocument]


def explanation(model: ScoringModel, rows: Rows) -> ExplanationDocument:
    """Mean absolute SHAP value of every column over up to `SAMPLE_ROWS` of the rows, by `shap.TreeExplainer`, in log-odds.

    The strongest `DRAWN_COLUMNS` columns also have single values of up to `DRAWN_ROWS` evenly spaced rows. The customers' own values
    appear only as ranks.
    """
    import shap

    sample = rows[:SAMPLE_ROWS]
    explainer = shap.TreeExplainer(model.booster)
    values = model.inputs.contributions(np.asarray(explainer.shap_values(model.matrix(sample)), dtype=np.float64))
    means = np.abs(values).mean(axis=0)
    drawn = np.linspace(0, len(sample) - 1, min(DRAWN_ROWS, len(sample))).astype(int)
    columns: list[InfluenceDocument] = []
    for position, place in enumerate(np.argsort(-means, kind="stable").tolist()):
        column, alone = model.inputs.explained[place], len(model.inputs.parts[place]) == 1
        document: InfluenceDocument = {
            "feature": column.name,
            "label": column.label,
            "kind": column.kind if alone else "category",
            "mean_abs": round(float(means[place]), 6),
            "direction": direction_at(model.inputs, place, sample, values),
        }
        if position < DRAWN_COLUMNS:
            document["values"] = np.round(values[drawn, place], 4).tolist()
            document["ranks"] = [] if column.kind == "category" or not alone else _ranks(sample[drawn, place])
        columns.append(document)
    base = float(np.ravel(explainer.expected_value)[0])
    return {"rows": len(sample), "sampled": len(drawn), "base": base, "columns": columns}


def _ranks(values: NDArray[np.float32]) -> list[float | None]:
    """The rank of each value among the known ones, 0 … 1; equal values have the mean of their ranks."""
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    ranks: Floats = np.full(len(values), np.nan)
    if known.any():
        most = max(1, int(known.sum()) - 1)
        ranks[known] = (rankdata(values[known]) - 1) / most if known.sum() > 1 else 0.5
    return [None if np.isnan(rank) else round(float(rank), 2) for rank in ranks]
