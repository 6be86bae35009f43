"""Boosted trees for a schema: settings, fitting and early stopping."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows, feature_names, feature_types
from retainstream.engine.schema import Column

MOST_ROUNDS = 1500
_COUNTED_TREES = 25
_ALL_LEVELS = 100_000  # groups of many levels memorise chance, so they are a setting for the search to judge
_LEVELS_OF_GROUPS = 4  # with `grouped`, categories of at least so many levels are split into groups
DIRECTIONS = {"increasing": 1, "decreasing": -1, None: 0}


type Parameters = dict[str, str | float | tuple[int, ...]]
"""XGBoost's training parameters, by its names."""


class SettingsChange(TypedDict, total=False):
    """Changes of some settings."""

    depth: int
    eta: float
    min_child_weight: float
    subsample: float
    columns: float
    penalty: float
    grouped: bool
    encoded: bool


class SettingsDocument(SettingsChange, total=False):
    """Settings as JSON: those of the trees where there are trees, `linear_penalty` where there is a linear stage.

    `grouped` and `encoded` are left out where false.
    """

    linear_penalty: float


@dataclass(frozen=True)
class TreeSettings:
    """The settings of a boosted model.

    linear: the penalty of the linear stage before the trees, None without one. grouped: a split divides the levels of a category into two
    groups, instead of taking one level apart. encoded: the model has the inputs that are derived from categories.
    """

    depth: int
    eta: float
    min_child_weight: float = 4.0
    subsample: float = 0.8
    columns: float = 0.8
    penalty: float = 1.0
    linear: float | None = None
    grouped: bool = False
    encoded: bool = False

    def work(self, rounds: int, terms: int = 0) -> int:
        """The size of a model with this many rounds and linear terms: leaves plus slopes."""
        return int(rounds * 2**self.depth + terms)

    def document(self, *, trees: bool = True) -> SettingsDocument:
        """The settings as JSON; without those of the trees if `trees` is false."""
        common: SettingsDocument = {} if self.linear is None else {"linear_penalty": self.linear}
        if self.encoded:
            common["encoded"] = True
        if not trees:
            return common
        if self.grouped:
            common["grouped"] = True
        return {
            **common,
            "depth": self.depth,
            "eta": self.eta,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "columns": self.columns,
            "penalty": self.penalty,
        }

    def changed(self, **changes: Unpack[SettingsChange]) -> "TreeSettings":
        return replace(self, **changes)


def parameters(columns: Sequence[Column], settings: TreeSettings, *, seed: int, threads: int) -> Parameters:
    """XGBoost's parameters for trees that continue from the matrix's base margins.

    Rows have no class weights, so that the outputs stay probabilities.
    """
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "base_score": 0.5,
        "tree_method": "hist",
        "max_depth": settings.depth,
        "eta": settings.eta,
        "min_child_weight": settings.min_child_weight,
        "max_cat_to_onehot": _LEVELS_OF_GROUPS if settings.grouped else _ALL_LEVELS,
        "subsample": settings.subsample,
        "colsample_bynode": settings.columns,
        "lambda": settings.penalty,
        "monotone_constraints": tuple(DIRECTIONS[column.monotone] for column in columns),
        "seed": seed,
        "nthread": threads,
    }


def quantile_matrix(
    columns: Sequence[Column], rows: Rows, churned: NDArray[np.bool_], *, threads: int, like: xgboost.DMatrix | None = None
) -> xgboost.QuantileDMatrix:
    """Binned rows (n, columns); `like` is the matrix whose bins they share."""
    return xgboost.QuantileDMatrix(
        rows,
        label=churned.astype(np.float32),
        feature_names=feature_names(columns),
        feature_types=feature_types(columns),
        enable_categorical=True,
        ref=like,
        nthread=threads,
    )


def fit_watched(
    settings: Parameters, learned: xgboost.DMatrix, judged: xgboost.DMatrix, *, patience: int
) -> tuple[xgboost.Booster, NDArray[np.float64]]:
    """Fits until the judged rows' log loss has not improved for `patience` rounds. Returns the booster and the loss by round."""
    losses: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        settings,
        learned,
        MOST_ROUNDS,
        evals=[(judged, "judged")],
        evals_result=losses,
        verbose_eval=False,
        callbacks=[xgboost.callback.EarlyStopping(rounds=patience)],
    )
    return booster, np.array(losses["judged"]["logloss"])


def fit_rounds(settings: Parameters, learned: xgboost.DMatrix, rounds: int) -> xgboost.Booster:
    return xgboost.train(settings, learned, rounds)


def leaves_of(booster: xgboost.Booster, rounds: int) -> int:
    """The number of leaves of the first `rounds` trees, by at most `_COUNTED_TREES` of them."""
    if not rounds:
        return 0
    step = -(-rounds // _COUNTED_TREES)
    sample = booster[0 : rounds - rounds % step : step].get_dump()  # XGBoost takes only a range that the step divides
    return round(sum(tree.count("leaf=") for tree in sample) / len(sample) * rounds)


def margins(booster: xgboost.Booster, rows: xgboost.DMatrix, rounds: int = 0) -> NDArray[np.float64]:
    """Raw scores of the first `rounds` trees (0: all) plus the matrix's base margins, float64 (n,)."""
    scores: NDArray[np.float32] = booster.predict(rows, output_margin=True, iteration_range=(0, rounds))
    return scores.astype(np.float64)
