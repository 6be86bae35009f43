"""Which leaves share a table.

A table's size is the product over its columns of the ways in which a value can meet the splits of its leaves' paths. A branch of a tree
becomes one group of leaves where that is small enough, otherwise its two halves do; groups of different trees that ask about the same
splits, or few others, are put together. So a model of stumps comes down to a few tables, a deep tree is cut into some, and a tree on many
columns into those that each ask about few.
"""

from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from operator import or_

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.tree_shap.forest import Column, Forest, NoTables, Tree

WIDTH = 8
"""Contributions in a row of a table, 32 bytes: a table has at most this many columns."""

_FEWEST_CELLS = 256
_OPEN_GROUPS = 32


@dataclass(frozen=True)
class Branch:
    """The leaves below a node of a tree, with the conditions that they and the way to them ask for; `cells`: no fewer than they make."""

    tree: int
    leaves: tuple[int, int]
    conditions: int
    cells: int


@dataclass(frozen=True)
class Group:
    """Branches whose contributions are added up in one table."""

    branches: tuple[Branch, ...]
    conditions: int


@dataclass(frozen=True)
class Panel:
    """Groups that are worked on together, on at most WIDTH columns."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    conditions: int


def branches(forest: Forest, cells: int, budget: int) -> list[Branch]:
    """All leaves, in branches of at most so many cells; of fewer, where all together would be more than `budget` cells.

    Raises:
        NoTables: a path is too long, or there are too many.
    """
    below = [_below(tree) for tree in forest.trees]
    while True:
        found = [
            branch
            for number, (tree, conditions) in enumerate(zip(forest.trees, below, strict=True))
            for branch in _divided(forest, number, tree, conditions, cells)
        ]
        if sum(branch.cells for branch in found) <= budget:
            return found
        if cells <= _FEWEST_CELLS:
            raise NoTables("the tables would be too large")
        cells //= 4


def _below(tree: Tree) -> list[int]:
    """For every node the conditions of its branch."""
    found = [0] * len(tree.left)
    for node in reversed(range(len(tree.left))):
        if tree.left[node] >= 0:
            found[node] = 1 << tree.condition[node] | found[tree.left[node]] | found[tree.right[node]]
    return found


def _divided(forest: Forest, number: int, tree: Tree, below: list[int], cells: int) -> list[Branch]:
    found = []
    waiting = [(0, 0)]
    while waiting:
        node, passed = waiting.pop()
        conditions = passed | below[node]
        columns = forest.columns_of(conditions)
        size = prod(column.most_classes(column.part(conditions)) for column in columns)
        if len(columns) <= WIDTH and (size <= cells or tree.left[node] < 0):
            if conditions:
                found.append(Branch(number, tree.leaves[node], conditions, size))
        elif tree.left[node] < 0:
            raise NoTables(f"a path asks for more than {WIDTH} columns")
        else:
            passed |= 1 << tree.condition[node]
            waiting += [(tree.right[node], passed), (tree.left[node], passed)]
    return found


class _Sizes:
    """How many cells sets of conditions make, for many sets in one go."""

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
        """No fewer than the cells of each set (sets, words); infinite for sets that ask for too many columns."""
        count = np.add.reduceat(np.bitwise_count(sets), self._starts, axis=1, dtype=np.intp)
        left = np.add.reduceat(np.bitwise_count(sets & self._left), self._starts, axis=1, dtype=np.intp)
        numeric = count + 1 + ((left > 0) & (left < count))
        classes = np.where(self._categorical, np.minimum(np.exp2(count), self._codes), numeric)
        found: NDArray[np.float64] = np.where((count > 0).sum(axis=1) <= WIDTH, classes.prod(axis=1), np.inf)
        return found


def grouped(forest: Forest, branches: list[Branch], cells: int, budget: int) -> list[Group]:
    """Branches put together as long as a table has at most `cells` cells and all have at most `budget`.

    Each goes to the one among the last groups that grows least.
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
    found = []
    for members in sets:
        for start in range(0, len(members), size):
            part = tuple(members[start : start + size])
            conditions = reduce(or_, (group.conditions for group in part), 0)
            found.append(Panel(tuple(forest.columns_of(conditions)), part, conditions))
    return found


def _sharing(forest: Forest, groups: list[Group]) -> list[list[Group]]:
    """Groups put together by sets of at most WIDTH columns: each with the set that needs the fewest new columns, or with a new one."""
    asked = np.zeros((len(groups), len(forest.columns)), bool)
    for number, group in enumerate(groups):
        asked[number, [column.number for column in forest.columns_of(group.conditions)]] = True
    asked = np.pad(asked, ((0, 0), (0, -len(forest.columns) % 64)))
    own = np.packbits(asked, axis=1).view(np.uint64)
    sets = np.zeros_like(own)
    sizes = np.zeros(len(own), np.intp)
    members: list[list[Group]] = []
    for number in np.argsort(-asked.sum(axis=1), kind="stable").tolist():
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
