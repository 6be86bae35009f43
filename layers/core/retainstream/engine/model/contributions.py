"""What each column contributed to a score: exact Shapley values of the trees (path-dependent TreeSHAP).

The trees weigh their branches by the rows that they count (`engine.learning.row_counts`), so that the base is the mean score of these rows.

XGBoost walks every tree for every row and needs no preparation. For a block of rows, or a process with many requests, tables (`tree_shap`)
pay off: they answer in a small part of the time.
"""

import logging
import threading
from collections.abc import Callable

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.tree_shap.block import CompiledForest
from retainstream.engine.model.tree_shap.few_rows import SideBySide
from retainstream.engine.model.tree_shap.forest import NoTables, read_forest

LEAST_BLOCK = 200
"""With fewer rows than this the tables are made in the background, so that no request waits, and are read side by side."""

ASKED_FOR = 100
"""Rows outside blocks after which the tables are made in the background: a process with few requests does not pay for them."""

MOST_ASIDE = 1 << 20
"""Bytes of a booster (UBJSON) above which no tables are made in the background: they take seconds, and are slow for a single row."""

WORTH_TABLES = 2_000
"""Rows in blocks after which walking has cost as much as making the tables; see docs/decisions.md, 44."""

TOLERANCE = 1e-5
"""Largest allowed difference to XGBoost's values, relative to the larger of 1 and the row's largest contribution."""

_CHECKED_ROWS = 64

_log = logging.getLogger(__name__)


class Contributions:
    """The contributions of a booster's columns, by trees or by tables. The tables are made once, when they pay off."""

    def __init__(self, booster: xgboost.Booster, matrix: Callable[[Rows], xgboost.DMatrix]) -> None:
        """`matrix` turns encoded rows into the booster's input."""
        self._booster, self._matrix = booster, matrix
        self._lock = threading.Lock()
        self._seen = self._few = 0
        self._made_aside = threading.Lock()
        self._side_by_side: SideBySide | None = None
        self._made = False
        self._tables: CompiledForest | None = None

    def of(self, rows: Rows) -> tuple[Floats, float]:
        """Contributions in log-odds, shape (n, features), and the base: the mean score of the rows that the trees count.

        The base plus the sum over a row is the row's raw score.

        Raises:
            ValueError: a value is infinite.
        """
        if len(rows) >= LEAST_BLOCK:
            self._seen += len(rows)
            tables = self.tables(rows) if self._seen >= WORTH_TABLES else self._tables
            if tables:
                return tables.contributions(rows), tables.forest.base
        elif self._side_by_side:
            return self._side_by_side.contributions(rows), self._side_by_side.forest.base
        else:
            self._few += len(rows)
            if self._few >= ASKED_FOR and self._made_aside.acquire(blocking=False):
                threading.Thread(target=self.prepare, args=(rows,), daemon=True).start()
        return self.walked(rows)

    def prepare(self, rows: Rows) -> None:
        """Makes the tables for a few rows at a time, where the model is small enough. The rows are used to check the tables."""
        if len(self._booster.save_raw("ubj")) <= MOST_ASIDE and (tables := self.tables(rows)):
            self._side_by_side = tables.side_by_side

    def walked(self, rows: Rows) -> tuple[Floats, float]:
        """The same as `of`, by XGBoost, which walks the trees.

        Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020, algorithm 2.
        """
        if not len(rows):
            return np.zeros((0, self._booster.num_features())), 0.0
        explained: NDArray[np.float32] = self._booster.predict(self._matrix(rows), pred_contribs=True)
        values = explained.astype(np.float64)
        return values[:, :-1], float(values[0, -1])

    def tables(self, rows: Rows) -> CompiledForest | None:
        """The tables, made now if need be; None where the model has none. Some of the rows are used to check them."""
        with self._lock:
            if not self._made:
                self._tables = self._make(rows[np.linspace(0, len(rows) - 1, min(len(rows), _CHECKED_ROWS)).astype(int)])
                self._made = True
            return self._tables

    def _make(self, rows: Rows) -> CompiledForest | None:
        try:
            tables = CompiledForest.of(read_forest(self._booster))
        except NoTables as error:
            _log.info("contributions come from the trees: %s", error)
            return None
        walked, _ = self.walked(rows)
        allowed = TOLERANCE * np.maximum(1, np.abs(walked).max(axis=1, initial=0))
        if not (np.abs(tables.contributions(rows) - walked).max(axis=1, initial=0) <= allowed).all():
            _log.error("contributions come from the trees: the tables do not agree with the trees")
            return None
        return tables
