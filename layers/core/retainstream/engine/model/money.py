"""Money: the months that a saved customer stays, the expected value of an offer, and value at risk."""

import numpy as np

from retainstream.engine.model.calibration import Floats
from retainstream.engine.schema import Money

DAYS_A_MONTH = 30.4375


def months_kept(probability: Floats, months: float, horizon_days: int) -> Floats:
    """Expected months of revenue, of the next `months`, from a saved customer who has the same probability in every later horizon.

    With h = horizon_days / 30.4375 months in a horizon and n = months / h horizons, this is the sum of h·(1 − p)^k over k from 0
    to n − 1: h·(1 − (1 − p)^n) / p, also where n is not a whole number, and n·h where p = 0. Never above `months`.
    """
    horizon = horizon_days / DAYS_A_MONTH
    chance = np.asarray(probability, dtype=np.float64)
    with np.errstate(divide="ignore"):
        leaves = -np.expm1(months / horizon * np.log1p(-chance))  # 1 − (1 − p)^n, exact for small p
    kept = horizon * np.divide(leaves, chance, out=np.full_like(chance, months / horizon), where=chance > 0)
    return np.minimum(kept, months)


def saved_value(money: Money, probability: Floats, price: Floats, *, horizon_days: int) -> Floats:
    """The margin that a saved customer brings, in the schema's currency: price × margin × `months_kept`. NaN where the price is NaN.

    A negative price, such as a credit note, counts as 0: nothing is lost with the customer, and nothing is won.
    """
    value: Floats = np.maximum(price, 0.0) * money.margin * months_kept(probability, money.months, horizon_days)
    return value


def offer_value(
    money: Money,
    probability: Floats,
    price: Floats,
    *,
    horizon_days: int,
    cost: float | Floats | None = None,
    save_rate: float | Floats | None = None,
) -> Floats:
    """Expected net value of an offer to each customer, in the schema's currency: p·γ·(V − d) − (1 − p)·d − f, by Verbraken, Verbeke
    and Baesens, IEEE Transactions on Knowledge and Data Engineering 25 (2013).

    V is `saved_value` and γ the save rate. d is the cost of the offer for those who take it, which are all customers who would have
    stayed, and the saved ones. f is the cost of contacting a customer, for all. `cost` and `save_rate` are those of an action, in
    place of the schema's. All arrays broadcast. NaN where the price is NaN.
    """
    incentive, rate = money.offer_cost if cost is None else cost, money.save_rate if save_rate is None else save_rate
    saved = saved_value(money, probability, price, horizon_days=horizon_days) - incentive
    value: Floats = probability * rate * saved - (1 - probability) * incentive - money.contact_cost
    return value


def value_at_risk(money: Money, probability: Floats, price: Floats, *, horizon_days: int) -> Floats:
    """Expected loss in the schema's currency: p × `saved_value`. Zero where the price is NaN."""
    return np.nan_to_num(probability * saved_value(money, probability, price, horizon_days=horizon_days))
