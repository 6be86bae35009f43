"""Importance of the columns, over a sample of held-out customers."""

from typing import Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.metrics import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import Column

SAMPLE_ROWS = 2_000
_CLEAR_CORRELATION = 0.5
_OPPOSITE_CORRELATION = 0.2
_SURE = 2.0
_FLAT = 0.1


class Importance(TypedDict):
    """How much and in which direction a column moves the scores. mean_abs_contribution is in log-odds; `kind` is there for a date."""

    feature: str
    label: str
    mean_abs_contribution: float
    direction: str
    kind: NotRequired[Literal["date"]]


def importance(model: ScoringModel, rows: Rows) -> list[Importance]:
    """Mean absolute contribution (log-odds) of each column over the first `SAMPLE_ROWS` rows, largest first, with its direction.

    direction: "increasing" if larger values (of a date: more days since it) raise the risk, "decreasing" if they lower it, "mixed" if
    neither is clear, as for every category and for every pair of columns.
    """
    sample = rows[:SAMPLE_ROWS]
    contributions = model.explain(sample).contributions
    entries: list[Importance] = [
        {
            "feature": column.name,
            "label": column.label,
            "mean_abs_contribution": round(float(np.abs(contributions[:, place]).mean()), 6),
            "direction": direction_at(model.inputs, place, sample, contributions),
        }
        for place, column in enumerate(model.inputs.explained)
    ]
    for entry, column in zip(entries, model.inputs.explained, strict=True):
        if column.kind == "date":
            entry["kind"] = "date"
    return sorted(entries, key=lambda entry: (-entry["mean_abs_contribution"], entry["feature"]))


def direction_at(inputs: Inputs, place: int, rows: Rows, contributions: Floats) -> str:
    """The direction of an explained column, by rows (n, features) and contributions (n, explained columns)."""
    if len(inputs.parts[place]) > 1:
        return "mixed"
    return direction(inputs.explained[place], rows[:, place], contributions[:, place])


def direction(column: Column, values: NDArray[np.float32], contributions: Floats) -> str:
    """How the risk moves when a column's value grows: "increasing", "decreasing" or "mixed".

    values: float32 (n,), NaN where missing. contributions: float64 (n,), in log-odds. Spearman's rank correlation over all values decides,
    unless the risk moves the other way over the lower or the upper half of the values, as it does for a U.
    """
    if column.monotone:
        return column.monotone
    known = ~np.isnan(values)
    if column.kind == "category" or known.sum() < 3:
        return "mixed"
    values, contributions = values[known], contributions[known]
    correlation = rank_correlation(values, contributions)
    if abs(correlation) < _CLEAR_CORRELATION or _turns(values, contributions, 1 if correlation > 0 else -1):
        return "mixed"
    return "increasing" if correlation > 0 else "decreasing"


def _turns(values: NDArray[np.float32], contributions: Floats, sign: int) -> bool:
    """Whether the lower or the upper half of the values has a clear correlation of the other sign.

    It is clear beyond `_SURE` standard errors, which are 1 / √(n - 1), and where it is more than the ripple of a plateau: at least `_FLAT`
    of the standard deviation of all contributions.
    """
    lower = values <= np.median(values)
    for half in (lower, ~lower):
        rows = int(half.sum())
        if rows < 3:
            continue
        opposite = -sign * rank_correlation(values[half], contributions[half])
        clear = opposite > max(_OPPOSITE_CORRELATION, _SURE / (rows - 1) ** 0.5)
        if clear and opposite * contributions[half].std() >= _FLAT * contributions.std():
            return True
    return False


def rank_correlation(values: NDArray[np.float32], contributions: Floats) -> float:
    """Spearman's rank correlation of two arrays (n,); 0 where either is constant."""
    from scipy.stats import spearmanr

    if not np.ptp(values) or not np.ptp(contributions):
        return 0.0
    return float(spearmanr(values, contributions).statistic)
