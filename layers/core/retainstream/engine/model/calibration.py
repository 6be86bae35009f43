"""Calibration: a monotone curve from a model's raw score (log-odds) to a probability, stored as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NotRequired, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


class CalibrationDocument(TypedDict):
    """A calibration as JSON: `a` and `b` with the method platt, `x` and `y` with isotonic, `rows` where the curve is bounded."""

    method: Literal["none", "platt", "isotonic"]
    a: NotRequired[float]
    b: NotRequired[float]
    x: NotRequired[list[float]]
    y: NotRequired[list[float]]
    rows: NotRequired[int]


class Calibration(Protocol):
    """A non-decreasing curve from margins to probabilities, both float64 of the same shape."""

    def probability(self, margins: Floats) -> Floats: ...

    def derivative(self, margins: Floats) -> Floats:
        """Change of probability per unit of margin."""
        ...

    def document(self) -> CalibrationDocument:
        """The curve as JSON, for `calibration_from`."""
        ...


def sigmoid(margins: Floats) -> Floats:
    """1 / (1 + exp(-m)), without overflow at either end."""
    small = np.exp(-np.abs(margins))
    return np.where(margins >= 0, 1.0, small) / (1.0 + small)


@dataclass(frozen=True)
class Platt:
    """sigmoid(a·margin + b). With a = 1 and b = 0 this is the model's own probability."""

    a: float = 1.0
    b: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.a) and np.isfinite(self.b)) or self.a < 0:
            raise ValueError("Platt calibration needs finite numbers and a slope that is not negative")

    def probability(self, margins: Floats) -> Floats:
        return sigmoid(self.a * margins + self.b)

    def derivative(self, margins: Floats) -> Floats:
        probability = self.probability(margins)
        return self.a * probability * (1.0 - probability)

    def document(self) -> CalibrationDocument:
        if (self.a, self.b) == (1.0, 0.0):
            return {"method": "none"}
        return {"method": "platt", "a": self.a, "b": self.b}


@dataclass(frozen=True)
class Isotonic:
    """Straight lines between points (x: margin, y: probability), constant beyond the first and the last."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        x, y = np.array(self.x, dtype=np.float64), np.array(self.y, dtype=np.float64)
        if not len(x) or len(x) != len(y) or not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError("isotonic calibration needs as many finite x as y, and at least one")
        if (np.diff(x) <= 0).any() or (np.diff(y) < 0).any() or y[0] < 0 or y[-1] > 1:
            raise ValueError("isotonic calibration needs rising x, and y that never fall and stay between 0 and 1")

    def probability(self, margins: Floats) -> Floats:
        return np.interp(margins, self.x, self.y)

    def derivative(self, margins: Floats) -> Floats:
        if len(self.x) == 1:
            return np.zeros_like(margins)
        slopes = np.concatenate([[0.0], np.diff(self.y) / np.diff(self.x), [0.0]])
        steps: Floats = slopes[np.searchsorted(self.x, margins, side="right")]
        return steps

    def document(self) -> CalibrationDocument:
        return {"method": "isotonic", "x": list(self.x), "y": list(self.y)}


@dataclass(frozen=True)
class Bounded:
    """A curve bounded by the number of rows behind it, by Laplace's rule of succession (1814): (rows · p + 1) / (rows + 2).

    After n customers who all stayed, the next one leaves with probability 1 / (n + 2), not 0. The order of customers does not change, and
    no probability moves by more than 1 / (n + 2).
    """

    curve: Calibration
    rows: int

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("a bounded calibration needs at least one row")

    def probability(self, margins: Floats) -> Floats:
        return (self.rows * self.curve.probability(margins) + 1) / (self.rows + 2)

    def derivative(self, margins: Floats) -> Floats:
        return self.rows / (self.rows + 2) * self.curve.derivative(margins)

    def document(self) -> CalibrationDocument:
        return {**self.curve.document(), "rows": self.rows}


def calibration_from(document: Mapping[str, object]) -> Calibration:
    """The curve of a stored document, which ought to be a `CalibrationDocument`.

    Raises:
        ValueError: the method is unknown, a number is missing, or the curve would not be monotone.
    """
    curve = _curve_from(document)
    rows = document.get("rows")
    if rows is None:
        return curve
    if isinstance(rows, bool) or not isinstance(rows, int):
        raise ValueError("the number of rows is not a whole number")
    return Bounded(curve, rows)


def _curve_from(document: Mapping[str, object]) -> Calibration:
    match document:
        case {"method": "none"}:
            return Platt()
        case {"method": "platt", "a": a, "b": b}:
            return Platt(_number(a), _number(b))
        case {"method": "isotonic", "x": [*x], "y": [*y]}:
            return Isotonic(tuple(map(_number, x)), tuple(map(_number, y)))
        case {"method": "platt" | "isotonic"}:
            raise ValueError("the calibration document lacks a number")
    raise ValueError(f"unknown calibration method {document.get('method')!r}")


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError("the calibration document lacks a number")
    return float(value)
