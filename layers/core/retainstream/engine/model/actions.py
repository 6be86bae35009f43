"""The action with the highest expected value among those that address what raises a customer's risk."""

from collections.abc import Sequence

import numpy as np

from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.model.money import offer_value
from retainstream.engine.records import Features, RecommendedAction
from retainstream.engine.schema import FeatureSchema

LEAST_SHARE = 0.1
"""An action's column must make at least this share of the contributions that raise the customer's risk."""


def prices(schema: FeatureSchema, rows: Sequence[Features]) -> Floats:
    """The monthly price of each customer; NaN where it is not known."""
    column = schema.money.price if schema.money else None
    return np.array([np.nan if column is None or row.get(column) is None else row[column] for row in rows], dtype=np.float64)


def best_actions(inputs: Inputs, contributions: Floats, probability: Floats, price: Floats) -> list[RecommendedAction | None]:
    """For each of n customers the action with the highest expected value. contributions: log-odds, by explained column;
    the others (n,).

    An action keeps its save rate of the customers who would leave for its column. They are a share of all who would leave: the column's
    contribution ÷ the sum of the contributions that raise the risk. The expected value is that of `offer_value` with save rate × share.
    None where no action with a share of at least LEAST_SHARE has a positive one, or the price is not known.
    """
    schema, money = inputs.schema, inputs.schema.money
    choices = [(place, column.name, column.action) for place, column in enumerate(schema.features) if column.action]
    if not money or not choices:
        return [None] * len(probability)
    costs = np.array([money.offer_cost if action.cost is None else action.cost for _, _, action in choices])
    rates = np.array([action.save_rate or money.save_rate for _, _, action in choices])
    shares = shares_of_raise(inputs, contributions)[:, [place for place, _, _ in choices]]
    worth = offer_value(money, probability[:, None], price[:, None], horizon_days=schema.horizon_days, cost=costs, save_rate=rates * shares)
    worth = np.where((shares >= LEAST_SHARE) & np.isfinite(worth), worth, -np.inf)
    best = worth.argmax(axis=1)
    chosen = np.arange(len(best)), best
    actions: list[RecommendedAction | None] = []
    for choice, expected, share in zip(best.tolist(), worth[chosen].tolist(), shares[chosen].tolist(), strict=True):
        _, name, action = choices[choice]
        document: RecommendedAction = {
            "feature": name,
            "title": action.title,
            "cost": float(costs[choice]),
            "expected_value": round(expected, 2),
            "share_of_raise": round(share, 4),
        }
        actions.append(document if expected > 0 else None)
    return actions


def shares_of_raise(inputs: Inputs, contributions: Floats) -> Floats:
    """Each feature's share of the contributions that raise a customer's risk, (n, features): 0 for a feature that does not raise it.

    Half of what a pair raises counts for each of its two features.
    """
    raising = inputs.by_feature(np.maximum(contributions, 0.0))
    total = raising.sum(axis=1, keepdims=True)
    return np.divide(raising, total, out=np.zeros_like(raising), where=total > 0)
