"""Contributions of a few rows at a time: all tables of a forest side by side, with one look-up per row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.tree_shap.cell_tables import Grid
from retainstream.engine.model.tree_shap.forest import Column, Forest
from retainstream.engine.model.tree_shap.grouping import WIDTH

MOST_BYTES = 64 << 20
"""Above this size the tables are not kept side by side; few rows then walk the trees."""

type Filled = tuple[Sequence[Column], Grid, NDArray[np.float32]]
"""A table: the columns of its slots, its grid, and the contributions (cells, WIDTH)."""


@dataclass(frozen=True)
class SideBySide:
    """Every table of a forest.

    steps: (codes of all columns, tables), the increment of a row's cell in each table for a column's code. values: (cells of all tables,
    WIDTH). first: the first row of each table in `values`. places: (tables × WIDTH), the feature of each slot.
    """

    forest: Forest
    steps: NDArray[np.uint16]
    first: NDArray[np.intp]
    values: NDArray[np.float32]
    places: NDArray[np.intp]

    @classmethod
    def of(cls, forest: Forest, tables: Iterable[Filled]) -> "SideBySide | None":
        """The tables side by side; None if they are too large."""
        filled = list(tables)
        cells = [len(values) for _, _, values in filled]
        codes = sum(column.codes for column in forest.columns)
        if sum(cells) * WIDTH * 4 + codes * len(filled) * 2 > MOST_BYTES or not filled:
            return None
        steps = np.zeros((codes, len(filled)), np.uint16)
        places = np.full((len(filled), WIDTH), forest.features, np.intp)
        for number, (columns, grid, _) in enumerate(filled):
            places[number, : len(columns)] = [column.place for column in columns]
            for column, of_code, stride in zip(grid.columns, grid.of_code, grid.strides, strict=True):
                steps[column.start : column.start + column.codes, number] = of_code * stride
        first = np.concatenate([[0], np.cumsum(cells[:-1])]).astype(np.intp)
        return cls(forest, steps, first, np.concatenate([values for _, _, values in filled]), places.ravel())

    def contributions(self, rows: Rows) -> Floats:
        """Contributions in log-odds (n, features) of rows (n, features).

        Raises:
            ValueError: a value is infinite.
        """
        codes = self.forest.coded(rows)
        contributions = np.empty((len(rows), self.forest.features))
        for number in range(len(rows)):
            chosen = [column.start + code[number] for column, code in zip(self.forest.columns, codes, strict=True)]
            cells = self.steps.take(chosen, axis=0).sum(axis=0, dtype=np.intp)
            cells += self.first
            contributions[number] = np.bincount(self.places, self.values.take(cells, axis=0).ravel(), self.forest.features + 1)[:-1]
        return contributions
