"""Performance by month: what was promised, estimated and realised of the predictions that were made in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class IntervalFigures(TypedDict):
    """A 95% interval."""

    low: float
    high: float


class Promised(TypedDict):
    """The figures of the version's model card, on the test rows of its training."""

    roc_auc: float | None
    roc_auc_interval: IntervalFigures | None
    log_loss: float | None


class Estimated(TypedDict):
    """The figures to be expected of the probabilities, without outcomes."""

    churners: float
    roc_auc: float | None


class Realised(TypedDict):
    """The figures of the probabilities against the outcomes. `expected` and `observed` count customers who leave."""

    roc_auc: float | None
    roc_auc_interval: IntervalFigures | None
    log_loss: float
    brier: float
    ece: float
    expected: float
    observed: int


class PeriodFigures(TypedDict):
    """The predictions whose anchors are in one calendar month (2026-09), or in all months (""), by one model version, or by all ("").

    Of each customer the newest prediction of the month counts. `realised` is None until at most 20% of the outcomes are unknown.
    """

    period: str
    model_version: str
    rows: int
    left: int
    stayed: int
    unknown: int
    promised: Promised | None
    estimated: Estimated
    realised: Realised | None


def by_period(connection: "DuckDBPyConnection", history_files: Sequence[Path], lives_table: str, horizon_days: int) -> list[PeriodFigures]:
    """The figures of each month and of each model version, newest month first. `promised` is absent here: it is in the cards."""
    raise NotImplementedError
