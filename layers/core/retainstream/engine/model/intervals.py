"""Intervals of probabilities: how well the calibration rows determine the churn rate at a raw score, stored as numbers."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


class IntervalsDocument(TypedDict):
    """`Intervals` as JSON."""

    x: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class Intervals:
    """Steps: margins between x[i − 1] and x[i] have the interval from low[i] to high[i]; x[i] itself has that from low[i + 1] to high[i].

    x: log-odds that rise, k of them. low, high: probabilities that never fall, k + 1 of each.
    """

    x: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        x, low, high = (np.array(numbers, dtype=np.float64) for numbers in (self.x, self.low, self.high))
        if not len(low) == len(high) == len(x) + 1:
            raise ValueError("the intervals need one low and one high bound more than x")
        if not np.isfinite(x).all() or (np.diff(x) <= 0).any():
            raise ValueError("the intervals need rising x")
        if not ((low >= 0) & (low <= high) & (high <= 1)).all() or (np.diff(low) < 0).any() or (np.diff(high) < 0).any():
            raise ValueError("the intervals need bounds between 0 and 1 that never fall, the low one first")

    def around(self, margins: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
        """Low and high bounds, widened where the probability would be outside. All have the shape (n,)."""
        low = np.array(self.low)[np.searchsorted(self.x, margins, side="right")]
        high = np.array(self.high)[np.searchsorted(self.x, margins, side="left")]
        return np.minimum(low, probabilities), np.maximum(high, probabilities)

    def moved(self, offset: float) -> "Intervals":
        """The intervals with all log-odds moved by `offset`."""
        return Intervals(self.x, _moved(self.low, offset), _moved(self.high, offset))

    def document(self) -> IntervalsDocument:
        """The steps as JSON, for `intervals_from`."""
        return {"x": list(self.x), "low": list(self.low), "high": list(self.high)}


def intervals_from(document: object) -> Intervals:
    """The intervals of a stored document, which ought to be an `IntervalsDocument`.

    Raises:
        ValueError: a list is missing, or the numbers are no intervals.
    """
    match document:
        case {"x": [*x], "low": [*low], "high": [*high]} if all(isinstance(number, int | float) for number in (*x, *low, *high)):
            return Intervals(tuple(x), tuple(low), tuple(high))
    raise ValueError("the intervals of the calibration document lack a number")


def _moved(bounds: tuple[float, ...], offset: float) -> tuple[float, ...]:
    before = np.array(bounds)
    return tuple((before * np.exp(offset) / (1 + before * np.expm1(offset))).round(6).tolist())
