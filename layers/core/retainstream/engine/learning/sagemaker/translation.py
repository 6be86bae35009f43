"""A booster that a job has fitted to bins, as one on the schema's features."""

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
    """The same function of a customer's columns as the booster is of their bins, with the schema's names and types.

    Raises:
        UnusableArtefact: it cannot be read, or is no binary classification by trees on as many columns as there are bins.
    """
    loaded = xgboost.Booster()
    if not (booster.startswith(b"{") and booster.endswith(b"}")):  # on a file cut short XGBoost can end the process
        raise UnusableArtefact("The model that the training job left cannot be read.")
    try:
        loaded.load_model(bytearray(booster))
        document = json.loads(bytes(loaded.save_raw("json")))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UnusableArtefact("The model that the training job left cannot be read.") from error
    learner = document["learner"]
    _require_fit(learner, loaded, bins)
    for tree in learner["gradient_booster"]["model"]["trees"]:
        _translate(tree, bins, len(schema.features))
    learner["learner_model_param"]["num_feature"] = str(len(schema.features))
    learner["feature_names"], learner["feature_types"] = feature_names(schema), feature_types(schema)
    learner["attributes"] = {}
    whole = xgboost.Booster()
    whole.load_model(bytearray(json.dumps(document).encode()))
    return whole


def _require_fit(learner: dict[str, Any], booster: xgboost.Booster, bins: Bins) -> None:
    if booster.num_features() != len(bins.axes) or learner["feature_names"]:
        columns = booster.num_features()
        raise UnusableArtefact(f"The training job's model was fitted to {columns} columns, not to the {len(bins.axes)} it was given.")
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if (kind, objective) != ("gbtree", "binary:logistic"):
        raise UnusableArtefact(f"The model that the training job left is of another kind ({kind}, {objective}).")
    trees = learner["gradient_booster"]["model"]["trees"]
    if not 1 <= len(trees) <= MOST_TREES:
        raise UnusableArtefact(f"The model that the training job left has {len(trees)} trees; 1 to {MOST_TREES:,} can be taken.")
    if any(tree["categories"] for tree in trees):
        raise UnusableArtefact("The model that the training job left splits categories, which it was not given.")


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
    """Sends the levels of rank `first_right` and above to the right. XGBoost lists those, so where there are none the sides change.

    A node comes before its children, so they are not translated yet.
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


def _exchange(tree: Tree, one: int, other: int) -> None:
    """Exchanges two children of a node by their contents: XGBoost takes the right child to be the one after the left."""
    for name in _PER_NODE:
        values = tree[name]
        values[one], values[other] = values[other], values[one]
    for node in (one, other):
        for child in (tree["left_children"][node], tree["right_children"][node]):
            if child >= 0:
                tree["parents"][child] = node
