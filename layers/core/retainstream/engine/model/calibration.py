"""Calibration: a monotone curve from a model's raw score (log-odds) to a probability, stored as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NotRequired, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.intervals import Intervals, IntervalsDocument, intervals_from

type Floats = NDArray[np.float64]

_SMALLEST = 1e-9


class CalibrationDocument(TypedDict):
    """A calibration as JSON: `a`, `b` and `c` with the method beta, `a` and `b` with platt, `x` and `y` with isotonic.

    `rows` where the curve is bounded, `interval` where it has intervals. Models are fitted with the method beta; earlier releases had the
    others, and no intervals.
    """

    method: Literal["none", "platt", "isotonic", "beta"]
    a: NotRequired[float]
    b: NotRequired[float]
    c: NotRequired[float]
    x: NotRequired[list[float]]
    y: NotRequired[list[float]]
    rows: NotRequired[int]
    interval: NotRequired[IntervalsDocument]


class Calibration(Protocol):
    """A non-decreasing curve from margins to probabilities, both float64 of the same shape."""

    def probability(self, margins: Floats) -> Floats: ...

    def derivative(self, margins: Floats) -> Floats:
        """Change of probability per unit of margin."""
        ...

    def moved(self, offset: float) -> "Calibration":
        """The curve with all log-odds moved by `offset`."""
        ...

    def document(self) -> CalibrationDocument:
        """The curve as JSON, for `calibration_from`."""
        ...


def sigmoid(margins: Floats) -> Floats:
    """1 / (1 + exp(-m)), without overflow at either end."""
    small = np.exp(-np.abs(margins))
    return np.where(margins >= 0, 1.0, small) / (1.0 + small)


def log_odds(probabilities: Floats) -> Floats:
    """log(p / (1 - p)), with probabilities kept a billionth away from 0 and 1."""
    clipped = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds


@dataclass(frozen=True)
class Beta:
    """Beta calibration: log-odds of a·log(s) − b·log(1 − s) + c, where s = sigmoid(margin) is the model's own probability.

    Kull, Silva Filho & Flach, "Beta calibration", AISTATS 2017. The slope is a for the lowest margins and b for the highest: with a = b it
    is Platt's, and with a = b = 1 and c = 0 the model's own probability.
    """

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite([self.a, self.b, self.c]).all() or min(self.a, self.b) < 0:
            raise ValueError("beta calibration needs finite numbers and slopes that are not negative")

    def probability(self, margins: Floats) -> Floats:
        below, above = self.parts(margins)
        return sigmoid(self.a * below + self.b * above + self.c)

    def derivative(self, margins: Floats) -> Floats:
        probability, own = self.probability(margins), sigmoid(margins)
        return probability * (1.0 - probability) * (self.a * (1.0 - own) + self.b * own)

    def moved(self, offset: float) -> "Beta":
        return Beta(self.a, self.b, self.c + offset)

    def document(self) -> CalibrationDocument:
        return {"method": "beta", "a": self.a, "b": self.b, "c": self.c}

    @staticmethod
    def parts(margins: Floats) -> tuple[Floats, Floats]:
        """log(s) and −log(1 − s), which add up to the margin, without overflow."""
        small = np.log1p(np.exp(-np.abs(margins)))
        return np.minimum(margins, 0.0) - small, np.maximum(margins, 0.0) + small


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

    def moved(self, offset: float) -> "Platt":
        return Platt(self.a, self.b + offset)

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

    def moved(self, offset: float) -> "Isotonic":
        return Isotonic(self.x, tuple(sigmoid(log_odds(np.array(self.y)) + offset).tolist()))

    def document(self) -> CalibrationDocument:
        return {"method": "isotonic", "x": list(self.x), "y": list(self.y)}


@dataclass(frozen=True)
class Bounded:
    """A curve bounded by the number of rows behind it, by Laplace's rule of succession (1814): (rows · p + 1) / (rows + 2).

    After n customers who all stayed, the next one leaves with probability 1 / (n + 2), not 0. The order of customers does not change, and
    no probability moves by more than 1 / (n + 2). `intervals` come from the same rows; they are None for versions of earlier releases.
    """

    curve: Calibration
    rows: int
    intervals: Intervals | None = None

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("a bounded calibration needs at least one row")

    def probability(self, margins: Floats) -> Floats:
        return (self.rows * self.curve.probability(margins) + 1) / (self.rows + 2)

    def derivative(self, margins: Floats) -> Floats:
        return self.rows / (self.rows + 2) * self.curve.derivative(margins)

    def moved(self, offset: float) -> "Bounded":
        """The moved curve and intervals, with the same bound."""
        return Bounded(self.curve.moved(offset), self.rows, self.intervals.moved(offset) if self.intervals else None)

    def document(self) -> CalibrationDocument:
        document: CalibrationDocument = {**self.curve.document(), "rows": self.rows}
        if self.intervals:
            document["interval"] = self.intervals.document()
        return document


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
    return Bounded(curve, rows, intervals_from(document["interval"]) if "interval" in document else None)


def _curve_from(document: Mapping[str, object]) -> Calibration:
    match document:
        case {"method": "none"}:
            return Platt()
        case {"method": "beta", "a": a, "b": b, "c": c}:
            return Beta(_number(a), _number(b), _number(c))
        case {"method": "platt", "a": a, "b": b}:
            return Platt(_number(a), _number(b))
        case {"method": "isotonic", "x": [*x], "y": [*y]}:
            return Isotonic(tuple(map(_number, x)), tuple(map(_number, y)))
        case {"method": "beta" | "platt" | "isotonic"}:
            raise ValueError("the calibration document lacks a number")
    raise ValueError(f"unknown calibration method {document.get('method')!r}")


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError("the calibration document lacks a number")
    return float(value)
