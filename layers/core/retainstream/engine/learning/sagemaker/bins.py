"""Customers' columns as small whole numbers, which any format of text carries exactly.

SageMaker's container takes no categories, and its text formats round what they read: a threshold that a model learned from rounded
values may lie on the wrong side of the real ones. So a job is given bins. A number becomes how many of up to 255 cuts it reaches, as
histogram trees would bin it anyway; a level becomes its place among the levels ordered by churn rate, the order in which the best split
of the levels in two is a cut between neighbours (Fisher 1958). Cuts and order are kept, and turn what the job learns back into
thresholds and levels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.trees import DIRECTIONS
from retainstream.engine.model.encoding import Rows

MOST_CODES = 256
_PRIOR_ROWS = 20.0
_ABSENT = -1


@dataclass(frozen=True)
class Axis:
    """One column of the job, made from the feature at `place`: a number's cuts (float32, growing) or the ranks of a category's levels."""

    place: int
    cuts: tuple[float, ...] = ()
    ranks: tuple[int, ...] = ()
    direction: int = 0

    @property
    def codes(self) -> int:
        """How many codes there are: 0 up to this, exclusive."""
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
    """The columns of a job, in its order. A feature without a single known value is none of them."""

    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, data: DataSet) -> "Bins":
        """Bins for data like this."""
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
    def from_document(cls, document: Sequence[dict[str, Any]]) -> "Bins":
        return cls(tuple(Axis(axis["place"], tuple(axis["cuts"]), tuple(axis["ranks"]), axis["direction"]) for axis in document))

    def document(self) -> list[dict[str, Any]]:
        """The bins as plain numbers, for `from_document`."""
        return [asdict(axis) for axis in self.axes]

    def lines(self, rows: Rows, churned: NDArray[np.bool_]) -> bytes:
        """Rows as libsvm text: the outcome, then column:code for each value that is known. A column that is left out is missing."""
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
    """Each level's place by churn rate, rates drawn towards the mean as by 20 more rows; a level never met counts as the mean."""
    rows = np.bincount(levels, minlength=count)
    left = np.bincount(levels, weights=churned, minlength=count)
    rates = (left + _PRIOR_ROWS * churned.mean()) / (rows + _PRIOR_ROWS)
    ranks = np.empty(count, dtype=np.intp)
    ranks[np.argsort(rates, kind="stable")] = np.arange(count)
    return tuple(map(int, ranks))
