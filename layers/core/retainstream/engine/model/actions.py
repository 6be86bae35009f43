"""Value at risk, and the action with the highest expected value."""

from collections.abc import Sequence

import numpy as np

from retainstream.engine.model.calibration import Floats
from retainstream.engine.records import Features, RecommendedAction
from retainstream.engine.schema import FeatureSchema


def value_at_risk(schema: FeatureSchema, probability: Floats, price: Floats) -> Floats:
    """Expected lost revenue, in the schema's currency: probability × price × the schema's months. Zero where the price is not known."""
    months = schema.money.months if schema.money else 0.0
    value: Floats = probability * price * months
    return np.where(np.isnan(value), 0.0, value)


def prices(schema: FeatureSchema, rows: Sequence[Features]) -> Floats:
    """The monthly price of each customer; NaN where it is not known."""
    column = schema.money.price if schema.money else None
    return np.array([np.nan if column is None or row.get(column) is None else row[column] for row in rows], dtype=np.float64)


def best_actions(schema: FeatureSchema, contributions: Floats, probability: Floats, price: Floats) -> list[RecommendedAction | None]:
    """For each customer the action with the highest expected value, among those for columns that raise the customer's risk.

    The expected value is probability × save rate × price × months − cost. None where no action has a positive one, or the price is not
    known.
    """
    money = schema.money
    choices = [(place, column.name, column.action) for place, column in enumerate(schema.features) if column.action]
    if not money or not choices:
        return [None] * len(probability)
    costs = np.array([money.offer_cost if action.cost is None else action.cost for _, _, action in choices])
    rates = np.array([action.save_rate or money.save_rate for _, _, action in choices])
    worth = np.outer(probability * price * money.months, rates) - costs
    raises_the_risk = contributions[:, [place for place, _, _ in choices]] > 0
    worth = np.where(raises_the_risk & np.isfinite(worth), worth, -np.inf)
    best = worth.argmax(axis=1)
    actions: list[RecommendedAction | None] = []
    for choice, expected in zip(best.tolist(), worth[np.arange(len(best)), best].tolist(), strict=True):
        _, name, action = choices[choice]
        document: RecommendedAction = {
            "feature": name,
            "title": action.title,
            "cost": float(costs[choice]),
            "expected_value": round(expected, 2),
        }
        actions.append(document if expected > 0 else None)
    return actions
