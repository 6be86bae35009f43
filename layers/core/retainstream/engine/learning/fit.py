"""From development rows to a candidate: shape, trees, calibration, threshold."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainstream.engine.learning.calibrate import calibrate
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats, Outcomes, best_f1_threshold
from retainstream.engine.learning.search import Search
from retainstream.engine.model.calibration import Calibration
from retainstream.engine.model.model import ScoringModel

_LEAST_THRESHOLD, _MOST_THRESHOLD = 0.01, 0.95


@dataclass(frozen=True)
class Candidate:
    """A fitted model and how it came about."""

    model: ScoringModel
    record: dict[str, Any]


def fit(development: DataSet, *, version: str, seconds: float, seed: int = 0) -> Candidate:
    """Fits a model to development rows alone.

    The shape is chosen by inner cross-validation; the calibration and the threshold come from out-of-fold margins, that is from rows
    the trees behind them had not seen; the trees are then grown once more on all development rows. The threshold is the probability
    of best F1. The same data, seconds, seed and number of threads give the same model.
    """
    search = Search(development, seconds, seed)
    chosen = search.run()
    out_of_fold = search.out_of_fold(chosen)
    curve = calibrate(out_of_fold, development.churned, search.fold_of)
    threshold = threshold_for(curve, out_of_fold, development.churned)

    booster, schema = search.final(chosen), development.schema
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), curve.document(), schema, threshold=threshold, version=version)
    judged = len(chosen.losses)
    record = {
        **search.record(chosen),
        "calibration": curve.document()["method"],
        "rows": {"train": len(development), "tune": judged, "calibrate": len(out_of_fold)},
    }
    return Candidate(model, record)


def threshold_for(curve: Calibration, margins: Floats, churned: Outcomes) -> float:
    """The probability of best F1 on these rows, which the model has not seen, to six digits and away from 0 and 1."""
    best = best_f1_threshold(churned, curve.probability(margins))
    return round(float(np.clip(best, _LEAST_THRESHOLD, _MOST_THRESHOLD)), 6)
