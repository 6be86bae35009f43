"""The threshold of a candidate: where offers pay, where the team's capacity ends, or a multiple of the base rate."""

from dataclasses import dataclass

import numpy as np

from retainstream.engine.model.calibration import Floats, log_odds, sigmoid
from retainstream.engine.model.levels import LevelBounds, bounds_for, twice
from retainstream.engine.model.money import offer_value
from retainstream.engine.model.threshold_rule import MoneyTerms, Rule, ThresholdRule, ThresholdTerms
from retainstream.engine.schema import FeatureSchema, Money

_LEAST_THRESHOLD, _MOST_THRESHOLD = 0.01, 0.95
_LEAST_BASE_RATE, _MOST_BASE_RATE = 1e-4, 0.95
_MULTIPLE = 2.0
_GRID = np.linspace(_LEAST_THRESHOLD, _MOST_THRESHOLD, 189)
_GRID_WEIGHT = 1e-9
"""Of a point of the grid beside a row: the grid decides only where no rows are."""


@dataclass(frozen=True)
class Champion:
    """The threshold of the version in service, and how it was chosen."""

    threshold: float
    rule: ThresholdRule


@dataclass(frozen=True)
class Team:
    """What a threshold follows besides the rows.

    capacity: customers that the team can call after a scoring; 0 where that is not stated. customers: of a scoring.
    champion: the version in service, from which the threshold moves slowly; None without one, and for versions without a rule.
    """

    capacity: int = 0
    customers: int = 0
    champion: Champion | None = None


NO_TEAM = Team()
"""Neither a capacity nor a champion is known."""


@dataclass(frozen=True)
class Threshold:
    """The bounds of the levels, of which `high` is the threshold, and how it was chosen."""

    levels: LevelBounds
    rule: ThresholdRule


def threshold_for(schema: FeatureSchema, probabilities: Floats, prices: Floats, team: Team) -> Threshold:
    """The threshold by the rows behind a calibration.

    With money in the schema, the one with the highest expected profit; with a capacity, the probability of the last customer whom the team
    can call; with both, the higher one. With neither, and where no offer pays at any probability, twice the base rate. Outcomes play no
    part in it, so chance does not move it as it moves the best F1. A champion's threshold on the same terms is left by half of the way, in
    log-odds.

    Args:
        probabilities: float64 (n,), calibrated, of models that were not fitted to the rows.
        prices: float64 (n,), a month; NaN where not known.
    """
    base_rate = float(np.clip(probabilities.mean(), _LEAST_BASE_RATE, _MOST_BASE_RATE))
    terms: ThresholdTerms = {"money": _money_terms(schema), "capacity": team.capacity, "multiple": _MULTIPLE}
    found: dict[Rule, float] = {}
    if schema.money and (pays := where_offers_pay(schema.money, probabilities, prices, horizon_days=schema.horizon_days)):
        found["money"] = pays
    if team.capacity:
        found["capacity"] = where_capacity_ends(probabilities, team.capacity / max(team.customers, team.capacity))
    by: Rule = max(found, key=lambda rule: found[rule]) if found else "base_rate"
    undamped = float(np.clip(found.get(by, twice(base_rate)), _LEAST_THRESHOLD, _MOST_THRESHOLD))
    champion = team.champion if team.champion and all(team.champion.rule.get(name) == term for name, term in terms.items()) else None
    threshold = _half_way(champion.threshold, undamped) if champion else undamped
    return Threshold(
        bounds_for(threshold, base_rate),
        {
            **terms,
            "by": by,
            "base_rate": round(base_rate, 6),
            "customers": team.customers,
            "undamped": round(undamped, 6),
            "damped_from": champion.threshold if champion else None,
        },
    )


def where_offers_pay(money: Money, probabilities: Floats, prices: Floats, *, horizon_days: int) -> float | None:
    """The threshold with the highest expected profit of offers to everybody at or above it. None where no offer pays.

    The value of an offer is linear in the price, so its expectation at a probability is its value at the expected price there. That price
    is taken as linear in the log-odds, by least squares over the priced rows: single prices would make the threshold jump.
    """
    priced = np.isfinite(prices)
    if not priced.any():
        return None
    chances, paid = probabilities[priced], prices[priced]
    points = np.concatenate([chances, _GRID])
    weights = np.concatenate([np.ones(len(chances)), np.full(len(_GRID), _GRID_WEIGHT)])
    order = np.argsort(-points, kind="stable")
    worth = offer_value(money, points, _expected_prices(chances, paid, points), horizon_days=horizon_days)
    profits = np.cumsum((weights * worth)[order])
    last = len(profits) - 1 - int(profits[::-1].argmax())
    return float(points[order][last]) if profits[last] > 0 else None


def where_capacity_ends(probabilities: Floats, share: float) -> float:
    """The probability of the last customer, highest first, when this share of the customers is called."""
    return float(np.quantile(probabilities, 1 - share, method="higher"))


def _expected_prices(chances: Floats, paid: Floats, at: Floats) -> Floats:
    """The expected price at some probabilities, within the range of the prices."""
    odds = log_odds(chances)
    spread = odds - odds.mean()
    variance = float(spread @ spread)
    slope = float(spread @ paid) / variance if variance > 0 else 0.0
    return np.clip(paid.mean() + slope * (log_odds(at) - odds.mean()), paid.min(), paid.max())


def _half_way(before: float, now: float) -> float:
    return float(sigmoid(np.array([log_odds(np.array([before, now])).mean()]))[0])


def _money_terms(schema: FeatureSchema) -> MoneyTerms | None:
    money = schema.money
    if money is None:
        return None
    return {
        "price": money.price,
        "currency": money.currency,
        "months": money.months,
        "margin": money.margin,
        "save_rate": money.save_rate,
        "offer_cost": money.offer_cost,
        "contact_cost": money.contact_cost,
        "horizon_days": schema.horizon_days,
    }
