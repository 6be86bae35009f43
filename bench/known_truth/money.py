"""Money beside the truth: the months that saved customers stay, recommended actions, and the profit of the best threshold."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from bench.made_models import SHALLOW, Shape, made
from retainstream.engine.learning.profit import best_threshold, cross_fitted, terms
from retainstream.engine.model.actions import best_actions, shares_of_raise
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.model.money import DAYS_A_MONTH, months_kept, offer_value
from retainstream.engine.schema import Column, FeatureSchema, Money

type Floats = NDArray[np.float64]
type Places = NDArray[np.intp]

MONTHS, HORIZON_DAYS = 12.0, 30
CUSTOMERS, SCORED, LIVES, TESTS = 200_000, 20_000, 200, 4_000
MONEY = Money(price="fee", offer_cost=5, save_rate=0.3)
COSTS = {"watch_time_hours": 0.5, "device_count": 1.0, "last_login_days": 1.0, "payment_failures": 3.0, "monthly_price": 9.0}
"""Costs of the actions, apart from those of the default schema, so that they stay the same here."""
PRICE = "monthly_price"


def months_stayed(probability: float, customers: int, seed: int) -> float:
    """Mean months of revenue within 12, of customers who are saved once and then leave with the same probability in each horizon."""
    rng = np.random.default_rng(seed)
    return float(_months(rng, np.full(customers, probability)).mean())


def months_counted_before(probability: Floats) -> Floats:
    """What the earlier version did: every saved customer was counted for all 12 months."""
    return np.full_like(probability, MONTHS)


@dataclass(frozen=True)
class Scored:
    """Customers of the synthetic process as a model scores them; contributions (n, features), points of probability likewise."""

    schema: FeatureSchema
    money: Money
    probability: Floats
    price: Floats
    contributions: Floats
    points: Floats


@dataclass(frozen=True)
class Actions:
    """The actions of some customers: the places of the customers, of their actions' columns, and the expected values shown."""

    customers: Places
    columns: Places
    values: Floats


def scored(customers: int, shape: Shape = SHALLOW) -> Scored:
    """Customers that the model has not learned."""
    model = made(shape)
    schema = FeatureSchema.model_validate(model.schema.model_dump() | {"columns": list(map(_with_cost, model.schema.columns))})
    rows = model.rows(customers)
    explained = model.scoring().explain(rows)
    money = Money(price=PRICE, offer_cost=4, save_rate=0.2)
    price = rows[:, [column.name for column in schema.features].index(PRICE)].astype(np.float64)
    points = 100 * explained.contributions * explained.slope[:, None]
    return Scored(schema.model_copy(update={"money": money}), money, explained.probability, price, explained.contributions, points)


def _with_cost(column: Column) -> Column:
    action = column.action and column.action.model_copy(update={"cost": COSTS[column.name]})
    return column.model_copy(update={"action": action})


def actions_now(here: Scored) -> Actions:
    """The recommended actions."""
    names = [column.name for column in here.schema.features]
    chosen = best_actions(Inputs(here.schema), here.contributions, here.probability, here.price)
    taken = [(place, names.index(action["feature"]), action["expected_value"]) for place, action in enumerate(chosen) if action]
    customers, columns, values = zip(*taken, strict=True)
    return Actions(np.array(customers), np.array(columns), np.array(values))


def actions_before(here: Scored) -> Actions:
    """What the earlier version did: any column with a positive contribution counted in full, for 12 months, at one cost."""
    columns, costs, rates = _choices(here)
    worth = np.outer(here.probability * here.price * MONTHS, rates) - costs
    worth = np.where(here.contributions[:, columns] > 0, worth, -np.inf)
    best = worth.argmax(axis=1)
    customers = np.flatnonzero(worth.max(axis=1) > 0)
    return Actions(customers, columns[best[customers]], worth[customers, best[customers]])


def share_under(here: Scored, actions: Actions, points: float) -> float:
    """Share of the actions whose column adds less than `points` percentage points to the probability."""
    return float((here.points[actions.customers, actions.columns] < points).mean())


def share_strongest(here: Scored, actions: Actions) -> float:
    """Share of the actions whose column raises the risk most, of the columns with an action."""
    columns = _choices(here)[0]
    return float((columns[here.contributions[actions.customers][:, columns].argmax(axis=1)] == actions.columns).mean())


def value_earned(here: Scored, actions: Actions, lives: int, seed: int) -> float:
    """Mean value of an action in simulated lives, in the currency.

    A customer leaves with the model's probability, for one column, which is drawn in proportion to the contributions that raise the
    risk. An action keeps its save rate of those who would leave for its column. Customers who would have stayed take it as well.
    """
    rng = np.random.default_rng(seed)
    columns, costs, rates = _choices(here)
    which = np.searchsorted(columns, actions.columns)
    cost, rate = costs[which], rates[which]
    chance = here.probability[actions.customers]
    share = shares_of_raise(Inputs(here.schema), here.contributions)[actions.customers, actions.columns]
    earned = np.zeros(len(chance))
    for _ in range(lives):
        leaves = rng.random(len(chance)) < chance
        saved = leaves & (rng.random(len(chance)) < share) & (rng.random(len(chance)) < rate)
        revenue = here.price[actions.customers] * _months(rng, chance)
        earned += np.where(saved, revenue - cost, 0.0) - np.where(leaves, 0.0, cost)
    return float(earned.mean() / lives) - here.money.contact_cost


