"""Elements of a drawing: scales, axes, lines, text. The page's style sheet gives the classes their colours.

The svg library does not escape text, so every text is escaped here.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

import svg
from markupsafe import Markup

type Point = tuple[float, float]

WIDTH = 400
_CHARACTER = 7.0
"""Width of an average character of the text size used, in the drawing's units."""


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high` with its ticks, the format of a tick, and the name of the quantity."""

    low: float
    high: float
    ticks: tuple[float, ...]
    written: Callable[[float], str]
    name: str
    logarithmic: bool = False

    def part(self, value: float) -> float:
        """The position of a value on the scale, 0 … 1; values beyond the scale are at its ends."""
        within = min(self.high, max(self.low, value))
        if self.logarithmic:
            return math.log(within / self.low) / math.log(self.high / self.low)
        return (within - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Entry:
    """A line of the legend: a style class and its meaning."""

    look: str
    meaning: str
    mark: str = "line"


def share_axis(name: str) -> Axis:
    """From 0 to 1 in steps of 0.2."""
    return Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), lambda tick: f"{tick:.1f}", name)


def log_share_axis(least: float, name: str) -> Axis:
    """From a round number at or below `least` to 1, logarithmic; `least` is above 0."""
    steps = [factor * 10.0**power for power in range(-6, 0) for factor in (1, 2, 5)]
    first = max((step for step in steps if step <= least * (1 + 1e-9)), default=steps[0])
    ticks = tuple(step for step in (*steps, 1.0) if step >= first)
    return Axis(first, 1.0, ticks, lambda tick: f"{tick:g}", name, logarithmic=True)


def percent_axis(name: str) -> Axis:
    """From 0% to 100% in steps of 20%."""
    return Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), lambda tick: f"{tick:.0%}", name)


def round_axis(values: Iterable[float], name: str, *, steps: int = 5) -> Axis:
    """An axis over the values and zero, with round numbers at both ends."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    if low == high:
        high = low + 1.0
    step = _round_step((high - low) / steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = tuple(round(place * step, decimals) for place in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, lambda tick: f"{tick:,.{decimals}f}".replace("-", "−"), name)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def shortened(text: str, width: float) -> str:
    """The text, shortened to this width."""
    most = max(4, int(width / _CHARACTER))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def text(x: float, y: float, written: str, look: str, *, anchor: str = "start", turned: bool = False) -> svg.Element:
    """A line of text; with `turned` it reads upwards."""
    extra = {"text-anchor": anchor}
    if turned:
        extra["transform"] = f"rotate(-90 {_short(x)} {_short(y)})"
    return svg.Text(x=_short(x), y=_short(y), text=escape(written), class_=[look], extra=extra)


def line(start: Point, end: Point, look: str) -> svg.Element:
    return svg.Line(x1=_short(start[0]), y1=_short(start[1]), x2=_short(end[0]), y2=_short(end[1]), class_=[look])


def rectangle(x: float, y: float, width: float, height: float, look: str) -> svg.Element:
    return svg.Rect(x=_short(x), y=_short(y), width=_short(max(0.0, width)), height=_short(max(0.0, height)), class_=[look])


def dot(at: Point, look: str, radius: float = 3.5) -> svg.Element:
    return svg.Circle(cx=_short(at[0]), cy=_short(at[1]), r=_short(radius), class_=[look])


def path(points: Sequence[Point], look: str) -> svg.Element:
    """Straight lines from point to point."""
    return _path("M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points), look)


def dots(points: Sequence[Point], look: str) -> svg.Element:
    """Many dots in one element: lines of length zero with round ends."""
    return _path("".join(f"M{_short(x)} {_short(y)}h0" for x, y in points), look)


def _path(moves: str, look: str) -> svg.Element:
    return svg.Path(class_=[look], extra={"d": moves})


def drawing(identity: str, title: str, description: str, height: float, parts: Sequence[svg.Element], width: float = WIDTH) -> Markup:
    """A drawing with a title and a description for screen readers. All its text is escaped."""
    named: list[svg.Element] = [
        svg.Title(id=f"{identity}-title", text=escape(title)),
        svg.Desc(id=f"{identity}-desc", text=escape(description)),
    ]
    image = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, _short(width), _short(height)),
        elements=[*named, *parts],
        extra={"role": "img", "aria-labelledby": f"{identity}-title", "aria-describedby": f"{identity}-desc"},
    )
    return Markup(image.as_str())  # noqa: S704


def _short(value: float) -> float | int:
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


@dataclass
class Plot:
    """A frame with two axes and a legend above it. `at` places values."""

    x: Axis
    y: Axis
    legend: Sequence[Entry] = ()
    size: float = 300.0
    below: float = 0.0
    parts: list[svg.Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        widest = max(len(self.y.written(tick)) for tick in self.y.ticks)
        self.left, self.right = 26.0 + _CHARACTER * widest, WIDTH - 18.0
        self.top = 16.0 + 20.0 * len(self.legend)
        self.bottom = self.top + self.size
        self.height = self.bottom + 44.0 + self.below
        self._frame()

    def at(self, x: float, y: float) -> Point:
        """The position of a pair of values in the drawing."""
        return (
            self.left + self.x.part(x) * (self.right - self.left),
            self.bottom - self.y.part(y) * (self.bottom - self.top),
        )

    def add(self, *parts: svg.Element) -> None:
        self.parts.extend(parts)

    def curve(self, points: Iterable[Point], look: str) -> None:
        """A line through the values."""
        self.add(path([self.at(x, y) for x, y in points], look))

    def drawn(self, identity: str, title: str, description: str) -> Markup:
        return drawing(identity, title, description, self.height, self.parts)

    def _frame(self) -> None:
        for place, entry in enumerate(self.legend):
            y = 14.0 + 20.0 * place
            sample = dot((16.0, y - 4), entry.look) if entry.mark == "dot" else line((2, y - 4), (30, y - 4), entry.look)
            self.add(sample, text(38, y, shortened(entry.meaning, WIDTH - 42), "label"))
        for tick in self.y.ticks:
            _, y = self.at(self.x.low, tick)
            self.add(line((self.left, y), (self.right, y), "grid"), text(self.left - 6, y + 4, self.y.written(tick), "tick", anchor="end"))
        for tick in self.x.ticks:
            x, _ = self.at(tick, self.y.low)
            self.add(line((x, self.bottom), (x, self.bottom + 4), "axis"))
            self.add(text(x, self.bottom + 18, self.x.written(tick), "tick", anchor="middle"))
        self.add(line((self.left, self.bottom), (self.right, self.bottom), "axis"))
        self.add(text((self.left + self.right) / 2, self.bottom + 38, self.x.name, "label", anchor="middle"))
        self.add(text(13, (self.top + self.bottom) / 2, self.y.name, "label", anchor="middle", turned=True))
