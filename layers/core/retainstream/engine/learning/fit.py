"""Fits a candidate: settings, trees, calibration, threshold."""

from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from retainstream.engine.learning.base_rate import expected_move, newest
from retainstream.engine.learning.calibrate import calibrate
from retainstream.engine.learning.dataset import NO_ANCHOR, DataSet, period_of
from retainstream.engine.learning.judged_figures import Values
from retainstream.engine.learning.metrics import Floats, ece, log_loss, roc_auc
from retainstream.engine.learning.recalibration import recalibration
from retainstream.engine.learning.search import Search, SearchRecord
from retainstream.engine.learning.threshold import NO_TEAM, Team, Threshold, threshold_for
from retainstream.engine.learning.trials import Chosen
from retainstream.engine.learning.unseen import Learned, learned_from
from retainstream.engine.model.calibration import Bounded, sigmoid
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.threshold_rule import ThresholdRule
from retainstream.engine.monitoring.documents import Recalibration

CROSS_FITTED_BELOW = 5_000
"""Rows below which the test rows alone say little: a fifth of the rows has intervals √5 times as wide."""


class FittedRows(TypedDict):
    """Rows per part of the training."""

    train: int
    tune: int
    calibrate: int


class Span(TypedDict):
    """Periods from the first to the last, such as "2026-08"."""

    first: str
    last: str


class OutOfFold(TypedDict):
    """The figures of the development rows, each scored by a model that was not fitted to its customer, without calibration."""

    rows: int
    churned: int
    roc_auc: float
    log_loss: float
    ece: float


class CrossFitted(Values):
    """The figures of all rows of a small table, each scored by a model that was not fitted to its customer, with 95% intervals by name."""

    intervals: dict[str, dict[str, float]]


class FitFacts(TypedDict):
    """A fit's rows and calibration as JSON. calibration: its method. periods, calibrated_on: of the rows with an anchor."""

    calibration: str
    rows: FittedRows
    learned: Learned
    threshold_rule: ThresholdRule
    recalibration: Recalibration
    periods: NotRequired[Span]
    calibrated_on: NotRequired[Span]


class FitRecord(SearchRecord, FitFacts):
    """A fit as JSON, for the run's record.

    out_of_fold: None for a fit by a training job. cross_fitted: of small tables alone; see `engine.learning.cross_fitted`. refitted: after
    the search, the chosen settings were fitted to other rows, which the facts are about.
    """

    out_of_fold: OutOfFold | None
    cross_fitted: CrossFitted | None
    refitted: bool


class TrainingJobRecord(TypedDict):
    """The training job that fitted the trees, with the name of its container's image."""

    name: str
    container: str
    instances: int
    instance_type: str


class JobFitRecord(FitRecord):
    """A fit by a training job as JSON, for the run's record."""

    training_job: TrainingJobRecord


@dataclass(frozen=True)
class Candidate:
    """A fitted model, the record of its fit, and the chosen settings.

    out_of_fold: probabilities (n,) of the rows it was fitted to, each by a model and calibration of other customers; of small tables alone.
    """

    model: ScoringModel
    record: FitRecord
    chosen: Chosen
    out_of_fold: Floats | None = None


@dataclass(frozen=True)
class Calibrated:
    """A calibration with the threshold and what the rows say of its errors, and the rows it comes from, bool (n,)."""

    curve: Bounded
    threshold: Threshold
    recalibration: Recalibration
    rows: NDArray[np.bool_]


def fit(development: DataSet, *, version: str, seconds: float, seed: int = 0, team: Team = NO_TEAM) -> Candidate:
    """Fits a model to the development rows.

    Inner cross-validation chooses the settings. Calibration and threshold come from out-of-fold margins, which are scores of rows that the
    trees were not fitted to, of the newest periods. Then the trees are fitted again, to all development rows. For the threshold see
    `threshold_for`. The same data, seconds and seed give the same model.
    """
    search = Search(development, seconds, seed)
    with _one_thread():
        chosen = search.run()
        model, facts, margins = _fitted(search, chosen, version, team, tuned_on=len(chosen.losses))
    record: FitRecord = {
        **search.record(chosen),
        **facts,
        "out_of_fold": _out_of_fold(development, margins),
        "cross_fitted": None,
        "refitted": False,
    }
    small = len(development) < CROSS_FITTED_BELOW
    return Candidate(model, record, chosen, _calibrated_out_of_fold(development, margins, search.fold_of) if small else None)