class Profits(NamedTuple):
    """Means over simulated test sets of the profit per customer: at the best threshold on the same rows, cross-fitted, and the truth."""

    before: float
    now: float
    truth: float


def profits_of_best(customers: int, tests: int, seed: int) -> Profits:
    """The profit of the best threshold of a calibrated model with 10% churn, reported from test sets of so many customers.

    before: what the earlier version did, chosen and measured on the same rows. truth: the same threshold on everybody.
    """
    rng = np.random.default_rng(seed)
    everybody = rng.beta(0.8, 7.2, 200_000)
    fees = rng.gamma(6, 5, len(everybody))
    expected = offer_value(MONEY, everybody, fees, horizon_days=HORIZON_DAYS)
    profits = []
    for _ in range(tests):
        drawn = rng.integers(0, len(everybody), customers)
        chance = everybody[drawn]
        churned = rng.random(customers) < chance
        gained, spent = terms(MONEY, churned, chance, fees[drawn], horizon_days=HORIZON_DAYS)
        worth = MONEY.save_rate * gained - spent
        best = best_threshold(chance, worth)
        before = float(worth[chance >= best].sum()) / customers
        now = cross_fitted(chance, worth, drawn.astype(np.uint64)) / customers
        profits.append((before, now, float(expected[everybody >= best].sum()) / len(everybody)))
    return Profits(*np.mean(profits, axis=0).tolist())


def _months(rng: np.random.Generator, probability: Floats) -> Floats:
    horizon = HORIZON_DAYS / DAYS_A_MONTH
    months: Floats = np.minimum(horizon * rng.geometric(probability), MONTHS)
    return months


def _choices(here: Scored) -> tuple[Places, Floats, Floats]:
    """The places of the columns with an action, and their costs and save rates."""
    choices = [(place, column.action) for place, column in enumerate(here.schema.features) if column.action]
    costs = [here.money.offer_cost if action.cost is None else action.cost for _, action in choices]
    rates = [action.save_rate or here.money.save_rate for _, action in choices]
    return np.array([place for place, _ in choices]), np.array(costs), np.array(rates)


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of money."""
    return [
        *_rows_of_months(repetitions or CUSTOMERS),
        *_rows_of_actions(repetitions or SCORED),
        *_rows_of_profit(repetitions or TESTS),
    ]


def _rows_of_months(customers: int) -> list[Row]:
    return [
        Row(
            f"months of revenue from a saved customer, of 12, at {chance:.0%} in 30 days",
            f"{float(months_counted_before(np.array([chance]))[0]):.1f}",
            f"{float(months_kept(np.array([chance]), MONTHS, HORIZON_DAYS)[0]):.1f}",
            f"{months_stayed(chance, customers, seed):.1f}",
            customers,
            "geometric sum, engine/model/money.py",
        )
        for seed, chance in enumerate((0.05, 0.1, 0.3, 0.5))
    ]


def _rows_of_actions(customers: int) -> list[Row]:
    here = scored(customers)
    before, now = actions_before(here), actions_now(here)
    earned = [value_earned(here, actions, LIVES, seed=1) for actions in (before, now)]
    source = "engine/model/actions.py"
    return [
        Row(
            "recommended actions for a column worth under 3 points",
            f"{share_under(here, before, 3):.1%}",
            f"{share_under(here, now, 3):.1%}",
            "0%",
            customers,
            source,
        ),
        Row(
            "recommended actions for the strongest column with an action",
            f"{share_strongest(here, before):.0%}",
            f"{share_strongest(here, now):.0%}",
            "100%",
            customers,
            source,
        ),
        Row(
            "expected value of an action, and what it earns in simulated lives",
            f"${before.values.mean():.2f}, earns {_dollars(earned[0])}",
            f"${now.values.mean():.2f}, earns {_dollars(earned[1])}",
            "equal",
            customers * LIVES,
            "Verbraken, Verbeke and Baesens 2013",
        ),
    ]


def _rows_of_profit(tests: int) -> list[Row]:
    listed = []
    for customers in (200, 1_000, 5_000):
        profits = profits_of_best(customers, tests, seed=customers)
        listed.append(
            Row(
                f"profit per customer at the best threshold, from {customers:,} test customers, 10% churn",
                _dollars(profits.before),
                _dollars(profits.now),
                _dollars(profits.truth),
                tests,
                "cross-fitting, engine/learning/profit.py",
            )
        )
    return listed


def _dollars(amount: float) -> str:
    return f"{'−' if amount < 0 else ''}${abs(amount):.2f}"
