"""What it would have earned to make an offer to everyone above a probability, from the schema's money."""

from typing import Any

import numpy as np

from retainstream.training.dataset import DataSet
from retainstream.training.metrics import Floats

_STEPS = 50


def profit_curve(test: DataSet, probabilities: Floats) -> dict[str, Any] | None:
    """Profit per customer at 51 thresholds from 0 to 1, and the threshold of the highest.

    An offer to a customer who would leave keeps save_rate × price × months on average; every offer costs offer_cost. None where the
    schema has no money, or no customer a price.
    """
    money = test.schema.money
    priced = ~np.isnan(test.prices)
    if money is None or not priced.any():
        return None
    worth = money.save_rate * np.nan_to_num(test.prices) * money.months * test.churned - money.offer_cost
    order = np.argsort(-probabilities, kind="stable")
    running = np.concatenate([[0.0], np.cumsum((worth * priced)[order])])
    thresholds = np.arange(_STEPS + 1) / _STEPS
    offers = np.searchsorted(-probabilities[order], -thresholds, side="right")
    profits = running[offers] / len(probabilities)
    best = int(np.argmax(profits))
    points = [
        {"threshold": float(threshold), "offers": int(offered), "profit": round(float(profit), 4)}
        for threshold, offered, profit in zip(thresholds, offers, profits, strict=True)
    ]
    return {
        "currency": money.currency,
        "best_threshold": points[best]["threshold"],
        "best_profit": points[best]["profit"],
        "points": points,
    }
