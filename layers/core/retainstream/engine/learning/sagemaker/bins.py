"""Customers' columns as small integers, which every text format holds exactly.

SageMaker's container takes no categories, and its text formats round numbers: a threshold learned from rounded values may lie on the wrong
side of the exact ones. So a training job gets bins. A number becomes the count of cuts at or below it, of up to 255, which is how histogram
trees bin it anyway. A level becomes its rank by churn rate, because in this order the best split of the levels in two is a cut between
neighbours (Fisher 1958). The stored cuts and ranks turn the job's splits back into thresholds and levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.trees import DIRECTIONS
from retainstream.engine.model.encoding import Rows

MOST_CODES = 256
_PRIOR_ROWS = 20.0
_ABSENT = -1


class AxisDocument(TypedDict):
    """An `Axis` as JSON."""

    place: int
    cuts: list[float]
    ranks: list[int]
    direction: int


@dataclass(frozen=True)
class Axis:
    """A column of the job, from the feature at `place`: a number's cuts (float32, rising) or the ranks of a category's levels."""

    place: int
    cuts: tuple[float, ...] = ()
    ranks: tuple[int, ...] = ()
    direction: int = 0

    @property
    def codes(self) -> int:
        """The number of codes; they count from 0."""
        return len(self.ranks) or len(self.cuts) + 1

    def code(self, values: NDArray[np.float32]) -> NDArray[np.intp]:
        """The code of each value (n,), -1 where it is missing."""
        known = ~np.isnan(values)
        codes = np.full(len(values), _ABSENT, dtype=np.intp)
        if self.ranks:
            codes[known] = np.array(self.ranks, dtype=np.intp)[values[known].astype(np.intp)]
        else:
            codes[known] = np.searchsorted(np.array(self.cuts, dtype=np.float32), values[known], side="right")
        return codes


@dataclass(frozen=True)
class Bins:
    """The columns of a job, in its order, without features that have no known value."""

    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, data: DataSet) -> "Bins":
        """The bins of a data set."""
        axes = []
        for place, column in enumerate(data.schema.features):
            values = data.rows[:, place]
            known = ~np.isnan(values)
            if not known.any():
                continue
            if column.kind == "category":
                axes.append(Axis(place, ranks=_ranks(values[known].astype(np.intp), data.churned[known], len(column.levels))))
            else:
                axes.append(Axis(place, cuts=_cuts(values[known]), direction=DIRECTIONS[column.monotone]))
        return cls(tuple(axes))

    @classmethod
    def from_document(cls, document: Sequence[AxisDocument]) -> "Bins":
        return cls(tuple(Axis(axis["place"], tuple(axis["cuts"]), tuple(axis["ranks"]), axis["direction"]) for axis in document))

    def document(self) -> list[AxisDocument]:
        """The bins as JSON, for `from_document`."""
        return [
            {"place": axis.place, "cuts": list(axis.cuts), "ranks": list(axis.ranks), "direction": axis.direction} for axis in self.axes
        ]

    def lines(self, rows: Rows, churned: NDArray[np.bool_]) -> bytes:
        """Rows as libsvm text: the outcome, then column:code for each known value."""
        columns = [np.array(["0", "1"], dtype=object)[churned.astype(np.intp)]]
        for number, axis in enumerate(self.axes):
            words = np.array([*(f" {number}:{code}" for code in range(axis.codes)), ""], dtype=object)
            columns.append(words[axis.code(rows[:, axis.place])])
        return "".join(f"{line}\n" for line in map("".join, zip(*columns, strict=True))).encode()


def _cuts(known: NDArray[np.float32]) -> tuple[float, ...]:
    distinct = np.unique(known)
    if len(distinct) > MOST_CODES:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, MOST_CODES + 1)[:-1], method="inverted_cdf"))
    return tuple(map(float, distinct[1:]))


def _ranks(levels: NDArray[np.intp], churned: NDArray[np.bool_], count: int) -> tuple[int, ...]:
    """Each level's rank by churn rate, with 20 rows of the mean rate added to each level."""
    rows = np.bincount(levels, minlength=count)
    left = np.bincount(levels, weights=churned, minlength=count)
    rates = (left + _PRIOR_ROWS * churned.mean()) / (rows + _PRIOR_ROWS)
    ranks = np.empty(count, dtype=np.intp)
    ranks[np.argsort(rates, kind="stable")] = np.arange(count)
    return tuple(map(int, ranks))
