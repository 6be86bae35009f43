"""Contributions of blocks of rows: each row is coded once per column, and each table takes one look-up."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.tree_shap.cell_tables import Grid, add_branch
from retainstream.engine.model.tree_shap.few_rows import Filled, SideBySide
from retainstream.engine.model.tree_shap.forest import Codes, Column, Forest, NoTables
from retainstream.engine.model.tree_shap.grouping import WIDTH, Group, Panel, branches, grouped, panels
from retainstream.engine.model.tree_shap.patterns import leaf_patterns

ROWS_AT_ONCE = 8192
"""The codes of this many rows, and a row of contributions for each, fit into a processor's second-level cache."""

_BRANCH_CELLS = 1024
_GROUP_CELLS = 4096
_MOST_CELLS = 3_000_000
_GROUPS_IN_PANEL = 16
_JOINT_CODES = 4096
_MOST_TABLE_CELLS = 65_535


class _Room:
    """Arrays that every table reuses."""

    def __init__(self, rows: int, features: int) -> None:
        self.cell, self.part = np.empty(rows, np.uint16), np.empty(rows, np.uint16)
        self.index, self.single = np.empty(rows, np.intp), np.empty(rows, np.float32)
        self.values, self.total = np.empty((rows, WIDTH), np.float32), np.empty((rows, WIDTH), np.float32)
        self.contributions = np.empty((features, rows))


class _SharedPanel:
    """Several tables on the same columns; a row of a table holds the contributions of all these columns.

    Columns with few codes are combined into one code, so that fewer parts add up to the number of a row's cell.
    """

    def __init__(self, panel: Panel, tables: list[tuple[Grid, NDArray[np.float32]]]) -> None:
        local = {column.number: column.classes(column.part(panel.conditions)) for column in panel.columns}
        self._slots = [(slot, column.place) for slot, column in enumerate(panel.columns)]
        together = _read_together(list(panel.columns), local)
        self._joint = []
        for columns in together:
            stride, read = 1, []
            for column in columns:
                of_code, code = local[column.number]
                read.append((column.number, of_code * stride))
                stride *= len(code)
            self._joint.append(read)
        self._tables = [(self._offsets(grid, together, local), values) for grid, values in tables]

    @staticmethod
    def _offsets(grid: Grid, together: list[list[Column]], local: dict[int, tuple[Codes, Codes]]) -> list[tuple[int, NDArray[np.uint16]]]:
        steps = {column.number: of_code * stride for column, of_code, stride in zip(grid.columns, grid.of_code, grid.strides, strict=True)}
        offsets = []
        for number, columns in enumerate(together):
            if steps.keys() & {column.number for column in columns}:
                offset = np.zeros(1, np.intp)
                for column in columns:
                    code = local[column.number][1]
                    own = steps[column.number][code] if column.number in steps else np.zeros(len(code), np.intp)
                    offset = (own[:, None] + offset).ravel()
                offsets.append((number, offset.astype(np.uint16)))
        return offsets

    def add(self, codes: list[Codes], room: _Room) -> None:
        joint = [_joined(codes, read, room) for read in self._joint]
        room.total[:] = 0
        for offsets, values in self._tables:
            (number, offset), *others = offsets
            cell = offset.take(joint[number], out=room.cell, mode="clip")
            for number, offset in others:
                cell += offset.take(joint[number], out=room.part, mode="clip")
            room.index[:] = cell
            room.total += values.take(room.index, axis=0, out=room.values, mode="clip")
        for slot, place in self._slots:
            room.contributions[place] += room.total[:, slot]

    @property
    def bytes(self) -> int:
        return sum(values.nbytes + sum(offset.nbytes for _, offset in offsets) for offsets, values in self._tables)


class _SingleTable:
    """A table that shares no columns with others: one contribution at a time, without combined codes."""

    def __init__(self, panel: Panel, grid: Grid, values: NDArray[np.float32]) -> None:
        slots = {column.number: slot for slot, column in enumerate(panel.columns)}
        self._parts = [
            (column.number, (of_code * stride).astype(np.uint16))
            for column, of_code, stride in zip(grid.columns, grid.of_code, grid.strides, strict=True)
        ]
        self._values = [(column.place, values[:, slots[column.number]].copy()) for column in grid.columns]

    def add(self, codes: list[Codes], room: _Room) -> None:
        (number, part), *others = self._parts
        cell = part.take(codes[number], out=room.cell, mode="clip")
        for number, part in others:
            cell += part.take(codes[number], out=room.part, mode="clip")
        room.index[:] = cell
        for place, values in self._values:
            room.contributions[place] += values.take(room.index, out=room.single, mode="clip")

    @property
    def bytes(self) -> int:
        return sum(part.nbytes for _, part in self._parts) + sum(values.nbytes for _, values in self._values)


