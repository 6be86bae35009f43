"""The inner folds of a search: matrices of their rows, with the scores that trees continue from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Self

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.learning.additive import LinearFit, constant_stage, started_from
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.pairs import encoded as with_pairs
from retainstream.engine.learning.split import folds_apart
from retainstream.engine.learning.trees import TreeSettings, quantile_matrix
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.schema import Column

_OTHER_FOLDS = 0xD6E8FEB86659FD93


@dataclass(frozen=True)
class Start:
    """What trees start from: the linear stage of a penalty, or none. encoded: with the inputs that are derived from pairs of categories."""

    penalty: float | None
    encoded: bool = False

    @classmethod
    def of(cls, settings: TreeSettings) -> Self:
        return cls(settings.linear, settings.encoded)


@dataclass(frozen=True)
class Fold:
    """A fold, ready for trees: the rows to learn from and the judged rows, each with the scores of the linear stage as base margins.

    columns: of the rows. places: of the judged rows. scores: float64 (judged,), those of the linear stage. terms: its columns.
    """

    columns: Sequence[Column]
    learned: xgboost.DMatrix
    judged: xgboost.DMatrix
    places: NDArray[np.intp]
    churned: NDArray[np.bool_]
    scores: NDArray[np.float64]
    terms: int


class InnerFolds:
    """`count` folds of each of several divisions of the rows: fold `number` is `number` % `count` of division `number` // `count`.

    Several threads may ask for folds at the same time. The folds depend on the rows alone.
    """

    def __init__(self, data: DataSet, count: int, seed: int) -> None:
        self._data, self.count, self._seed = data, count, seed
        self._divisions: dict[int, NDArray[np.int64]] = {}
        self._encoded: dict[int, tuple[Inputs, Rows]] = {}
        self._matrices: dict[tuple[int, bool], xgboost.DMatrix] = {}
        self._folds: dict[tuple[int, Start], Fold] = {}
        self._linear: dict[tuple[int, bool], LinearFit] = {}
        self._locks: dict[int, Lock] = {}
        self._lock = Lock()

    @cached_property
    def fold_of(self) -> NDArray[np.int64]:
        """The fold of each row in the first division, (n,)."""
        return self._division(0)

    def places(self, number: int) -> NDArray[np.intp]:
        """The places of the judged rows of a fold."""
        return np.flatnonzero(self._division(number // self.count) == number % self.count)

    def ready(self, number: int, start: Start, *, others: bool = False) -> Fold:
        """A fold with a start. others: starts with other penalties will be asked for."""
        with self._lock_of(number):
            if (number, start) not in self._folds:
                self._folds[number, start] = self._made(number, start)
            if not others:
                self._linear.pop((number, start.encoded), None)
            return self._folds[number, start]

    def _made(self, number: int, start: Start) -> Fold:
        churned, key = self._data.churned, (number, start.encoded)
        judged = self._division(number // self.count) == number % self.count
        columns, rows, judged_rows = self._rows(number, judged, encoded=start.encoded)
        if start.penalty is None:
            stage = constant_stage(churned[~judged])
        else:
            self._linear[key] = self._linear.get(key) or LinearFit(columns, rows, churned[~judged])
            stage = self._linear[key].stage(start.penalty)
        learned = quantile_matrix(columns, rows, churned[~judged], threads=1, like=self._matrices.get(key))
        learned.set_base_margin(started_from(stage, rows))
        self._matrices.setdefault(key, learned)
        scores = started_from(stage, judged_rows)
        watched = quantile_matrix(columns, judged_rows, churned[judged], threads=1, like=learned)
        watched.set_base_margin(scores)
        return Fold(columns, learned, watched, np.flatnonzero(judged), churned[judged], scores, len(stage.terms))

    def _rows(self, number: int, judged: NDArray[np.bool_], *, encoded: bool) -> tuple[Sequence[Column], Rows, Rows]:
        """The columns of the inputs, the rows to learn from, and the judged rows."""
        data = self._data
        if not encoded:
            return data.schema.features, data.rows[~judged], data.rows[judged]
        if number not in self._encoded:
            self._encoded[number] = with_pairs(data.schema, data.rows[~judged], data.churned[~judged], data.keys[~judged], self._seed)
        inputs, rows = self._encoded[number]
        return inputs.columns, rows, inputs.rows(data.rows[judged])

    def _lock_of(self, number: int) -> Lock:
        with self._lock:
            return self._locks.setdefault(number, Lock())

    def _division(self, number: int) -> NDArray[np.int64]:
        with self._lock:
            if number not in self._divisions:
                data = self._data
                keys = data.keys ^ np.uint64(number * _OTHER_FOLDS % 2**64)
                self._divisions[number] = folds_apart(keys, data.rows, data.churned, self.count)
            return self._divisions[number]
