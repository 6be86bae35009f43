"""The linear model that every candidate is compared with: logistic regression on the same rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.split import folds_apart
from retainstream.engine.model.encoding import Rows
from retainstream.engine.schema import Column, FeatureSchema

_FOLDS = 5
_MANY_ROWS = 50_000
_MOST_LEVELS = 64
"""Levels of a category that have a column; rarer ones have none, because each column takes memory for every row."""


@dataclass(frozen=True)
class LinearBaseline:
    """Logistic regression: categories one-hot, numbers standardised, missing numbers at the median and marked by a column."""

    schema: FeatureSchema
    levels: tuple[NDArray[np.intp], ...]
    medians: Floats
    means: Floats
    deviations: Floats
    model: Any

    @classmethod
    def fit(cls, schema: FeatureSchema, rows: Rows, churned: Outcomes) -> "LinearBaseline":
        from sklearn.linear_model import LogisticRegression

        known = np.where(np.isnan(rows).all(axis=0), np.float32(0), rows).astype(np.float64)
        medians = np.nanmedian(known, axis=0)
        levels = tuple(_frequent(column, rows[:, place]) for place, column in enumerate(schema.features))
        plain = _columns(levels, rows, medians)
        means, deviations = plain.mean(axis=0), plain.std(axis=0)
        deviations[deviations == 0] = 1.0
        model = LogisticRegression(max_iter=500).fit((plain - means) / deviations, churned)
        return cls(schema, levels, medians, means, deviations, model)

    def probabilities(self, rows: Rows) -> Floats:
        """Churn probabilities, shape (n,)."""
        plain = (_columns(self.levels, rows, self.medians) - self.means) / self.deviations
        return np.asarray(self.model.predict_proba(plain)[:, 1], dtype=np.float64)


def out_of_fold(data: DataSet) -> tuple[Outcomes, Floats]:
    """Outcomes and churn probabilities of rows, each from a linear model that was not fitted to the row's customer.

    For a threshold that is chosen as the candidate's is. Of more than `_MANY_ROWS` rows one fold is enough; otherwise they are all rows.
    """
    fold_of = folds_apart(data.keys, data.rows, data.churned, _FOLDS)
    judged = [fold_of == fold for fold in range(1 if len(data) > _MANY_ROWS else _FOLDS)]
    models = [LinearBaseline.fit(data.schema, data.rows[~rows], data.churned[~rows]) for rows in judged]
    probabilities = [model.probabilities(data.rows[rows]) for model, rows in zip(models, judged, strict=True)]
    return np.concatenate([data.churned[rows] for rows in judged]), np.concatenate(probabilities)


def _frequent(column: Column, values: NDArray[np.float32]) -> NDArray[np.intp]:
    """The levels of a category that have a column: all, or the most frequent. None of a number."""
    if len(column.levels) <= _MOST_LEVELS:
        return np.arange(len(column.levels))
    rows = np.bincount(values[~np.isnan(values)].astype(np.intp), minlength=len(column.levels))
    return np.sort(np.argsort(-rows, kind="stable")[:_MOST_LEVELS])


def _columns(levels: tuple[NDArray[np.intp], ...], rows: Rows, medians: Floats) -> NDArray[np.float64]:
    parts: list[NDArray[np.float64]] = []
    for place, of_column in enumerate(levels):
        values = rows[:, place].astype(np.float64)
        missing = np.isnan(values)
        if len(of_column):
            parts.append((values[:, None] == of_column).astype(np.float64))
        else:
            parts.append(np.where(missing, medians[place], values)[:, None])
        parts.append(missing[:, None].astype(np.float64))
    return np.hstack(parts)
