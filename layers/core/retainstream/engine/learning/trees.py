"""Boosted trees for a schema: settings, fitting, and the round at which to stop."""

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows, feature_names, feature_types
from retainstream.engine.schema import FeatureSchema

MOST_ROUNDS = 1500
_ROWS_PER_THREAD = 5_000
_LEVELS_ONE_BY_ONE = 64  # categories of more levels are split into groups, which overfits where rows are few
_ALL_LEVELS = 100_000  # after a linear stage, which knows what each level does by itself, no groups are needed
DIRECTIONS = {"increasing": 1, "decreasing": -1, None: 0}


@dataclass(frozen=True)
class TreeSettings:
    """What shapes one boosted model. `linear` is the penalty of the linear stage that goes before the trees, None without one."""

    depth: int
    eta: float
    min_child_weight: float = 4.0
    subsample: float = 0.8
    columns: float = 0.8
    penalty: float = 1.0
    linear: float | None = None

    def work(self, rounds: int, terms: int = 0) -> int:
        """The size of a model of so many rounds after a linear stage of so many terms: leaves and slopes."""
        return int(rounds * 2**self.depth + terms)

    def document(self, *, trees: bool = True) -> dict[str, Any]:
        """The settings by name, those of the trees only when there are some, the linear stage's penalty only when there is one."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        linear = {"linear_penalty": given.pop("linear")} if "linear" in given else {}
        return linear | (given if trees else {})

    def changed(self, **changes: Any) -> "TreeSettings":
        return replace(self, **changes)


def threads_for(rows: int) -> int:
    """Threads worth starting for so many rows."""
    return max(1, min(os.process_cpu_count() or 1, rows // _ROWS_PER_THREAD))


def parameters(schema: FeatureSchema, settings: TreeSettings, *, seed: int, threads: int) -> dict[str, Any]:
    """XGBoost's parameters, for trees that go on from the margins of the matrix.

    Rows are never weighted by class, so that probabilities stay probabilities.
    """
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "base_score": 0.5,
        "tree_method": "hist",
        "max_depth": settings.depth,
        "eta": settings.eta,
        "min_child_weight": settings.min_child_weight,
        "max_cat_to_onehot": _LEVELS_ONE_BY_ONE if settings.linear is None else _ALL_LEVELS,
        "subsample": settings.subsample,
        "colsample_bynode": settings.columns,
        "lambda": settings.penalty,
        "monotone_constraints": tuple(DIRECTIONS[column.monotone] for column in schema.features),
        "seed": seed,
        "nthread": threads,
    }


def quantile_matrix(
    schema: FeatureSchema, rows: Rows, churned: NDArray[np.bool_], *, threads: int, like: xgboost.DMatrix | None = None
) -> xgboost.QuantileDMatrix:
    """Rows binned for fitting; `like` is the matrix whose bins judged rows share."""
    return xgboost.QuantileDMatrix(
        rows,
        label=churned.astype(np.float32),
        feature_names=feature_names(schema),
        feature_types=feature_types(schema),
        enable_categorical=True,
        ref=like,
        nthread=threads,
    )


def fit_watched(
    given: dict[str, Any], learned: xgboost.DMatrix, judged: xgboost.DMatrix, *, patience: int
) -> tuple[xgboost.Booster, NDArray[np.float64]]:
    """Fits until the judged rows' log loss has not fallen for `patience` rounds. Returns the booster and that loss after 1, 2, … rounds."""
    losses: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        given,
        learned,
        MOST_ROUNDS,
        evals=[(judged, "judged")],
        evals_result=losses,
        verbose_eval=False,
        callbacks=[xgboost.callback.EarlyStopping(rounds=patience)],
    )
    return booster, np.array(losses["judged"]["logloss"])


def fit_rounds(given: dict[str, Any], learned: xgboost.DMatrix, rounds: int) -> xgboost.Booster:
    return xgboost.train(given, learned, rounds)


def margins(booster: xgboost.Booster, rows: xgboost.DMatrix, rounds: int = 0) -> NDArray[np.float64]:
    """Raw scores of the first `rounds` trees (0: all) on top of the margins of the matrix, float64 (n,)."""
    scores: NDArray[np.float32] = booster.predict(rows, output_margin=True, iteration_range=(0, rounds))
    return scores.astype(np.float64)
