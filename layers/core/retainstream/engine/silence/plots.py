"""Plots of the share of silences that ends, against the days of silence."""

from collections.abc import Iterable
from math import ceil

import svg
from markupsafe import Markup

from retainstream.engine.learning.card.drawing import WIDTH, Axis, Entry, Plot, percent_axis
from retainstream.engine.learning.card.numbers import share
from retainstream.engine.learning.card.page import style
from retainstream.engine.silence.definition import FEWEST, Curve, Definition
from retainstream.engine.silence.report import Report

_LOOKS = ("model", "baseline", "mark-stored", "mark-confidence", "mark-best", "thin")
_STEPS = (7, 14, 30, 60, 90, 180)


def by_window(report: Report) -> Markup:
    """The share of all silences that ends within each window."""
    return _by_window(report.definition).drawn("returns", "Returns after a silence", _described(report.definition))


def by_activity(report: Report) -> Markup:
    """The share of silences that ends within the chosen window, for each group by earlier activity."""
    return _by_activity(report.definition).drawn("returns-by-activity", "Returns by earlier activity", _described(report.definition))


def picture(report: Report) -> str:
    """Both plots as one SVG document with its style sheet."""
    first, second = _by_window(report.definition), _by_activity(report.definition)
    image = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, WIDTH, first.height + second.height),
        elements=[
            svg.Title(text="Returns after a silence"),
            svg.Desc(text=_described(report.definition)),
            svg.G(elements=list(first.parts)),
            svg.G(elements=list(second.parts), transform=[svg.Translate(0, first.height)]),
        ],
        extra={"role": "img"},
    )
    head, _, rest = image.as_str().partition(">")
    return f"{head}><style>{style()}\nsvg {{ background: var(--page); }}</style>{rest}\n"


def _by_window(definition: Definition) -> Plot:
    windows = sorted({returns["within_days"] for each in definition.curve.returns.values() for returns in each}, reverse=True)
    lines = [(f"All customers, within {window} more days", definition.curve, window) for window in windows]
    return _plot(definition, lines)


def _by_activity(definition: Definition) -> Plot:
    lines = [
        (f"After {group.name}, within {definition.within_days} more days", group.curve, definition.within_days)
        for group in definition.groups
    ]
    return _plot(definition, lines)


def _plot(definition: Definition, lines: list[tuple[str, Curve, int]]) -> Plot:
    curves = [(meaning, look, list(_points(curve, window))) for (meaning, curve, window), look in zip(lines, _LOOKS, strict=False)]
    legend = [Entry(look, meaning) for meaning, look, _ in curves]
    legend.append(Entry("chance", f"Chosen return share, {share(definition.return_share)}{_proposal(definition)}"))
    longest = max((days for _, _, points in curves for days, _ in points), default=30)
    plot = Plot(_days_axis(longest), percent_axis("Silences that end"), legend)
    plot.curve([(0, definition.return_share), (plot.x.high, definition.return_share)], "chance")
    if definition.proposed_days is not None:
        plot.curve([(definition.proposed_days, 0), (definition.proposed_days, 1)], "chance")
    for _, look, points in curves:
        plot.curve(points, look)
    return plot


def _points(curve: Curve, window: int) -> Iterable[tuple[float, float]]:
    for days in curve.returns:
        returns = curve.at(days, window)
        if returns["customers"] >= FEWEST and returns["share"] is not None:
            yield days, returns["share"]


def _days_axis(longest: float) -> Axis:
    step = next((step for step in _STEPS if longest <= 6 * step), _STEPS[-1])
    ticks = tuple(float(place * step) for place in range(ceil(longest / step) + 1))
    return Axis(ticks[0], ticks[-1], ticks, lambda tick: f"{tick:.0f}", "Days without an event")


def _proposal(definition: Definition) -> str:
    return f"; proposal {definition.proposed_days} days" if definition.proposed_days is not None else ""


def _described(definition: Definition) -> str:
    return (
        f"Share of silences that end within {definition.within_days} more days, against the days without an event. "
        f"The chosen return share is {share(definition.return_share)}{_proposal(definition)}."
    )
