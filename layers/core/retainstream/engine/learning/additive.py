"""A stage of the model that is linear in log-odds, stored as trees of one column each.

Where churn is close to linear, boosted trees need many rows to approximate a straight line. So a ridge logistic regression may come first,
and the following trees learn its residual. Each of its terms depends on one column; a tree on this column approximates the term by up to
64 steps. So the complete model is one booster with exact reasons: the Shapley value of a one-column tree is its step minus the mean of its
steps over the rows that `row_counts` writes into it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, hstack, issparse

from retainstream.engine.learning.trees import DIRECTIONS
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.encoding import Rows
from retainstream.engine.schema import Column

type Floats = NDArray[np.float64]

MOST_CELLS = 20_000_000
"""Rows × regressors above which there is no linear stage, because the regression holds all of them in memory."""

_DEPTH = 6
_LEAST_TERM = 1e-6
_SLIGHT_WEIGHT = 0.5
_BOUNDS = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
_STEP_BY_STEP = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "base_score": 0.0,
    "eta": 1.0,
    "lambda": 0.0,
    "min_child_weight": 0.0,
    "max_depth": _DEPTH,
    "max_cat_to_onehot": 1,
    "nthread": 1,
}
_MANY_LEVELS = 64


@dataclass(frozen=True)
class Term:
    """One column's share of a linear score, as a booster with one tree on this column; `place` is its place among the features."""

    place: int
    booster: xgboost.Booster
    kind: str

    def scores(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The share of each value (n,)."""
        column = xgboost.DMatrix(values[:, None], feature_types=[self.kind], enable_categorical=True, nthread=1)
        shares: NDArray[np.float32] = self.booster.predict(column)
        return shares

    def tree(self) -> dict[str, Any]:
        """The tree in XGBoost's JSON, splitting on the column's place."""
        learner = json.loads(bytes(self.booster.save_raw("json")))["learner"]
        tree: dict[str, Any] = learner["gradient_booster"]["model"]["trees"][0]
        return {**tree, "split_indices": [self.place] * len(tree["split_indices"])}


@dataclass(frozen=True)
class LinearStage:
    """A base score: an intercept in log-odds plus terms of one column each."""

    intercept: float
    terms: tuple[Term, ...]


def constant_stage(churned: NDArray[np.bool_]) -> LinearStage:
    """The log-odds of the churn rate, without terms."""
    left = (churned.sum() + 0.5) / (len(churned) + 1)
    return LinearStage(float(np.log(left / (1 - left))), ())


class LinearFit:
    """Ridge logistic regressions on the same rows, for several penalties in turn.

    Numbers are standardised; a missing number counts as the mean and has a regressor that marks it. A category has a regressor for each
    level that occurs. A column's direction in the schema bounds its slope.
    """

    def __init__(self, columns: Sequence[Column], rows: Rows, churned: NDArray[np.bool_]) -> None:
        self._columns, self._rows, self._churned = columns, rows, churned
        parts = [_regressors(column, rows[:, place].astype(np.float64)) for place, column in enumerate(columns)]
        self._ends = np.cumsum([part.shape[1] for part in parts])
        self._regressors = hstack(parts, format="csr") if any(map(issparse, parts)) else np.hstack(parts)
        self._bounds = [
            _BOUNDS[DIRECTIONS[column.monotone if first else None]]
            for column, part in zip(columns, parts, strict=True)
            for first in [True] + [False] * (part.shape[1] - 1)
        ][: int(self._ends[-1])]
        self._last = np.append(np.zeros(int(self._ends[-1])), constant_stage(churned).intercept)

    def stage(self, penalty: float) -> LinearStage:
        """The stage with `penalty` / 2 × the squared slopes added to the summed log loss."""
        target = self._churned.astype(np.float64)

        def loss(weights: Floats) -> tuple[float, Floats]:
            slopes, score = weights[:-1], _of_rows(self._regressors, weights[:-1]) + weights[-1]
            excess = sigmoid(score) - target
            total = (np.logaddexp(0, score) - score * target).sum() + penalty / 2 * (slopes**2).sum()
            return float(total), np.append(_of_columns(self._regressors, excess) + penalty * slopes, excess.sum())

        solution = minimize(loss, self._last, jac=True, method="L-BFGS-B", bounds=[*self._bounds, (None, None)], options={"maxiter": 300})
        self._last = solution.x
        intercept, terms = float(solution.x[-1]), []
        for place, (start, end) in enumerate(zip([0, *self._ends[:-1]], self._ends, strict=True)):
            share = self._regressors[:, start:end] @ solution.x[start:end]
            middle = float(share.mean())
            intercept += middle
            if np.abs(share - middle).max(initial=0.0) > _LEAST_TERM:
                terms.append(_term(place, self._columns[place], self._rows[:, place], share - middle))
        return LinearStage(intercept, tuple(terms))


def started_from(stage: LinearStage, rows: Rows) -> Floats:
    """The stage's scores in log-odds, float64 (n,), by its trees."""
    scores = np.full(len(rows), stage.intercept)
    for term in stage.terms:
        scores += term.scores(rows[:, term.place])
    return scores


def regressors(columns: Sequence[Column]) -> int:
    """The largest number of values that a linear stage holds of a row: of all regressors, or of those that are not 0 if a category has
    many levels."""
    if any(len(column.levels) > _MANY_LEVELS for column in columns):
        return 2 * len(columns)
    return sum(len(column.levels) + 1 if column.kind == "category" else 2 for column in columns)


def merged(members: Sequence[tuple[LinearStage, xgboost.Booster]]) -> xgboost.Booster:
    """One booster whose score is the mean of the members' scores: each a stage, and the trees that were fitted after it.

    A tree's leaves are divided by the number of members, so that its Shapley values are divided too and the reasons of the mean stay exact.
    A stage that several members share is stored once. Members may know different numbers of columns: the first columns are the same.
    """
    documents = [json.loads(bytes(following.save_raw("json"))) for _, following in members]
    widest = max(documents, key=lambda document: int(document["learner"]["learner_model_param"]["num_feature"]))
    shares = Counter(id(stage) for stage, _ in members)
    stages = {id(stage): stage for stage, _ in members}
    trees = [_scaled(term.tree(), shares[key] / len(members)) for key, stage in stages.items() for term in stage.terms]
    for document in documents:
        trees += [_scaled(tree, 1 / len(members)) for tree in document["learner"]["gradient_booster"]["model"]["trees"]]
    learner = widest["learner"]
    for number, tree in enumerate(trees):
        tree["id"] = number
        tree["tree_param"]["num_feature"] = learner["learner_model_param"]["num_feature"]
    model = learner["gradient_booster"]["model"]
    model["trees"], model["tree_info"] = trees, [0] * len(trees)
    model["iteration_indptr"] = list(range(len(trees) + 1))
    model["gbtree_model_param"]["num_trees"] = str(len(trees))
    intercept = float(np.mean([stage.intercept for stage, _ in members]))
    learner["learner_model_param"]["base_score"] = f"[{float(sigmoid(np.array(intercept))):.9E}]"
    complete = xgboost.Booster()
    complete.load_model(bytearray(json.dumps(widest).encode()))
    return complete


def _scaled(tree: dict[str, Any], factor: float) -> dict[str, Any]:
    """The tree with its scores times a factor. XGBoost stores the score of a leaf where a split has its threshold."""
    if factor == 1:
        return tree
    conditions = [
        condition if left >= 0 else condition * factor
        for condition, left in zip(tree["split_conditions"], tree["left_children"], strict=True)
    ]
    return {**tree, "split_conditions": conditions, "base_weights": [weight * factor for weight in tree["base_weights"]]}


def _of_rows(regressors: Floats | csr_array, slopes: Floats) -> Floats:
    """The score of each row. einsum, because the sums of a dense matrix product depend on the processors."""
    scores: Floats = regressors @ slopes if issparse(regressors) else np.einsum("ij,j->i", regressors, slopes)
    return scores


def _of_columns(regressors: Floats | csr_array, excess: Floats) -> Floats:
    """The sum of each regressor times `excess` (n,)."""
    sums: Floats = excess @ regressors if issparse(regressors) else np.einsum("i,ij->j", excess, regressors)
    return sums


def _regressors(column: Column, values: Floats) -> Floats | csr_array:
    """A column's regressors (n, regressors), sparse for a category of many levels."""
    missing = np.isnan(values)
    if len(column.levels) > _MANY_LEVELS:
        _, codes = np.unique(values, return_inverse=True)  # missing values are all equal, and come last
        return csr_array((np.ones(len(codes)), codes, np.arange(len(codes) + 1)))
    if column.kind == "category":
        seen = np.unique(values[~missing])
        parts = [(values[:, None] == seen).astype(np.float64)]
    else:
        known = values[~missing]
        middle, spread = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
        parts = [(np.where(missing, 0.0, (values - middle) / (spread or 1.0)))[:, None]]
    if missing.any():
        parts.append(missing[:, None].astype(np.float64))
    return np.hstack(parts)


def _term(place: int, column: Column, values: NDArray[np.float32], share: Floats) -> Term:
    """A column's share (n,) as a tree. Levels and missing values that did not occur have a share of zero."""
    missing = np.isnan(values)
    distinct, first, counts = np.unique(values[~missing], return_index=True, return_counts=True)
    shares, weights = share[~missing][first], counts.astype(np.float64)
    unseen = np.setdiff1d(np.arange(len(column.levels), dtype=np.float32), distinct)
    distinct = np.concatenate([distinct, unseen, np.full(1, np.nan, dtype=np.float32)])
    shares = np.concatenate([shares, np.zeros(len(unseen)), [share[missing][0] if missing.any() else 0.0]])
    weights = np.concatenate([weights, np.full(len(unseen), _SLIGHT_WEIGHT), [max(float(missing.sum()), _SLIGHT_WEIGHT)]])
    kind = "c" if column.kind == "category" else "q"
    learned = xgboost.QuantileDMatrix(
        distinct[:, None], label=shares, weight=weights, feature_types=[kind], enable_categorical=True, nthread=1
    )
    return Term(place, xgboost.train({**_STEP_BY_STEP, "monotone_constraints": (DIRECTIONS[column.monotone],)}, learned, 1), kind)
