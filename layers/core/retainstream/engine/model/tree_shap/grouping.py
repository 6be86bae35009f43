"""Groups leaves that share a table.

A table's size is the product, over its columns, of the number of classes that the splits on its leaves' paths distinguish. A branch of a
tree is a group if its table is small enough; otherwise its two halves are tried. Groups of different trees with the same or nearly the same
splits are merged. So a model of stumps has few tables, a deep tree is divided into several, and a tree on many columns into groups with few
columns each.
"""

from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from operator import or_

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.tree_shap.forest import Column, Forest, NoTables, Tree

WIDTH = 8
"""Contributions in a row of a table (32 bytes), which is the largest number of columns of a table."""

_FEWEST_CELLS = 256
_OPEN_GROUPS = 32


@dataclass(frozen=True)
class Branch:
    """The leaves below a node, with all conditions on their paths. `cells` is an upper bound on the cells of their table."""

    tree: int
    leaves: tuple[int, int]
    conditions: int
    cells: int


@dataclass(frozen=True)
class Group:
    """Branches whose contributions add up in one table."""

    branches: tuple[Branch, ...]
    conditions: int


@dataclass(frozen=True)
class Panel:
    """Groups that are evaluated together, on at most WIDTH columns."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    conditions: int


def branches(forest: Forest, cells: int, budget: int) -> list[Branch]:
    """All leaves, in branches of at most `cells` cells each, or fewer if all branches together would exceed `budget`.

    Raises:
        NoTables: a path has too many columns, or there are too many cells.
    """
    below = [_below(tree) for tree in forest.trees]
    while True:
        divided = [
            branch
            for number, (tree, conditions) in enumerate(zip(forest.trees, below, strict=True))
            for branch in _divided(forest, number, tree, conditions, cells)
        ]
        if sum(branch.cells for branch in divided) <= budget:
            return divided
        if cells <= _FEWEST_CELLS:
            raise NoTables("the tables would be too large")
        cells //= 4


def _below(tree: Tree) -> list[int]:
    """The conditions of each node's branch."""
    conditions = [0] * len(tree.left)
    for node in reversed(range(len(tree.left))):
        if tree.left[node] >= 0:
            conditions[node] = 1 << tree.condition[node] | conditions[tree.left[node]] | conditions[tree.right[node]]
    return conditions


def _divided(forest: Forest, number: int, tree: Tree, below: list[int], cells: int) -> list[Branch]:
    divided = []
    waiting = [(0, 0)]
    while waiting:
        node, passed = waiting.pop()
        conditions = passed | below[node]
        columns = forest.columns_of(conditions)
        size = prod(column.most_classes(column.part(conditions)) for column in columns)
        if len(columns) <= WIDTH and (size <= cells or tree.left[node] < 0):
            if conditions:
                divided.append(Branch(number, tree.leaves[node], conditions, size))
        elif tree.left[node] < 0:
            raise NoTables(f"a path has more than {WIDTH} columns")
        else:
            passed |= 1 << tree.condition[node]
            waiting += [(tree.right[node], passed), (tree.left[node], passed)]
    return divided


class _Sizes:
    """The number of cells of sets of conditions, for many sets at once."""

    def __init__(self, forest: Forest) -> None:
        columns = forest.columns
        self._bytes = 8 * (1 + max(column.first + column.count - 1 for column in columns) // 64)
        self._starts = np.array([column.first // 64 for column in columns])
        self._left = self.bits(sum(column.left_mask << column.first for column in columns))
        self._categorical = np.array([column.categorical for column in columns])
        self._codes = np.array([float(column.codes) for column in columns])

    def bits(self, conditions: int) -> NDArray[np.uint64]:
        return np.frombuffer(conditions.to_bytes(self._bytes, "little"), np.uint64)

    def cells(self, sets: NDArray[np.uint64]) -> NDArray[np.float64]:
        """An upper bound on the cells of each set (sets, words); infinite for sets with too many columns."""
        count = np.add.reduceat(np.bitwise_count(sets), self._starts, axis=1, dtype=np.intp)
        left = np.add.reduceat(np.bitwise_count(sets & self._left), self._starts, axis=1, dtype=np.intp)
        numeric = count + 1 + ((left > 0) & (left < count))
        classes = np.where(self._categorical, np.minimum(np.exp2(count), self._codes), numeric)
        cells: NDArray[np.float64] = np.where((count > 0).sum(axis=1) <= WIDTH, classes.prod(axis=1), np.inf)
        return cells


def grouped(forest: Forest, branches: list[Branch], cells: int, budget: int) -> list[Group]:
    """Merges branches while each table has at most `cells` cells and all tables together have at most `budget`.

    A branch joins the recent group that grows least.
    """
    if not branches:
        return []
    sizes = _Sizes(forest)
    done: list[Group] = []
    current: list[Group] = []
    sets = np.zeros((_OPEN_GROUPS, len(sizes.bits(0))), np.uint64)
    there = np.zeros(_OPEN_GROUPS)
    left = budget - sum(branch.cells for branch in branches)
    for branch in branches:
        own = sizes.bits(branch.conditions)
        together = sizes.cells(sets[: len(current)] | own)
        growth = np.where(together <= cells, together - there[: len(current)] - branch.cells, np.inf)
        place = int(growth.argmin()) if len(growth) else -1
        if place >= 0 and growth[place] <= left and np.isfinite(growth[place]):
            group = current[place]
            left -= growth[place]
            current[place] = replace(group, branches=(*group.branches, branch), conditions=group.conditions | branch.conditions)
            sets[place] |= own
            there[place] = together[place]
            continue
        place = len(current)
        if place == _OPEN_GROUPS:
            place = int(there.argmax())
            done.append(current[place])
            current[place] = Group((branch,), branch.conditions)
        else:
            current.append(Group((branch,), branch.conditions))
        sets[place], there[place] = own, branch.cells
    return done + current


def panels(forest: Forest, groups: list[Group], size: int) -> list[Panel]:
    """Groups in panels of at most `size` groups and WIDTH columns."""
    sets = [groups] if len(forest.columns) <= WIDTH else _sharing(forest, groups)
    planned = []
    for members in sets:
        for start in range(0, len(members), size):
            part = tuple(members[start : start + size])
            conditions = reduce(or_, (group.conditions for group in part), 0)
            planned.append(Panel(tuple(forest.columns_of(conditions)), part, conditions))
    return planned


def _sharing(forest: Forest, groups: list[Group]) -> list[list[Group]]:
    """Groups sorted into sets of at most WIDTH columns: each joins the set that needs the fewest new columns, or a new set."""
    involved = np.zeros((len(groups), len(forest.columns)), bool)
    for number, group in enumerate(groups):
        involved[number, [column.number for column in forest.columns_of(group.conditions)]] = True
    involved = np.pad(involved, ((0, 0), (0, -len(forest.columns) % 64)))
    own = np.packbits(involved, axis=1).view(np.uint64)
    sets = np.zeros_like(own)
    sizes = np.zeros(len(own), np.intp)
    members: list[list[Group]] = []
    for number in np.argsort(-involved.sum(axis=1), kind="stable").tolist():
        together = np.bitwise_count(sets[: len(members)] | own[number]).sum(axis=1, dtype=np.intp)
        new = np.where(together <= WIDTH, together - sizes[: len(members)], WIDTH + 1)
        place = int(new.argmin()) if len(new) else 0
        if len(new) == 0 or new[place] > WIDTH:
            place = len(members)
            members.append([])
        members[place].append(groups[number])
        sets[place] |= own[number]
        sizes[place] = np.bitwise_count(sets[place]).sum()
    return members