def refit(candidate: Candidate, data: DataSet, *, seed: int = 0, team: Team = NO_TEAM) -> Candidate:
    """The candidate's settings fitted to other rows, with a calibration and threshold of these."""
    search = Search(data, candidate.record["seconds"], seed)
    with _one_thread():
        model, facts, _ = _fitted(search, candidate.chosen, candidate.model.version, team, tuned_on=candidate.record["rows"]["tune"])
    return Candidate(model, {**candidate.record, **facts, "refitted": True}, candidate.chosen)


def _one_thread() -> threadpool_limits:
    """A context in which NumPy multiplies matrices on one thread: the last digits of a sum depend on the number of threads."""
    return threadpool_limits(limits=1, user_api="blas")


def facts_of(data: DataSet, reserved: DataSet, calibrated: Calibrated, *, tuned_on: int = 0) -> FitFacts:
    """The facts of a fit to `data`, whose calibration comes from rows of `reserved`."""
    facts: FitFacts = {
        "calibration": calibrated.curve.document()["method"],
        "rows": {"train": len(data), "tune": tuned_on, "calibrate": int(calibrated.rows.sum())},
        "learned": learned_from(data),
        "threshold_rule": calibrated.threshold.rule,
        "recalibration": calibrated.recalibration,
    }
    if span := _span(data):
        facts["periods"] = span
    if span := _span(reserved.where(calibrated.rows)):
        facts["calibrated_on"] = span
    return facts


def calibrated_on_newest(data: DataSet, margins: Floats, team: Team) -> Calibrated:
    """The calibration and the threshold by the newest periods.

    margins: float64 (n,), of models that were not fitted to the row's customer.
    """
    curve, rows = _curve_of_newest(data, margins)
    threshold = threshold_for(data.schema, curve.probability(margins[rows]), data.prices[rows], team)
    return Calibrated(curve, threshold, recalibration(curve, data, margins, rows), rows)


def _curve_of_newest(data: DataSet, margins: Floats) -> tuple[Bounded, NDArray[np.bool_]]:
    """The calibration by the newest periods, and their rows, bool (n,)."""
    rows = newest(data)
    shape = calibrate(margins[rows], data.churned[rows])
    return shape.moved(expected_move(shape, data, margins)), rows


def averaged(model: ScoringModel, data: DataSet) -> ScoringModel:
    """The model with its mean probability over these rows, with six decimals."""
    return replace(model, average_probability=round(float(model.probabilities(data.rows).mean()), 6))


def _fitted(search: Search, chosen: Chosen, version: str, team: Team, *, tuned_on: int) -> tuple[ScoringModel, FitFacts, Floats]:
    """The model of these settings, the facts of its fit, and the out-of-fold margins (n,)."""
    data = search.data
    margins = search.out_of_fold(chosen)
    calibrated = calibrated_on_newest(data, margins, team)
    content, curve, bounds = bytes(search.final(chosen).save_raw("ubj")), calibrated.curve.document(), calibrated.threshold.levels
    model = ScoringModel.from_bytes(content, curve, data.schema, threshold=bounds.high, version=version, levels=bounds)
    return averaged(model, data), facts_of(data, data, calibrated, tuned_on=tuned_on), margins


def _calibrated_out_of_fold(data: DataSet, margins: Floats, fold_of: NDArray[np.int64]) -> Floats:
    """The probability of each row (n,) by its out-of-fold margin and the calibration of the other folds."""
    probabilities = np.empty(len(data))
    for number in range(int(fold_of.max()) + 1):
        judged = fold_of == number
        curve, _ = _curve_of_newest(data.where(~judged), margins[~judged])
        probabilities[judged] = curve.probability(margins[judged])
    return probabilities


def _out_of_fold(data: DataSet, margins: Floats) -> OutOfFold:
    probabilities = sigmoid(margins)
    return {
        "rows": len(data),
        "churned": int(data.churned.sum()),
        "roc_auc": roc_auc(data.churned, probabilities),
        "log_loss": log_loss(data.churned, probabilities),
        "ece": ece(data.churned, probabilities),
    }


def _span(data: DataSet) -> Span | None:
    known = data.anchors[data.anchors != NO_ANCHOR]
    return {"first": period_of(int(known.min())), "last": period_of(int(known.max()))} if len(known) else None
