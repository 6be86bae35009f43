"""A group's table: the contribution of each column, for every combination of directions at the group's splits."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.tree_shap.forest import Codes, Column
from retainstream.engine.model.tree_shap.grouping import WIDTH, Branch
from retainstream.engine.model.tree_shap.patterns import LeafPatterns

_MOST_AT_ONCE = 50_000


@dataclass(frozen=True)
class Grid:
    """The cells of a set of conditions; the last column's classes are adjacent.

    Per column: the class of each code, one code of each class, and the number of cells between two classes.
    """

    columns: list[Column]
    of_code: list[Codes]
    code: list[Codes]
    strides: list[int]
    cells: int

    @classmethod
    def of(cls, columns: Iterable[Column], conditions: int) -> "Grid":
        involved = [column for column in columns if column.part(conditions)]
        classes = [column.classes(column.part(conditions)) for column in involved]
        strides, cells = [], 1
        for _, code in reversed(classes):
            strides.append(cells)
            cells *= len(code)
        return cls(involved, [of_code for of_code, _ in classes], [code for _, code in classes], strides[::-1], cells)

    def within(self, coarser: "Grid") -> Codes:
        """For each of these cells, the cell of a coarser grid that contains it."""
        place_of = {column.number: place for place, column in enumerate(coarser.columns)}
        cells = np.zeros(1, np.intp)
        for column, code in zip(self.columns, self.code, strict=True):
            place = place_of.get(column.number)
            steps = np.zeros(len(code), np.intp) if place is None else coarser.of_code[place][code] * coarser.strides[place]
            cells = (cells[:, None] + steps).ravel()
        return cells


def add_branch(table: NDArray[np.float32], grid: Grid, branch: Branch, leaves: LeafPatterns, slots: NDArray[np.intp]) -> None:
    """Adds a branch's contributions to the table (cells of the grid, WIDTH) of its group.

    `slots` holds the slot in a row by column number, and WIDTH for columns without a slot.
    """
    own = Grid.of(grid.columns, branch.conditions)
    values = _branch_table(own, branch, leaves, slots).astype(np.float32)
    table += values if own.cells == grid.cells else values.take(grid.within(own), axis=0)


def _branch_table(grid: Grid, branch: Branch, leaves: LeafPatterns, slots: NDArray[np.intp]) -> Floats:
    """The contributions (cells, WIDTH) of a branch on its own grid."""
    chosen = slice(*branch.leaves)
    first, last = leaves.first[branch.leaves[0]], leaves.first[branch.leaves[1]]
    rows = slice(first, last)
    patterns = np.zeros((last - first, WIDTH + 1))
    np.put_along_axis(patterns, slots[leaves.columns[rows]], leaves.values[rows], axis=1)
    steps = [
        leaves.follows[chosen, column.start + code] * leaves.weights[chosen, column.number, None]
        for column, code in zip(grid.columns, grid.code, strict=True)
    ]
    table = np.zeros((grid.cells, WIDTH))
    at_once = max(1, _MOST_AT_ONCE // grid.cells)
    patterns = patterns[:, :WIDTH].copy()
    for start in range(0, branch.leaves[1] - branch.leaves[0], at_once):
        part = slice(start, start + at_once)
        pattern = leaves.first[chosen][part, None] - first
        for step in steps:
            pattern = (pattern[:, :, None] + step[part, None, :]).reshape(len(pattern), -1)
        table += patterns.take(pattern, axis=0).sum(axis=0)
    return table
