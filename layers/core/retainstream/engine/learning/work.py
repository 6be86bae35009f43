"""The processor time of training, estimated by what there is to do, so that a plan depends on the data and not on the machine's load.

The times were measured on one of two busy cores; a quiet core needs about two thirds of them.
"""

import numpy as np

from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.model.encoding import Rows

CORES = 2
"""The processors of the function that trains."""

_ROUND, _ROW, _CELL_OF_A_LEVEL, _BIN_OF_A_NODE = 2.5e-4, 8e-9, 0.7e-9, 2.3e-9
_ROW_OF_CATEGORIES, _ROW_OF_CATEGORIES_OF_A_LEVEL = 4e-8, 1e-8
_MATRIX_CELL = 2e-7
_ITERATIONS, _ITERATION, _ITERATION_ROW, _ITERATION_CELL, _TERM = 100, 1.5e-4, 3e-8, 1.5e-9, 2e-3
_MOST_BINS = 256
_ROWS_FOR_BINS = 20_000


def bins_of(rows: Rows) -> int:
    """The number of bins of the columns of rows (n, columns): their distinct values, up to 256 a column, among the first rows."""
    return sum(min(_MOST_BINS, len(np.unique(column))) for column in rows[:_ROWS_FOR_BINS].T)


def seconds_a_round(settings: TreeSettings, rows: int, columns: int, bins: int, *, categories: float = 0.0, spread: float = 0.25) -> float:
    """Seconds on one processor of a round of boosting on `rows` × `columns`.

    Each level of a tree reads all cells, and each node all bins. categories: their share of the columns; a row goes more slowly down a tree
    that splits them. spread: the mean of p · (1 − p) over the rows, which bounds the number of
    leaves where each needs a `min_child_weight`.
    """
    leaves = min(2.0**settings.depth, 1 + rows * spread * settings.subsample / max(settings.min_child_weight, 0.5))
    of_a_row = _ROW + columns * settings.depth * _CELL_OF_A_LEVEL
    of_a_row += categories * (_ROW_OF_CATEGORIES + settings.depth * _ROW_OF_CATEGORIES_OF_A_LEVEL)
    return _ROUND + rows * of_a_row + leaves * bins * _BIN_OF_A_NODE


def seconds_of_a_matrix(rows: int, columns: int) -> float:
    """Seconds on one processor to sort rows into bins."""
    return rows * columns * _MATRIX_CELL


def seconds_of_a_linear_fit(rows: int, columns: int, regressors: int) -> float:
    """Seconds on one processor of a linear stage."""
    return _ITERATIONS * (_ITERATION + rows * (_ITERATION_ROW + regressors * _ITERATION_CELL)) + columns * _TERM
