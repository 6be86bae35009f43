"""Parity: whether contributions equal those of the shap package."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel

MOST_ROWS = 500
TOLERANCE = 1e-4


class ParityDocument(TypedDict):
    """A `Parity` as JSON."""

    rows: int
    to_shap: float
    to_margin: float
    tolerance: float
    passed: bool


@dataclass(frozen=True)
class Parity:
    """The largest differences: to shap's values, and of base plus contributions to the booster's raw score.

    Both the contributions of the trees and those of the tables are compared.
    """

    rows: int
    to_shap: float
    to_margin: float

    @property
    def passed(self) -> bool:
        return self.to_shap <= TOLERANCE and self.to_margin <= TOLERANCE

    def document(self) -> ParityDocument:
        return {
            "rows": self.rows,
            "to_shap": self.to_shap,
            "to_margin": self.to_margin,
            "tolerance": TOLERANCE,
            "passed": self.passed,
        }


def parity(model: ScoringModel, rows: Rows) -> Parity:
    """Compares contributions with `shap.TreeExplainer` on up to 500 rows, in log-odds.

    The rows are evenly spaced among all rows, and include missing values and categories.
    """
    import shap

    sample = rows[np.linspace(0, len(rows) - 1, min(MOST_ROWS, len(rows))).astype(int)]
    explainer = shap.TreeExplainer(model.booster)
    theirs = np.asarray(explainer.shap_values(model.matrix(sample)), dtype=np.float64)
    inputs = model.inputs.rows(sample)
    ours = [model.contributions.walked(inputs)]
    if tables := model.contributions.tables(inputs):
        ours.append((tables.contributions(inputs), tables.forest.base))
    margin = model.margins(sample)
    return Parity(
        rows=len(sample),
        to_shap=max(float(np.abs(values - theirs).max()) for values, _ in ours),
        to_margin=max(float(np.abs(base + values.sum(axis=1) - margin).max()) for values, base in ours),
    )