@dataclass(frozen=True)
class CompiledForest:
    """A model's tables for blocks of rows."""

    forest: Forest
    panels: list[_SharedPanel | _SingleTable]
    filled: list[Filled]

    @classmethod
    def of(cls, forest: Forest) -> "CompiledForest":
        """Makes the tables.

        Raises:
            NoTables: they would be too large.
        """
        groups = grouped(forest, branches(forest, _BRANCH_CELLS, _MOST_CELLS), _GROUP_CELLS, _MOST_CELLS)
        planned = panels(forest, groups, _GROUPS_IN_PANEL)
        tables = _filled(forest, planned)
        ready: list[_SharedPanel | _SingleTable] = []
        filled: list[Filled] = []
        for panel in planned:
            own = [next(tables) for _ in panel.groups]
            filled += [(panel.columns, grid, values) for grid, values in own]
            ready.append(_SingleTable(panel, *own[0]) if len(own) == 1 else _SharedPanel(panel, own))
        return cls(forest, ready, filled)

    @property
    def tables(self) -> int:
        return len(self.filled)

    @cached_property
    def side_by_side(self) -> SideBySide | None:
        """The same tables for a few rows at a time; None if they would be too large."""
        return SideBySide.of(self.forest, self.filled)

    @property
    def bytes(self) -> int:
        return sum(panel.bytes for panel in self.panels)

    def contributions(self, rows: Rows) -> Floats:
        """Contributions in log-odds (n, features) of rows (n, features).

        Raises:
            ValueError: a value is infinite.
        """
        features = self.forest.features
        contributions = np.empty((len(rows), features))
        room = _Room(min(ROWS_AT_ONCE, len(rows)), features)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            room = room if len(part) == len(room.index) else _Room(len(part), features)
            room.contributions[:] = 0
            codes = self.forest.coded(part)
            for panel in self.panels:
                panel.add(codes, room)
            contributions[start : start + ROWS_AT_ONCE] = room.contributions.T
        return contributions


def _filled(forest: Forest, planned: list[Panel]) -> Iterator[tuple[Grid, NDArray[np.float32]]]:
    """The tables of all groups, panel by panel. Each tree is read once, whatever groups its branches are in."""
    grids: list[Grid] = []
    tables: list[NDArray[np.float32]] = []
    wanted: dict[int, list[tuple[int, Group, int, NDArray[np.intp]]]] = {}
    for panel in planned:
        slots = np.full(len(forest.columns) + 1, WIDTH, np.intp)
        slots[[column.number for column in panel.columns]] = np.arange(len(panel.columns))
        for group in panel.groups:
            grid = Grid.of(panel.columns, group.conditions)
            if grid.cells > _MOST_TABLE_CELLS:
                raise NoTables("a table would be too large")
            for number, branch in enumerate(group.branches):
                wanted.setdefault(branch.tree, []).append((len(tables), group, number, slots))
            grids.append(grid)
            tables.append(np.zeros((grid.cells, WIDTH), np.float32))
    for tree, uses in wanted.items():
        leaves = leaf_patterns(forest, forest.trees[tree])
        for place, group, number, slots in uses:
            add_branch(tables[place], grids[place], group.branches[number], leaves, slots)
    return iter(list(zip(grids, tables, strict=True)))


def _joined(codes: list[Codes], read: list[tuple[int, Codes]], room: _Room) -> Codes:
    (number, added), *others = read
    joint: Codes = added.take(codes[number])
    for number, added in others:
        joint += added.take(codes[number], out=room.index, mode="clip")
    return joint


def _read_together(columns: list[Column], local: dict[int, tuple[Codes, Codes]]) -> list[list[Column]]:
    """Columns in sets of at most _JOINT_CODES combined codes: each column, largest first, joins the largest set with room for it."""
    sets: list[tuple[int, list[Column]]] = []
    for column in sorted(columns, key=lambda member: -len(local[member.number][1])):
        size = len(local[column.number][1])
        fitting = [number for number, (joint, _) in enumerate(sets) if joint * size <= _JOINT_CODES]
        if fitting:
            number = max(fitting, key=lambda fit: sets[fit][0])
            sets[number] = (sets[number][0] * size, [*sets[number][1], column])
        else:
            sets.append((size, [column]))
    return [members for _, members in sets]
