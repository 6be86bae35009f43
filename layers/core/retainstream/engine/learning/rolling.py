"""Judging by period: for each period a model that learned before it, and what became of the customers in it."""

from collections.abc import Callable, Iterator
from typing import Literal, NotRequired, TypedDict

import numpy as np

from retainstream.engine.learning import metrics
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.dataset import DataSet, in_order, joined, periods
from retainstream.engine.learning.delong import auc_interval
from retainstream.engine.learning.fit import Candidate, refit
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.learning.search import seconds_to_refit
from retainstream.engine.learning.split import FEWEST_PERIODS, Split, enough_to_judge, first_anchors
from retainstream.engine.learning.trained import train
from retainstream.engine.learning.unseen import learned_from
from retainstream.engine.model.model import ScoringModel

MOST_PERIODS = 12


class Limits(TypedDict):
    """The ends of a 95% interval."""

    low: float
    high: float


class PeriodFigures(TypedDict):
    """The figures of one period's rows, by a model that learned from `learned` rows, whose outcomes were known before the period.

    churned: rows that left, the same as `observed`. expected: the sum of the probabilities. observed_to_expected, calibration_slope: see
    `calibration_check`. roc_auc is None if only one outcome is present, and its interval with fewer than `delong.FEWEST` customers of one.
    promised: the figures that the same training gave for its own test rows.
    """

    period: str
    rows: int
    churned: int
    roc_auc: float | None
    roc_auc_interval: Limits | None
    log_loss: float
    ece: float
    expected: float
    observed: int
    observed_to_expected: float
    observed_to_expected_interval: Limits
    calibration_slope: float | None
    calibration_slope_interval: Limits | None
    learned: int
    promised_roc_auc: NotRequired[float | None]
    promised_roc_auc_interval: NotRequired[Limits | None]
    promised_log_loss: NotRequired[float]
    promised_by: NotRequired[Literal["time", "customers"]]


def figures_of(period: str, judged: DataSet, probabilities: Floats, *, learned: int) -> PeriodFigures:
    """The figures of a period's rows."""
    both = bool(judged.churned.any() and not judged.churned.all())
    check = checked(judged.churned, probabilities, judged.keys)
    interval = auc_interval(judged.churned, probabilities, judged.keys)
    return {
        "period": period,
        "rows": len(judged),
        "churned": int(judged.churned.sum()),
        "roc_auc": metrics.roc_auc(judged.churned, probabilities) if both else None,
        "roc_auc_interval": {"low": interval.low, "high": interval.high} if interval else None,
        "log_loss": metrics.log_loss(judged.churned, probabilities),
        "ece": metrics.ece(judged.churned, probabilities),
        "expected": check.expected,
        "observed": check.observed,
        "observed_to_expected": check.ratio.value,
        "observed_to_expected_interval": {"low": check.ratio.low, "high": check.ratio.high},
        "calibration_slope": check.slope.value if check.slope else None,
        "calibration_slope_interval": {"low": check.slope.low, "high": check.slope.high} if check.slope else None,
        "learned": learned,
    }


def judged_periods(data: DataSet, horizon_days: int) -> Iterator[tuple[str, DataSet, DataSet]]:
    """Each period from the third on, with the rows to learn from and the rows to judge, oldest period first.

    A period is left out while the rows whose outcomes are known before it are too few to learn from.
    """
    named = periods(data)
    known = np.unique(named[named != ""])
    for period, start in list(zip(known, first_anchors(data), strict=True))[FEWEST_PERIODS - 1 :]:
        learned = data.where(Split(horizon_days, start).development(data))
        if enough_to_judge(learned.churned):
            yield str(period), learned, data.where(named == period)


def periods_judged(data: DataSet, candidate: Candidate, *, seconds: float, seed: int = 0) -> list[PeriodFigures]:
    """The figures of the newest periods, each by the candidate's settings fitted to the rows before its embargo, oldest period first.

    At most `MOST_PERIODS`, and as many as about twice `seconds` are enough for, but at least the newest.
    """
    judged = list(judged_periods(data, data.schema.horizon_days))
    most = int(np.clip(2 * seconds / seconds_to_refit(data), 1, MOST_PERIODS))
    return [
        figures_of(period, rows, _fitted(candidate, learned, seed).probabilities(rows.rows), learned=len(learned))
        for period, learned, rows in judged[-most:]
    ]


def replayed(
    data: DataSet, *, seconds: float, seed: int = 0, done: Callable[[PeriodFigures], None] | None = None
) -> tuple[list[PeriodFigures], DataSet, Floats]:
    """The figures of each period by the model that a training run before it puts into service, beside the figures that run promises.

    Oldest period first; then the judged rows of all periods, and their probabilities (n,). `done` is called after each period.
    """
    figures: list[PeriodFigures] = []
    rows, chances = [data.where(np.zeros(0, dtype=np.intp))], [np.empty(0)]
    for period, learned, judged in judged_periods(data, data.schema.horizon_days):
        trained = train(in_order(learned), version="evaluated", seconds=seconds, seed=seed)
        test = learned.where(trained.split.test(learned))
        promised = figures_of(period, test, trained.judged.model.probabilities(test.rows), learned=0)
        probabilities = trained.service.model.probabilities(judged.rows)
        figures.append(
            {
                **figures_of(period, judged, probabilities, learned=len(learned)),
                "promised_roc_auc": promised["roc_auc"],
                "promised_roc_auc_interval": promised["roc_auc_interval"],
                "promised_log_loss": promised["log_loss"],
                "promised_by": trained.split.document()["by"],
            }
        )
        rows.append(judged)
        chances.append(probabilities)
        if done:
            done(figures[-1])
    return figures, joined(rows), np.concatenate(chances)


def _fitted(candidate: Candidate, learned: DataSet, seed: int) -> ScoringModel:
    """The candidate itself if it was fitted to these rows."""
    until = learned_from(learned)["until"]
    same = candidate.record["rows"]["train"] == len(learned) and candidate.record["learned"]["until"] == until
    return candidate.model if same else refit(candidate, learned, seed=seed).model
