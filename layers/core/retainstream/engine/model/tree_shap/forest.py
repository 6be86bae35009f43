"""The trees of a booster, and the splits of the whole model numbered column by column.

A *condition* is a split: a column, a threshold or a set of categories, and the direction of a missing value. A column's *codes* are the
values that the model can distinguish: the intervals between its thresholds, or its categories; and missing.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows

_MOST_CODED = 20_000_000
_WORD = 64

type Codes = NDArray[np.intp]
type _Split = tuple[float | frozenset[int], bool]


class NoTables(ValueError):
    """The model cannot have tables, or they would be too large; the message says why."""


@dataclass(frozen=True)
class Tree:
    """A tree with its nodes in preorder, so that the nodes and leaves of a branch are adjacent.

    Per node: its children (-1 for a leaf), its condition, its share of its parent's cover, the value of a leaf, and the range of the leaves
    below it.
    """

    left: list[int]
    right: list[int]
    condition: list[int]
    share: list[float]
    value: list[float]
    leaves: list[tuple[int, int]]


class Column:
    """A column that the model splits on, with its codes and conditions. In the model's numbering its codes begin at `start`.

    Conditions are numbered from `first` in the order of their thresholds; a set of conditions is an integer with their bits.
    """

    def __init__(self, place: int, number: int, first: int, start: int, splits: list[_Split]) -> None:
        self.place, self.number, self.first, self.start, self.count = place, number, first, start, len(splits)
        self.categorical = isinstance(splits[0][0], frozenset)
        self._missing_left = np.array([missing_left for _, missing_left in splits])
        self._mask: int = (1 << self.count) - 1
        self.left_mask: int = sum(1 << number for number, (_, missing_left) in enumerate(splits) if missing_left)
        edges = np.zeros(0, np.float32)
        if self.categorical:
            self._levels = 1 + max(max(split, default=0) for split, _ in splits if isinstance(split, frozenset))
            self.codes = self._levels + 2
        else:
            thresholds = np.array([split for split, _ in splits], np.float32)
            edges = np.unique(thresholds)
            self._at = np.searchsorted(edges, thresholds)
            self.codes = len(edges) + 2
        self._searched = np.append(edges, np.float32(np.nan))
        if self.codes * self.count > _MOST_CODED:
            raise NoTables("a column has too many values and splits")
        self.goes_left = np.ones((self.count, self.codes), bool)
        if self.categorical:
            for row, (split, _) in zip(self.goes_left, splits, strict=True):
                row[list(split) if isinstance(split, frozenset) else []] = False
        else:
            self.goes_left[:, :-1] = np.arange(self.codes - 1) <= self._at[:, None]
        self.goes_left[:, -1] = self._missing_left
        self.classes = cache(self._classes)

    def part(self, conditions: int) -> int:
        """This column's part of a set of conditions, numbered from its first condition."""
        return (conditions >> self.first) & self._mask

    def most_classes(self, part: int) -> int:
        """An upper bound on the number of classes of values under these conditions."""
        count = part.bit_count()
        if self.categorical:
            return min(1 << count, self.codes)
        missing_differs = 0 < (part & self.left_mask).bit_count() < count
        return count + 1 + missing_differs

    def code(self, values: NDArray[np.float32]) -> Codes:
        """The codes of values (n,). A value equal to a threshold lies above it; NaN comes last.

        Categories outside the model, and values that are not categories, share one code, as in XGBoost.
        """
        if not self.categorical:
            return self._searched.searchsorted(values, side="right")
        codes = np.full(len(values), self.codes - 2, np.intp)
        known = (values >= 0) & (values < self._levels)
        codes[known] = values[known].astype(np.intp)
        codes[np.isnan(values)] = self.codes - 1
        return codes

    def _classes(self, part: int) -> tuple[Codes, Codes]:
        """Classes of codes with the same directions under these conditions: the class of each code, and the first code of each class.

        Classes are in the order of their first codes, so that conditions with the same classes give them the same numbers.
        """
        bits = np.frombuffer(part.to_bytes((self.count + 7) // 8, "little"), np.uint8)
        chosen = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
        if self.categorical:
            met = np.packbits(self.goes_left[chosen], axis=0)
            keys = np.ascontiguousarray(met.T).view(f"V{len(met)}").ravel()
            _, code, of_code = np.unique(keys, return_index=True, return_inverse=True)
            order = code.argsort()
            return order.argsort()[of_code], code[order]
        at, missing_left = self._at[chosen], self._missing_left[chosen]
        edges = np.unique(at)
        of_code = np.searchsorted(edges, np.arange(self.codes), side="left")
        code = np.concatenate([[0], edges + 1])
        missing_class = int(np.searchsorted(edges, at[missing_left].min(initial=self.codes)))
        if (at[~missing_left] < edges[missing_class : missing_class + 1].min(initial=self.codes)).all():
            of_code[-1] = missing_class
        else:
            of_code[-1] = len(code)
            code = np.append(code, self.codes - 1)
        return of_code, code


@dataclass(frozen=True)
class Forest:
    """A model's trees and the columns they split on. `base` is the score, in log-odds, before any column is known."""

    trees: list[Tree]
    columns: list[Column]
    features: int
    base: float

    @property
    def codes(self) -> int:
        """Codes of all columns together."""
        return sum(column.codes for column in self.columns)

    @cached_property
    def column_at(self) -> dict[int, Column]:
        """The column of each condition."""
        return {column.first + number: column for column in self.columns for number in range(column.count)}

    def columns_of(self, conditions: int) -> list[Column]:
        """The columns of a set of conditions, in the schema's order."""
        return [column for column in self.columns if column.part(conditions)]

    def coded(self, rows: Rows) -> list[Codes]:
        """The codes (n,) of rows (n, features), per column.

        Raises:
            ValueError: a value is infinite, which XGBoost refuses too.
        """
        if np.isinf(rows).any():
            raise ValueError("a value is infinite or too large")
        return [column.code(rows[:, column.place]) for column in self.columns]


def read_forest(booster: xgboost.Booster) -> Forest:
    """The trees of a booster, from its JSON.

    Raises:
        NoTables: it is not a booster of plain trees with one score.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    described, model = learner["learner_model_param"], learner["gradient_booster"].get("model", {})
    several = int(described.get("num_class", 0)) > 1 or int(described.get("num_target", 1)) > 1
    if learner["gradient_booster"]["name"] != "gbtree" or several or any(model["tree_info"]):
        raise NoTables("the booster is not one of plain trees with one score")
    splits_by_tree = [_splits(tree) for tree in model["trees"]]
    met: dict[int, set[_Split]] = {}
    for tree in splits_by_tree:
        for place, split in tree.values():
            met.setdefault(place, set()).add(split)
    columns: list[Column] = []
    numbers: dict[tuple[int, _Split], int] = {}
    first = start = 0
    for place in sorted(met):
        ordered = sorted(met[place], key=lambda split: (sorted(split[0]) if isinstance(split[0], frozenset) else [split[0]], split[1]))
        columns.append(Column(place, len(columns), first, start, ordered))
        numbers |= {(place, split): first + number for number, split in enumerate(ordered)}
        first += _WORD * (-(-len(ordered) // _WORD))
        start += columns[-1].codes
    weights = model.get("weight_drop") or [1.0] * len(splits_by_tree)
    trees = [
        _tree(document, {node: numbers[split] for node, split in splits.items()}, weight)
        for document, splits, weight in zip(model["trees"], splits_by_tree, weights, strict=True)
    ]
    return Forest(trees, columns, booster.num_features(), _base(booster))


def _splits(document: dict[str, Any]) -> dict[int, tuple[int, _Split]]:
    """The split of each inner node: its column's place, and (threshold or categories, whether missing goes left)."""
    if document["tree_param"].get("size_leaf_vector", "1") not in ("0", "1"):
        raise NoTables("leaves have several values")
    categories = {
        node: frozenset(document["categories"][start : start + size])
        for node, start, size in zip(
            document["categories_nodes"], document["categories_segments"], document["categories_sizes"], strict=True
        )
    }
    places, thresholds, missing_left = document["split_indices"], document["split_conditions"], document["default_left"]
    return {
        node: (places[node], (categories.get(node, thresholds[node]), bool(missing_left[node])))
        for node, left in enumerate(document["left_children"])
        if left >= 0
    }


def _tree(document: dict[str, Any], condition: dict[int, int], weight: float) -> Tree:
    cover, children = document["sum_hessian"], (document["left_children"], document["right_children"])
    tree = Tree([], [], [], [], [], [])
    leaves = 0
    waiting = [(0, -1)]
    while waiting:
        node, parent = waiting.pop()
        number = len(tree.left)
        if parent >= 0:
            (tree.left if parent == number - 1 else tree.right)[parent] = number
        tree.left.append(-1)
        tree.right.append(-1)
        tree.condition.append(condition.get(node, -1))
        tree.value.append(weight * document["split_conditions"][node])
        tree.leaves.append((leaves, leaves))
        tree.share.append(1.0 if parent < 0 else cover[node] / cover[document["parents"][node]])
        if node in condition:
            if min(cover[node], cover[children[0][node]], cover[children[1][node]]) <= 0:
                raise NoTables("a branch has no cover")
            waiting += [(children[1][node], number), (children[0][node], number)]
        else:
            leaves += 1
            tree.leaves[number] = (leaves - 1, leaves)
    for node in reversed(range(len(tree.left))):
        if tree.left[node] >= 0:
            tree.leaves[node] = (tree.leaves[tree.left[node]][0], tree.leaves[tree.right[node]][1])
    return tree


def _base(booster: xgboost.Booster) -> float:
    """The base by XGBoost; it does not depend on the row."""
    nothing = np.full((1, booster.num_features()), np.nan, np.float32)
    names, kinds = booster.feature_names, booster.feature_types
    row = xgboost.DMatrix(nothing, feature_names=names, feature_types=kinds, enable_categorical=True, nthread=1)
    return float(booster.predict(row, pred_contribs=True)[0, -1])
