"""Whether our reasons are the ones the shap package gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel, matrix

MOST_ROWS = 500
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parity:
    """The largest differences met: to shap's values, and of base plus contributions to the booster's own raw score.

    Those of the trees and those of the tables are judged alike.
    """

    rows: int
    to_shap: float
    to_margin: float

    @property
    def passed(self) -> bool:
        return self.to_shap <= TOLERANCE and self.to_margin <= TOLERANCE

    def document(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "to_shap": self.to_shap,
            "to_margin": self.to_margin,
            "tolerance": TOLERANCE,
            "passed": self.passed,
        }


def parity(model: ScoringModel, rows: Rows) -> Parity:
    """Compares our contributions with `shap.TreeExplainer` on up to 500 rows, in log-odds.

    The rows are taken evenly over all that are given. Missing values and categories are compared too.
    """
    import shap

    sample = rows[np.linspace(0, len(rows) - 1, min(MOST_ROWS, len(rows))).astype(int)]
    explainer = shap.TreeExplainer(model.booster)
    theirs = np.asarray(explainer.shap_values(matrix(model.schema, sample)), dtype=np.float64)
    ours = [model.contributions.walked(sample)]
    if tables := model.contributions.tables(sample):
        ours.append((tables.contributions(sample), tables.forest.base))
    margin = model.margins(sample)
    return Parity(
        rows=len(sample),
        to_shap=max(float(np.abs(values - theirs).max()) for values, _ in ours),
        to_margin=max(float(np.abs(base + values.sum(axis=1) - margin).max()) for values, base in ours),
    )
