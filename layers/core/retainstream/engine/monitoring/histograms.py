"""Counts of customers per bin of the reference. This module needs numpy; reading the counts does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.monitoring.documents import FeatureBins
from retainstream.engine.monitoring.score_bins import SCORE_BINS, SCORE_EDGES
from retainstream.engine.monitoring.tally import Tally

type Rows = NDArray[np.float32]

_SCORE_EDGES = np.array(SCORE_EDGES)
MOST_DISTINCT = 10
_DECILES = np.arange(1, 10) / 10
_BLOCK = 4096


def edges_of(values: Rows) -> list[float]:
    """Where a number's bins begin, except the first bin, from its known values; rising.

    Up to ten distinct values have a bin each. Otherwise the bins begin at the deciles; where many customers share a value, so that
    deciles coincide, the values above the last decile get two more bins. No bin is empty for these values.
    """
    distinct = np.unique(values)
    if len(distinct) <= MOST_DISTINCT:
        return [float(value) for value in distinct[1:]]
    edges = np.unique(np.quantile(values, _DECILES, method="inverted_cdf"))
    beyond = values[values > edges[-1]]
    if len(edges) < len(_DECILES) and len(beyond):
        edges = np.unique(np.append(edges, np.quantile(beyond, [0, 0.5], method="inverted_cdf")))
    return [float(edge) for edge in edges if edge > distinct[0]]


@dataclass(frozen=True)
class Ruler:
    """The bins of every feature: a number's bins lie between its edges, a category's bins are its levels; the last bin is for missing.

    edges: float64 (features, most edges), +inf where a feature has fewer. categories: bool (features,).
    sizes: bins of each feature, with the bin for missing.
    """

    edges: NDArray[np.float64]
    categories: NDArray[np.bool_]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, features: Sequence[FeatureBins]) -> "Ruler":
        """The bins of a reference's features."""
        edges_by_feature = [feature.get("edges", []) for feature in features]
        edges = np.full((len(edges_by_feature), max(map(len, edges_by_feature), default=0)), np.inf)
        for place, numbers in enumerate(edges_by_feature):
            edges[place, : len(numbers)] = numbers
        categories = np.array(["levels" in feature for feature in features], dtype=bool)
        return cls(edges, categories, np.array([len(feature["counts"]) + 1 for feature in features], dtype=np.int64))

    def counts(self, rows: Rows) -> NDArray[np.int64]:
        """Customers per bin, feature after feature, of encoded rows (n, features)."""
        blocks = (np.bincount(self._bins(block).ravel(), minlength=int(self.sizes.sum())) for _, block in _blocks(rows))
        return sum(blocks, np.zeros(int(self.sizes.sum()), dtype=np.int64))

    def sums(self, rows: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The summed values (n,) of the customers per bin, feature after feature, of encoded rows (n, features)."""
        total = np.zeros(int(self.sizes.sum()))
        for start, block in _blocks(rows):
            weights = np.repeat(values[start : start + _BLOCK], len(self.sizes))
            total += np.bincount(self._bins(block).ravel(), weights=weights, minlength=len(total))
        return total

    def _bins(self, rows: Rows) -> NDArray[np.int64]:
        """The bin of each value (n, features), counted over all features."""
        missing = np.isnan(rows)
        above = (rows[:, :, None] >= self.edges).sum(axis=2)
        codes = np.where(self.categories, np.where(missing, 0, rows).astype(np.int64), above)
        bins: NDArray[np.int64] = np.where(missing, self.sizes - 1, codes) + (np.cumsum(self.sizes) - self.sizes)
        return bins

    def by_feature[Number: np.generic](self, figures: NDArray[Number]) -> list[NDArray[Number]]:
        """The figures of each feature's bins."""
        return np.split(figures, np.cumsum(self.sizes)[:-1])


def _blocks(rows: Rows) -> Iterator[tuple[int, Rows]]:
    return ((start, rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK))


def score_counts(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Customers per bin of probability."""
    return np.bincount(np.searchsorted(_SCORE_EDGES, probabilities, side="right"), minlength=SCORE_BINS)


def tally(ruler: Ruler | None, rows: Rows, probabilities: Sequence[float], *, stayed: int, synthetic: int) -> Tally:
    """The counts of one block: encoded rows (n, features) and their probabilities, with six decimals, in the same order."""
    millionths = np.rint(np.asarray(probabilities, dtype=np.float64) * 1_000_000).astype(np.int64)
    places = np.searchsorted(_SCORE_EDGES, np.asarray(probabilities, dtype=np.float64), side="right")
    chances = np.zeros(SCORE_BINS, dtype=np.int64)
    np.add.at(chances, places, millionths)
    return Tally(
        len(rows),
        stayed,
        synthetic,
        tuple(ruler.counts(rows).tolist()) if ruler else (),
        tuple(np.bincount(places, minlength=SCORE_BINS).tolist()),
        tuple(chances.tolist()),
    )
