"""The card's plots of what moves the scores: bars of mean SHAP values and a beeswarm of single ones."""

from collections import defaultdict
from collections.abc import Sequence

import svg
from markupsafe import Markup

from retainstream.engine.learning.card.document import Card, Influence
from retainstream.engine.learning.card.drawing import WIDTH, Axis, Point, dots, drawing, line, rectangle, round_axis, shortened, text
from retainstream.engine.learning.card.numbers import count, probability

_BAR_ROW = 40.0
_SWARM_ROW = 50.0
_SHADES = 5
_DOT = 4.0
_WAYS = {"increasing": "raises the risk", "decreasing": "lowers the risk"}


def bars(card: Card) -> Markup:
    """Mean absolute SHAP value of each of the strongest columns, and the direction in which a rising value moves the risk."""
    columns = _drawn(card)
    longest = max((column.mean_abs for column in columns), default=0.0) or 1.0
    room = WIDTH - 64.0
    parts: list[svg.Element] = []
    for place, column in enumerate(columns):
        y = place * _BAR_ROW
        parts += [
            text(2, y + 15, shortened(f"{column.label}{_way(column)}", WIDTH), "label"),
            rectangle(2, y + 20, room * column.mean_abs / longest, 13, f"bar-{column.direction}"),
            text(8 + room * column.mean_abs / longest, y + 31, probability(column.mean_abs), "label"),
        ]
    values = ", ".join(f"{column.label} {probability(column.mean_abs)}" for column in columns)
    return drawing(
        "shap-bars",
        "What moves the scores",
        f"Mean absolute SHAP value in log-odds over {count(card.explanation.rows)} held-out customers: {values}.",
        len(columns) * _BAR_ROW + 4,
        parts,
    )


def beeswarm(card: Card) -> Markup:
    """SHAP values of sampled customers: a row of dots for each of the strongest columns, coloured by the customer's value."""
    columns = [column for column in _drawn(card) if column.values]
    axis = round_axis((value for column in columns for value in column.values), "SHAP value in log-odds; positive raises the risk")
    bottom = 30.0 + len(columns) * _SWARM_ROW
    parts = _swarm_frame(axis, bottom)
    for place, column in enumerate(columns):
        middle = 30.0 + place * _SWARM_ROW + 32.0
        parts.append(text(2, middle - 18, shortened(column.label, WIDTH), "label"))
        for look, points in _swarm(column, axis, middle).items():
            parts.append(dots(points, look))
    return drawing(
        "shap-beeswarm",
        "SHAP values of single customers",
        f"One dot for each of {count(card.explanation.sampled)} held-out customers per row; to the right of zero the column raised the "
        f"risk. Strongest column first: {', '.join(column.label for column in columns)}.",
        bottom + 46,
        parts,
    )


def _way(column: Influence) -> str:
    """The direction in which a rising value moves the risk, where there is one."""
    if column.direction not in _WAYS:
        return ""
    more = {"boolean": "yes", "date": "longer ago"}.get(column.kind, "more")
    return f" – {more} {_WAYS[column.direction]}"


def _drawn(card: Card) -> Sequence[Influence]:
    return [column for column in card.explanation.columns if column.values]


def _x(axis: Axis, value: float) -> float:
    return 12.0 + axis.part(value) * (WIDTH - 24.0)


def _swarm_frame(axis: Axis, bottom: float) -> list[svg.Element]:
    parts: list[svg.Element] = []
    shades = [f"shade-{shade}" for shade in range(_SHADES)]
    parts.append(text(2, 14, "Low value", "label"))
    parts += [dots([(76.0 + 12 * place, 10.0)], shade) for place, shade in enumerate(shades)]
    parts.append(text(136, 14, "high", "label"))
    parts += [dots([(190.0, 10.0)], "shade-category"), text(198, 14, "category", "label")]
    parts += [dots([(276.0, 10.0)], "shade-missing"), text(284, 14, "missing", "label")]
    for tick in axis.ticks:
        x = _x(axis, tick)
        parts.append(line((x, 24), (x, bottom), "axis" if tick == 0 else "grid"))
        parts.append(text(x, bottom + 18, axis.written(tick), "tick", anchor="middle"))
    parts.append(text(WIDTH / 2, bottom + 40, axis.name, "label", anchor="middle"))
    return parts


def _swarm(column: Influence, axis: Axis, middle: float) -> dict[str, list[Point]]:
    """The dots of one row by style class. Dots at the same place are stacked around the middle, closer together where they are many."""
    at_place: dict[int, list[int]] = defaultdict(list)
    for customer, value in enumerate(column.values):
        at_place[round(_x(axis, value) / _DOT)].append(customer)
    tallest = max(len(customers) for customers in at_place.values())
    step = min(_DOT, 22.0 / tallest)
    points: dict[str, list[Point]] = defaultdict(list)
    for customers in at_place.values():
        for position, customer in enumerate(customers):
            aside = (position + 1) // 2 * (1 if position % 2 else -1) * step
            points[_shade(column, customer)].append((_x(axis, column.values[customer]), middle + aside))
    return dict(sorted(points.items()))


def _shade(column: Influence, customer: int) -> str:
    if not column.ranks:
        return "shade-category"
    rank = column.ranks[customer]
    return "shade-missing" if rank is None else f"shade-{min(_SHADES - 1, int(rank * _SHADES))}"
