"""Why a customer has the risk it has: the columns that moved it most, in the words of the schema."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.schema import Column, FeatureSchema
from retainstream.scoring.calibration import Floats
from retainstream.scoring.levels import REASONS

type Reason = dict[str, Any]


def strongest(contributions: Floats, count: int = REASONS) -> NDArray[np.intp]:
    """The columns with the largest contributions either way, largest first, shape (n, at most count); ties in schema order."""
    order: NDArray[np.intp] = np.argsort(-np.abs(contributions), axis=1, kind="stable")
    return order[:, :count]


def reasons_of(
    schema: FeatureSchema, features: Mapping[str, Any], columns: list[int], contributions: list[float], slope: float
) -> list[Reason]:
    """The reasons for one customer's score.

    Args:
        columns: positions among the schema's features, strongest first.
        contributions: log-odds of every feature, in schema order.
        slope: probability per unit of log-odds, from `model.Explained`.

    A reason's points are percentage points of probability; over all features they add up to 100 × (probability − base probability).
    """
    reasons = []
    for position in columns:
        contribution = contributions[position]
        if contribution == 0:
            continue
        column = schema.features[position]
        value = features.get(column.name)
        points = 100 * contribution * slope
        reasons.append(
            {
                "feature": column.name,
                "label": column.label,
                "value": value,
                "text": f"{circumstance(schema, column, value)}: {spoken_points(points)}",
                "contribution": round(contribution, 6),
                "points": round(points, 4),
            }
        )
    return reasons


def circumstance(schema: FeatureSchema, column: Column, value: Any) -> str:
    """A column's value as people say it: "3 failed payments in 90 days", "watch time unknown"."""
    if value is None:
        return f"{_in_a_sentence(column.label)} unknown"
    spoken = spoken_value(schema, column, value)
    phrase = column.phrase_for(value)
    if phrase:
        return phrase.replace("{value}", spoken).replace("{s}", "" if value == 1 else "s")
    if column.kind == "boolean":
        return f"{_in_a_sentence(column.label)}: {spoken}"
    unit = "" if _is_money(schema, column) else column.unit
    return " ".join(part for part in (_in_a_sentence(column.label), spoken, unit) if part)


def spoken_value(schema: FeatureSchema, column: Column, value: Any) -> str:
    """A value as people read it: numbers with thousands separators and no more digits than matter."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if schema.money and _is_money(schema, column):
        return f"{value:,.2f} {schema.money.currency}"
    if value == int(value):
        return f"{int(value):,d}"
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2
    return f"{value:,.{decimals}f}"


def _is_money(schema: FeatureSchema, column: Column) -> bool:
    """The price, and any other amount in the schema's currency."""
    return schema.money is not None and (column.name == schema.money.price or column.unit == schema.money.currency)


def spoken_points(points: float) -> str:
    """ "+18 points", "-0.4 points"."""
    figure = f"{points:+.0f}" if abs(points) >= 0.95 else f"{points:+.1f}"
    return f"{figure} point{'' if figure[1:] == '1' else 's'}"


def _in_a_sentence(label: str) -> str:
    first = label.split(maxsplit=1)[0]
    return label if first[1:] != first[1:].lower() else label[0].lower() + label[1:]
