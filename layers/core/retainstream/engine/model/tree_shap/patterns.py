"""A leaf's contributions for every pattern of its path.

On the path to a leaf with value v, all splits on one column act as one: the row follows all of them (o = 1) or not (o = 0). Of the training
rows a share z follows, the product of the covers' ratios. The leaf is the game v · ∏ (o if the column is known, else z), whose Shapley
values over k columns are (Lundberg et al. 2020, algorithm 2)

    φᵢ = v · (oᵢ − zᵢ) · Σₛ |S|! (k−1−|S|)! / k! · ∏_{j∈S} oⱼ ∏_{j∉S} zⱼ        (S: sets of other columns).

The weight is ∫₀¹ t^|S| (1−t)^(k−1−|S|) dt, so the sum is ∫₀¹ ∏_{j≠i} (t·oⱼ + (1−t)·zⱼ) dt: a polynomial of degree k−1, which
Gauss–Legendre quadrature with ⌈k/2⌉ points gives exactly. There are 2^k patterns for any rows (Yang 2021, FastTreeSHAP v2;
Nadel & Wettenstein, WOODELF).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.tree_shap.forest import Forest, Tree


@cache
def _quadrature(points: int) -> tuple[Floats, Floats]:
    """Gauss–Legendre points and weights from 0 to 1."""
    at, weights = np.polynomial.legendre.leggauss(points)
    return (at + 1) / 2, weights / 2


def pattern_values(value: Floats, shares: Floats) -> Floats:
    """Contributions (leaves, 2^k, k) of leaves with k columns each; bit j of a pattern: the row follows the path's column j.

    Args:
        value: the leaves' values (leaves,).
        shares: z, the share that follows, by column (leaves, k); above 0.
    """
    leaves, k = shares.shape
    points, weights = _quadrature((k + 1) // 2)
    at = points[:, None]
    products = (value[:, None] * weights)[:, :, None]
    for column in range(k):
        unfollowed = (1 - at) * shares[:, None, column, None]
        products = np.concatenate([products * unfollowed, products * (unfollowed + at)], axis=2)
    contributions = np.empty((leaves, k, 2**k))
    for column in range(k):
        halves = contributions[:, column].reshape(leaves, -1, 2, 2**column)
        split = products.reshape(leaves, len(points), -1, 2, 2**column)
        z = shares[:, column, None, None]
        unfollowed = (1 - at) * shares[:, None, column, None]
        for o, factor in ((0, unfollowed), (1, unfollowed + at)):
            halves[:, :, o] = (split[:, :, :, o] / factor[..., None]).sum(axis=1) * (o - z)
    return contributions.transpose(0, 2, 1)


@dataclass(frozen=True)
class LeafPatterns:
    """A tree's leaves, in order: the codes that follow their paths, and the contributions of every pattern.

    Attributes:
        follows: (leaves, codes of all columns).
        weights: 2^j for a path's column j, by leaf and column number; 0 if the column is not on the path.
        first: the first row of each leaf's patterns, then the number of all rows.
        values: contributions (rows, most columns of a path).
        columns: the column numbers of `values`; the number after the last column where there is none.
    """

    follows: NDArray[np.bool_]
    weights: NDArray[np.intp]
    first: NDArray[np.intp]
    values: Floats
    columns: NDArray[np.intp]


def leaf_patterns(forest: Forest, tree: Tree) -> LeafPatterns:
    follows, shares, on_path = _paths(forest, tree)
    value = np.array([value for value, left in zip(tree.value, tree.left, strict=True) if left < 0])
    count = on_path.sum(axis=1)
    first = np.concatenate([[0], np.cumsum(2**count)]).astype(np.intp)
    values = np.zeros((int(first[-1]), max(1, int(count.max()))))
    columns = np.full(values.shape, len(forest.columns), np.intp)
    for k in np.unique(count[count > 0]).tolist():
        alike = np.flatnonzero(count == k)
        own = np.nonzero(on_path[alike])[1].reshape(-1, k)
        rows = first[alike, None] + np.arange(2**k)
        values[rows, :k] = pattern_values(value[alike], np.take_along_axis(shares[alike], own, axis=1))
        columns[rows, :k] = own[:, None]
    weights = np.where(on_path, 1 << (np.cumsum(on_path, axis=1) - on_path), 0)
    return LeafPatterns(follows, weights, first, values, columns)


def _paths(forest: Forest, tree: Tree) -> tuple[NDArray[np.bool_], Floats, NDArray[np.bool_]]:
    """Per leaf: the codes that follow its path, the columns' shares of cover, and the columns on the path."""
    nodes = len(tree.left)
    follows = np.ones((nodes, forest.codes), bool)
    shares = np.ones((nodes, len(forest.columns)))
    on_path = np.zeros(shares.shape, bool)
    column_at = forest.column_at
    for node, (left, right) in enumerate(zip(tree.left, tree.right, strict=True)):
        if left < 0:
            continue
        condition = tree.condition[node]
        column = column_at[condition]
        goes_left = column.goes_left[condition - column.first]
        codes = slice(column.start, column.start + column.codes)
        for child, way in ((left, goes_left), (right, ~goes_left)):
            follows[child], shares[child], on_path[child] = follows[node], shares[node], on_path[node]
            follows[child, codes] &= way
            shares[child, column.number] *= tree.share[child]
            on_path[child, column.number] = True
    leaf = np.array(tree.left) < 0
    return follows[leaf], shares[leaf], on_path[leaf]
