"""Columns that know the outcome: they predict it almost alone."""

from dataclasses import dataclass

import numpy as np

from retainstream.engine.traps.evidence import Auc, Cell, CodedColumn, Outcome, cells_of, single_column_auc
from retainstream.engine.traps.words import speaks_of_leaving, speaks_of_the_cost_of_leaving

FEWEST = 20
"""Customers of either outcome below which no column is called a leak."""

LEAK_AUC, LEAK_LOWER_BOUND = 0.90, 0.87
"""AUC of a column alone, and its lower bound, from which the column is suspected. The draft leaves it out; training warns."""

CERTAIN_AUC = 0.95
"""AUC of a suspected column from which training's checks raise an alarm, which keeps the model out of service."""

_AUC_BY_NAME, _LOWER_BOUND_BY_NAME = 0.80, 0.75
_AUC_OF_COSTS, _LOWER_BOUND_OF_COSTS = 0.60, 0.57
_PURE_RATE, _PURE_LOWER_BOUND = 0.97, 0.85
_COVERED = 0.10
_USUAL_RATE = 0.60


@dataclass(frozen=True)
class Suspicion:
    """Why a column is suspected: its AUC alone, a value that nearly always means leaving (if any), and whether its name decided."""

    header: str
    auc: Auc
    pure: Cell | None
    by_name: bool

    @property
    def is_certain(self) -> bool:
        return self.auc.value >= CERTAIN_AUC

    def sentence(self, outcome: Outcome) -> str:
        """The evidence, in a sentence."""
        text = f"on its own it ranks customers with an AUC of {self.auc.value:.3f} (at least {self.auc.lower:.3f} with 95% confidence)"
        if self.pure:
            where = _where(self.pure)
            text = (
                f"{self.pure.churned:,} of {self.pure.rows:,} customers {where} left, {share(self.pure.churned, outcome.positives)} of all "
                f"churners (churn rate {share(outcome.positives, len(outcome))}); {text}"
            )
        if self.by_name:
            text += f", and its name ({self.header}) refers to the outcome"
        return text


def _where(cell: Cell) -> str:
    if cell.is_rest:
        return f'with a value other than "{cell.name}"'
    return f'with the value "{cell.name}"' if cell.name else "without a value"


def suspicion_of(column: CodedColumn, outcome: Outcome, label: str) -> Suspicion | None:
    """Whether a column predicts the outcome almost alone. `label` is the header of the outcome.

    Suspected is a column with a cross-fitted AUC of at least LEAK_AUC (0.80 when its name refers to the outcome, 0.60 when it refers to
    what leaving costs) and a lower bound of LEAK_LOWER_BOUND (0.75, 0.57); and a column with a value of which nearly all holders left,
    when these are a tenth or more of all churners.
    """
    if min(outcome.positives, outcome.negatives) < FEWEST:
        return None
    auc = single_column_auc(column, outcome)
    strong = auc.value >= LEAK_AUC and auc.lower >= LEAK_LOWER_BOUND
    named = (auc.value >= _AUC_BY_NAME and auc.lower >= _LOWER_BOUND_BY_NAME and speaks_of_leaving(column.header, label)) or (
        auc.value >= _AUC_OF_COSTS
        and auc.lower >= _LOWER_BOUND_OF_COSTS
        and speaks_of_the_cost_of_leaving(column.header)
        and _is_more_for_leavers(column, outcome)
    )
    pure = _purest(column, outcome)
    return Suspicion(column.header, auc, pure, named and not strong) if strong or named or pure else None


def _is_more_for_leavers(column: CodedColumn, outcome: Outcome) -> bool:
    """Whether the numbers of customers who left are larger on average; no number counts as 0."""
    values = np.nan_to_num(column.numbers)[column.codes][outcome.known]
    return bool(values[outcome.churned].mean() > values[~outcome.churned].mean())


def share(part: float, total: float) -> str:
    """A share in a sentence: 26.5%, 0.04%."""
    percent = 100 * part / total if total else 0.0
    return f"{percent:.0f}%" if percent >= 99.95 or percent == 0 else f"{percent:.1f}%" if percent >= 0.1 else f"{percent:.2g}%"


def _purest(column: CodedColumn, outcome: Outcome) -> Cell | None:
    if outcome.rate > _USUAL_RATE or not column.has_levels:
        return None
    pure = [
        cell
        for cell in cells_of(column, outcome)
        if cell.rate >= _PURE_RATE and cell.lower_rate >= _PURE_LOWER_BOUND and cell.churned >= _COVERED * outcome.positives
    ]
    return max(pure, key=lambda cell: cell.churned, default=None)
