"""Profit of an offer to every customer above a probability, by the schema's money."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from retainstream.engine.learning.dataset import DataSet, Keys
from retainstream.engine.learning.emp import ExpectedMaximum, expected_maximum_profit
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.split import folds
from retainstream.engine.model.money import saved_value
from retainstream.engine.schema import Money

_STEPS = 50
_THRESHOLDS = np.arange(_STEPS + 1) / _STEPS
_FOLDS = 5


class ProfitPoint(TypedDict):
    """The offers at or above a threshold, and their profit per customer."""

    threshold: float
    offers: int
    profit: float


class ProfitCurve(TypedDict):
    """Profit by threshold. best: the threshold of the highest profit, with the profit of thresholds chosen on other customers.

    marked: name → the point of a marked threshold.
    """

    currency: str
    best: ProfitPoint
    points: list[ProfitPoint]
    marked: dict[str, ProfitPoint]
    expected_maximum: ExpectedMaximum


def profit_curve(test: DataSet, probabilities: Floats, marked: Mapping[str, float] | None = None) -> ProfitCurve | None:
    """Profit per customer at 51 thresholds from 0 to 1, at `marked` thresholds, and the expected maximum profit.

    An offer is worth what it is in `engine.model.money.offer_value`, with the outcome in place of the probability: γ·(V − d) − f for a
    customer who left, −d − f for one who stayed, 0 without a price. The best threshold is chosen on all test rows. Its profit would be
    too high on the same rows, so it is measured with five folds by customer: on each fold at the threshold that is best on the others.
    None if the schema has no money, or no customer has a price.
    """
    money = test.schema.money
    if money is None or np.isnan(test.prices).all():
        return None
    gained, spent = terms(money, test.churned, probabilities, test.prices, horizon_days=test.schema.horizon_days)
    worth = money.save_rate * gained - spent

    def point(threshold: float, profit: float | None = None) -> ProfitPoint:
        offered = probabilities >= threshold
        value = float(worth[offered].sum()) / len(worth) if profit is None else profit
        return {"threshold": threshold, "offers": int(offered.sum()), "profit": round(value, 4)}

    best = best_threshold(probabilities, worth)
    return {
        "currency": money.currency,
        "best": point(best, cross_fitted(probabilities, worth, test.keys) / len(worth)),
        "points": [point(float(threshold)) for threshold in _THRESHOLDS],
        "marked": {name: point(threshold) for name, threshold in (marked or {}).items()},
        "expected_maximum": expected_maximum_profit(probabilities, gained, spent, money.save_rate),
    }


def terms(money: Money, churned: Outcomes, probabilities: Floats, prices: Floats, *, horizon_days: int) -> tuple[Floats, Floats]:
    """What an offer to each customer gains for each unit of the save rate, and what it costs whatever the save rate is; both (n,)."""
    value = saved_value(money, probabilities, prices, horizon_days=horizon_days)
    gained = np.where(churned, np.nan_to_num(value - money.offer_cost), 0.0)
    spent = np.where(churned, 0.0, money.offer_cost) + money.contact_cost
    return gained, np.where(np.isnan(prices), 0.0, spent)


def best_threshold(probabilities: Floats, worth: Floats) -> float:
    """The threshold of the highest profit, of 51 from 0 to 1; the highest of equal ones. worth: the value of an offer to each customer."""
    return float(_THRESHOLDS[_best(_profits(probabilities, worth))])


def cross_fitted(probabilities: Floats, worth: Floats, keys: Keys) -> float:
    """The summed profit of five folds by customer, each at the threshold that is best on the other folds.

    The folds do not have equal numbers of churners: equal churn in the rows of the choice and of the profit would flatter it.
    """
    folds_of = folds(keys, np.zeros(len(keys), dtype=bool), _FOLDS)
    profits = np.array([_profits(probabilities[folds_of == fold], worth[folds_of == fold]) for fold in np.unique(folds_of)])
    others = profits.sum(axis=0) - profits
    return float(sum(profit[_best(rest)] for profit, rest in zip(profits, others, strict=True)))


def _profits(probabilities: Floats, worth: Floats) -> Floats:
    """The summed worth of the customers at or above each threshold."""
    reached = np.searchsorted(_THRESHOLDS, probabilities, side="right") - 1
    profits: Floats = np.bincount(reached, worth, minlength=len(_THRESHOLDS))[::-1].cumsum()[::-1]
    return profits


def _best(profits: Floats) -> int:
    return int(len(profits) - 1 - profits[::-1].argmax())
