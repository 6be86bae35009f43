"""What each column contributed to a score: exact Shapley values of the trees (path-dependent TreeSHAP)."""

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.scoring.calibration import Floats


def contributions(booster: xgboost.Booster, rows: xgboost.DMatrix) -> tuple[Floats, float]:
    """Contributions in log-odds, shape (n, features), and the base: the score before any column is known.

    Base plus the sum over a row is that row's raw score. Lundberg et al., "From local explanations to global understanding with
    explainable AI for trees", 2020, algorithm 2.
    """
    if not rows.num_row():
        return np.zeros((0, booster.num_features())), 0.0
    explained: NDArray[np.float32] = booster.predict(rows, pred_contribs=True)
    values = explained.astype(np.float64)
    return values[:, :-1], float(values[0, -1])
