"""Fits a candidate: settings, trees, calibration, threshold."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from retainstream.engine.learning.calibrate import calibrate
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats, Outcomes, best_f1_threshold
from retainstream.engine.learning.search import Search, SearchRecord
from retainstream.engine.model.calibration import Calibration
from retainstream.engine.model.model import ScoringModel

_LEAST_THRESHOLD, _MOST_THRESHOLD = 0.01, 0.95


class FittedRows(TypedDict):
    """Customers per part of the training."""

    train: int
    tune: int
    calibrate: int


class FitRecord(SearchRecord):
    """A fit as JSON, for the run's record. calibration: its method."""

    calibration: str
    rows: FittedRows


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
    """A fitted model, and the record of its fit."""

    model: ScoringModel
    record: FitRecord


def fit(development: DataSet, *, version: str, seconds: float, seed: int = 0) -> Candidate:
    """Fits a model to the development rows.

    Inner cross-validation chooses the settings. Calibration and threshold come from out-of-fold margins, which are scores of rows that the
    trees were not fitted to. Then the trees are fitted again, to all development rows. The threshold maximises F1. The same data, seconds,
    seed and number of threads give the same model.
    """
    search = Search(development, seconds, seed)
    chosen = search.run()
    out_of_fold = search.out_of_fold(chosen)
    curve = calibrate(out_of_fold, development.churned, search.fold_of)
    threshold = threshold_for(curve, out_of_fold, development.churned)

    booster, schema = search.final(chosen), development.schema
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), curve.document(), schema, threshold=threshold, version=version)
    judged = len(chosen.losses)
    record: FitRecord = {
        **search.record(chosen),
        "calibration": curve.document()["method"],
        "rows": {"train": len(development), "tune": judged, "calibrate": len(out_of_fold)},
    }
    return Candidate(model, record)


def threshold_for(curve: Calibration, margins: Floats, churned: Outcomes) -> float:
    """The threshold that maximises F1 on rows the model was not fitted to, with six decimals, between 0.01 and 0.95."""
    best = best_f1_threshold(churned, curve.probability(margins))
    return round(float(np.clip(best, _LEAST_THRESHOLD, _MOST_THRESHOLD)), 6)
