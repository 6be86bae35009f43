"""Small histograms of the drift reference: the probability, and the strongest columns."""

from collections.abc import Sequence
from itertools import pairwise

import svg
from markupsafe import Markup

from retainstream.engine.learning.card.document import Card, ColumnFacts, FeatureBins
from retainstream.engine.learning.card.drawing import drawing, line, rectangle, shortened, text
from retainstream.engine.learning.card.numbers import count, quantity

_WIDTH, _LEFT, _TOP, _BOTTOM = 240.0, 4.0, 24.0, 96.0
_MOST_BARS = 12


def score(card: Card) -> Markup:
    """Distribution of the held-out customers' probabilities."""
    reference = card.drift_reference.score
    edges = [0.0, *reference.edges, 1.0]
    parts = [text(_LEFT, 14, "Probability", "label"), *_columns(edges, reference.counts), *_ends(edges[0], edges[-1])]
    return drawing(
        "bins-score",
        "Probabilities",
        f"Distribution of the probability of {count(reference.rows)} held-out customers.",
        _BOTTOM + 22,
        parts,
        _WIDTH,
    )


def features(card: Card) -> list[Markup]:
    """Distributions of the strongest columns, strongest first."""
    columns = {column.name: column for column in card.columns}
    bins = {feature.feature: feature for feature in card.drift_reference.features}
    strongest = [influence.feature for influence in card.explanation.columns if influence.values]
    return [_feature(number, bins[name], columns[name]) for number, name in enumerate(strongest) if name in bins]


def _feature(number: int, bins: FeatureBins, column: ColumnFacts) -> Markup:
    rows = sum(bins.counts) + bins.missing
    parts = [text(_LEFT, 14, shortened(bins.label, _WIDTH), "label")]
    height = _BOTTOM + 22
    if bins.levels:
        counted = sorted(zip(bins.levels, bins.counts, strict=True), key=lambda pair: -pair[1])[:_MOST_BARS]
        parts += _level_bars(counted)
        height = _TOP + 24.0 * len(counted) + 2
    elif column.kind == "boolean":
        counted = list(zip(("no", "yes")[-len(bins.counts) :], bins.counts, strict=True))
        parts += _level_bars(counted)
        height = _TOP + 24.0 * len(counted) + 2
    elif column.first_percentile is None or column.last_percentile is None:
        parts.append(text(_LEFT, _BOTTOM - 20, "no values", "tick"))
    else:
        low, high = column.first_percentile, column.last_percentile
        edges = [min([low, *bins.edges]), *bins.edges, max([high, *bins.edges])]
        parts += [*_columns(edges, bins.counts), *_ends(edges[0], edges[-1])]
    description = f"Distribution of {count(rows)} customers over the bins of the drift reference; {count(bins.missing)} have no value."
    return drawing(f"bins-{number}", bins.label, description, height, parts, _WIDTH)


def _columns(edges: Sequence[float], counts: Sequence[int]) -> list[svg.Element]:
    """Bars as wide as their bins; the area is the share of the customers. A bin of no width gets a minimum width."""
    span = (edges[-1] - edges[0]) or 1.0
    room = _WIDTH - 2 * _LEFT
    least = 3.0 * span / room
    widths = [max(after - before, least) for before, after in pairwise(edges)]
    densities = [rows / width for rows, width in zip(counts, widths, strict=True)]
    highest = max(densities, default=0.0) or 1.0
    parts: list[svg.Element] = []
    for start, width, density in zip(edges, widths, densities, strict=False):
        x = _LEFT + min((start - edges[0]) / span, 1.0) * room
        wide = max(1.0, min(width / span * room, _WIDTH - _LEFT - x) - 0.6)
        tall = (_BOTTOM - _TOP) * density / highest
        parts.append(rectangle(min(x, _WIDTH - _LEFT - wide), _BOTTOM - tall, wide, tall, "bar"))
    return [*parts, line((_LEFT, _BOTTOM), (_WIDTH - _LEFT, _BOTTOM), "axis")]


def _ends(low: float, high: float) -> list[svg.Element]:
    return [
        text(_LEFT, _BOTTOM + 16, quantity(low), "small"),
        text(_WIDTH - _LEFT, _BOTTOM + 16, quantity(high), "small", anchor="end"),
    ]


def _level_bars(counted: Sequence[tuple[str, int]]) -> list[svg.Element]:
    most = max((counts for _, counts in counted), default=1) or 1
    parts: list[svg.Element] = []
    for place, (level, counts) in enumerate(counted):
        y = _TOP + 24.0 * place
        long = 70.0 * counts / most
        parts += [
            text(_LEFT, y + 14, shortened(level, 106), "tick"),
            rectangle(116, y + 4, long, 12, "bar"),
            text(120 + long, y + 14, count(counts), "small"),
        ]
    return parts
