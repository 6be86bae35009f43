"""What a customer is worth and what to do about the risk."""

from typing import Any

import numpy as np

from retainstream.engine.model.calibration import Floats
from retainstream.engine.schema import FeatureSchema

type Action = dict[str, Any]


def value_at_risk(schema: FeatureSchema, probability: Floats, price: Floats) -> Floats:
    """Expected revenue lost, in the currency: probability × price × the schema's months. Zero where the price is not known."""
    months = schema.money.months if schema.money else 0.0
    value: Floats = probability * price * months
    return np.where(np.isnan(value), 0.0, value)


def prices(schema: FeatureSchema, rows: list[dict[str, Any]]) -> Floats:
    """What each customer pays a month; NaN where it is not known."""
    column = schema.money.price if schema.money else None
    return np.array([np.nan if column is None or row.get(column) is None else row[column] for row in rows], dtype=np.float64)


def best_actions(schema: FeatureSchema, contributions: Floats, probability: Floats, price: Floats) -> list[Action | None]:
    """For each customer the action that is worth most, among those for the columns that raise the customer's risk.

    An action's expected value is probability × save rate × price × months − cost. None where no action pays, or the price is not known.
    """
    money = schema.money
    choices = [(position, column) for position, column in enumerate(schema.features) if column.action]
    if not money or not choices:
        return [None] * len(probability)
    costs = np.array([money.offer_cost if column.action.cost is None else column.action.cost for _, column in choices if column.action])
    rates = np.array([column.action.save_rate or money.save_rate for _, column in choices if column.action])
    worth = np.outer(probability * price * money.months, rates) - costs
    drives = contributions[:, [position for position, _ in choices]] > 0
    worth = np.where(drives & np.isfinite(worth), worth, -np.inf)
    best = worth.argmax(axis=1)
    return [
        {
            "feature": choices[choice][1].name,
            "title": choices[choice][1].action.title,
            "cost": float(costs[choice]),
            "expected_value": round(expected, 2),
        }
        if expected > 0
        else None
        for choice, expected in zip(best.tolist(), worth[np.arange(len(best)), best].tolist(), strict=True)
    ]
