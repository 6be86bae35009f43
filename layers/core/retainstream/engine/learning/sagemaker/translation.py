"""Translates a booster that a job has fitted to bins into one on the schema's features."""

import json
import math
from typing import Any

import numpy as np
import xgboost

from retainstream.engine.learning.sagemaker.artefact import UnusableArtefact
from retainstream.engine.learning.sagemaker.bins import Axis, Bins
from retainstream.engine.model.encoding import feature_names, feature_types
from retainstream.engine.schema import FeatureSchema

MOST_TREES = 5_000
_BEYOND = float(np.nextafter(np.finfo(np.float32).max, np.float32(0)))
_CATEGORY = 1
_PER_NODE = (
    *("base_weights", "default_left", "left_children", "loss_changes", "right_children"),
    *("split_conditions", "split_indices", "split_type", "sum_hessian"),
)

type Tree = dict[str, Any]


def on_features(booster: bytes, bins: Bins, schema: FeatureSchema) -> xgboost.Booster:
    """The booster on the schema's features with the same scores as `booster` on their bins.

    Raises:
        UnusableArtefact: it cannot be read, or is not a binary classification by trees on the columns of the bins.
    """
    loaded = xgboost.Booster()
    if not (booster.startswith(b"{") and booster.endswith(b"}")):  # an incomplete file can make XGBoost end the process
        raise UnusableArtefact("The training job's model cannot be read.")
    try:
        loaded.load_model(bytearray(booster))
        document = json.loads(bytes(loaded.save_raw("json")))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UnusableArtefact("The training job's model cannot be read.") from error
    learner = document["learner"]
    _require_fit(learner, loaded, bins)
    for tree in learner["gradient_booster"]["model"]["trees"]:
        _translate(tree, bins, len(schema.features))
    learner["learner_model_param"]["num_feature"] = str(len(schema.features))
    learner["feature_names"], learner["feature_types"] = feature_names(schema.features), feature_types(schema.features)
    learner["attributes"] = {}
    translated = xgboost.Booster()
    translated.load_model(bytearray(json.dumps(document).encode()))
    return translated


def _require_fit(learner: dict[str, Any], booster: xgboost.Booster, bins: Bins) -> None:
    if booster.num_features() != len(bins.axes) or learner["feature_names"]:
        columns = booster.num_features()
        raise UnusableArtefact(f"The training job's model was fitted to {columns} columns, not to the {len(bins.axes)} of the job.")
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if (kind, objective) != ("gbtree", "binary:logistic"):
        raise UnusableArtefact(f"The training job's model is of another kind ({kind}, {objective}).")
    trees = learner["gradient_booster"]["model"]["trees"]
    if not 1 <= len(trees) <= MOST_TREES:
        raise UnusableArtefact(f"The training job's model has {len(trees):,} trees; it may have 1 to {MOST_TREES:,}.")
    if any(tree["categories"] for tree in trees):
        raise UnusableArtefact("The training job's model splits categories, although the job had none.")


def _translate(tree: Tree, bins: Bins, features: int) -> None:
    """Rewrites a tree's splits in place: `code < condition` as `value < cut`, or as the levels that go right."""
    tree["tree_param"]["num_feature"] = str(features)
    for node, left in enumerate(tree["left_children"]):
        if left < 0:
            continue
        axis = bins.axes[tree["split_indices"][node]]
        tree["split_indices"][node] = axis.place
        first_right = math.ceil(tree["split_conditions"][node])
        if axis.ranks:
            _split_levels(tree, node, axis, first_right)
        elif first_right <= 0:
            tree["split_conditions"][node] = -_BEYOND
        elif first_right > len(axis.cuts):
            tree["split_conditions"][node] = _BEYOND
        else:
            tree["split_conditions"][node] = axis.cuts[first_right - 1]


def _split_levels(tree: Tree, node: int, axis: Axis, first_right: int) -> None:
    """Sends the levels of rank `first_right` and above to the right. XGBoost lists these levels; if there are none, the sides are swapped.

    A node comes before its children, so the children are not translated yet.
    """
    right = [level for level, rank in enumerate(axis.ranks) if rank >= first_right]
    if not right:
        right = list(range(len(axis.ranks)))
        _exchange(tree, tree["left_children"][node], tree["right_children"][node])
        tree["default_left"][node] = int(not tree["default_left"][node])
    tree["split_type"][node] = _CATEGORY
    tree["split_conditions"][node] = 0.0
    tree["categories_nodes"].append(node)
    tree["categories_segments"].append(len(tree["categories"]))
    tree["categories_sizes"].append(len(right))
    tree["categories"] += right


def _exchange(tree: Tree, left: int, right: int) -> None:
    """Swaps the contents of two children of a node, because XGBoost expects the right child directly after the left."""
    for name in _PER_NODE:
        values = tree[name]
        values[left], values[right] = values[right], values[left]
    for node in (left, right):
        for child in (tree["left_children"][node], tree["right_children"][node]):
            if child >= 0:
                tree["parents"][child] = node
