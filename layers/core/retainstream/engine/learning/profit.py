"""Profit of an offer to every customer above a probability, by the schema's money."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats

_STEPS = 50


class ProfitPoint(TypedDict):
    """The offers at or above a threshold, and their profit per customer."""

    threshold: float
    offers: int
    profit: float


class ProfitCurve(TypedDict):
    """Profit by threshold. marked: name → the point of a marked threshold."""

    currency: str
    best_threshold: float
    best_profit: float
    points: list[ProfitPoint]
    marked: dict[str, ProfitPoint]


def profit_curve(test: DataSet, probabilities: Floats, marked: Mapping[str, float] | None = None) -> ProfitCurve | None:
    """Profit per customer at 51 thresholds from 0 to 1, the threshold of the highest profit, and the profit at `marked` thresholds.

    An offer to a customer who would leave keeps save_rate × price × months on average; every offer costs offer_cost. None if the schema
    has no money, or no customer has a price.
    """
    money = test.schema.money
    priced = ~np.isnan(test.prices)
    if money is None or not priced.any():
        return None
    worth = money.save_rate * np.nan_to_num(test.prices) * money.months * test.churned - money.offer_cost
    order = np.argsort(-probabilities, kind="stable")
    running = np.concatenate([[0.0], np.cumsum((worth * priced)[order])])

    def point(threshold: float) -> ProfitPoint:
        offers = int(np.searchsorted(-probabilities[order], -threshold, side="right"))
        return {"threshold": threshold, "offers": offers, "profit": round(float(running[offers]) / len(probabilities), 4)}

    points = [point(step / _STEPS) for step in range(_STEPS + 1)]
    best = max(points, key=lambda candidate: candidate["profit"])
    return {
        "currency": money.currency,
        "best_threshold": best["threshold"],
        "best_profit": best["profit"],
        "points": points,
        "marked": {name: point(threshold) for name, threshold in (marked or {}).items()},
    }
