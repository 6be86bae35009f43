"""Whether our reasons are the ones the shap package gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainstream.scoring.encoding import Rows
from retainstream.scoring.model import ScoringModel, matrix

MOST_ROWS = 500
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parity:
    """The largest differences met: to shap's values, and of base plus contributions to the booster's own raw score."""

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
    explained = model.explain(sample)
    explainer = shap.TreeExplainer(model.booster)
    theirs = np.asarray(explainer.shap_values(matrix(model.schema, sample)), dtype=np.float64)
    summed = explained.base_margin + explained.contributions.sum(axis=1)
    return Parity(
        rows=len(sample),
        to_shap=float(np.abs(explained.contributions - theirs).max()),
        to_margin=float(np.abs(summed - model.margins(sample)).max()),
    )
