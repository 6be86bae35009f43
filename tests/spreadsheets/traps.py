"""Tables with traps whose truth is known, in the shapes of public churn tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.made_tables import Columns

LABEL = "left"
GAPS = [  # of so many customers without a value so many left, beside so large a churn rate of the others
    (100, 100, 0.80),
    (60, 0, 0.20),
    (100, 0, 0.20),
    (30, 30, 0.20),
    (300, 0, 0.05),
    (25, 25, 0.50),
    (186, 186, 0.808),
]


def spelled(left: NDArray[np.bool_]) -> list[str]:
    """The outcomes as a spreadsheet has them."""
    return ["yes" if each else "no" for each in left]


def with_gap(gap: tuple[int, int, float], *, numbers: bool, seed: int = 0, rows: int = 3000) -> Columns:
    """Customers of whom some have no last fee, as words or as numbers; the other columns say nothing of the outcome."""
    missing, gone, rate = gap
    rng = np.random.default_rng(seed)
    left = np.concatenate([np.arange(missing) < gone, rng.random(rows - missing) < rate])
    fee = [str(value) for value in (rng.integers(5, 90, rows) if numbers else rng.choice(["x", "y", "z"], rows))]
    fee[:missing] = [""] * missing
    order = rng.permutation(rows)
    columns: dict[str, list[Any]] = {
        "id": [f"G{number:05d}" for number in range(rows)],
        "plan": rng.choice(["A", "B", "C"], rows).tolist(),
        "tenure": rng.integers(1, 60, rows).tolist(),
        "last_fee": [fee[place] for place in order],
        LABEL: spelled(left[order]),
    }
    return {name: [str(value) for value in values] for name, values in columns.items()}


def without_internet(rows: int = 3000, *, extra_gaps: float = 0.0, seed: int = 0) -> Columns:
    """Customers of a telephone company: those without internet stay more often, and have nothing to fill in about it."""
    rng = np.random.default_rng(seed)
    internet = rng.choice(["DSL", "Fiber", "No"], rows, p=[0.4, 0.4, 0.2])
    left = rng.random(rows) < np.where(internet == "No", 0.05, np.where(internet == "Fiber", 0.4, 0.2))
    orders = rng.poisson(2.0, rows)
    gone = (internet == "No") | (rng.random(rows) < extra_gaps)
    return {
        "id": [f"T{number:05d}" for number in range(rows)],
        "internet": internet.tolist(),
        "orders": [str(value) for value in orders],
        "backup": ["" if none else value for none, value in zip(gone, rng.choice(["yes", "no"], rows), strict=True)],
        "gigabytes": ["" if none else f"{value:.1f}" for none, value in zip(gone, rng.exponential(20, rows), strict=True)],
        LABEL: spelled(left),
    }


def few_purchases(seed: int, *, rows: int = 0) -> list[NDArray[Any]]:
    """Customers of a shop with few prices, most of them with a single purchase.

    Orders, days since the first and since the last order, days between them, total, mean, and who left; one value per customer.
    """
    rng = np.random.default_rng(seed)
    count = rows or int(rng.integers(800, 12_000))
    prices = np.array([9.99, 12.99, 14.99, 19.99, 24.5, 29, 35, 39.9, 49, 59, 79, 99])[: int(rng.integers(3, 13))]
    orders = np.where(rng.random(count) < 0.6, 1, 2 + rng.poisson(2, count))
    first = rng.integers(0, int(rng.choice([30, 90, 365])), count)
    last = np.where(orders == 1, first, (first * rng.random(count)).astype(int))
    total = np.array([rng.choice(prices, bought).sum() for bought in orders]).round(2)
    left = rng.random(count) < 1 / (1 + np.exp(1.2 + 0.3 * orders - 0.01 * last))
    return [orders, first, last, first - last, total, (total / orders).round(2), left]


def phone_customers(rng: np.random.Generator, *, rows: int, states: int) -> list[NDArray[Any]]:
    """Customers by their calls, with skewed measures that depend on each other; each is there in several states of its age and failures.

    Failures, complaint, months, charge, seconds and number of calls, messages, numbers called, age, value, who left; one value per row.
    """
    count = rows // states
    calls = np.where(rng.random(count) < 0.05, 0, np.exp(rng.normal(3.2, 1.2, count)).astype(int))
    seconds = (calls * rng.gamma(4, 16, count)).astype(int)
    messages = np.where(rng.random(count) < 0.4, 0, np.exp(rng.normal(3, 1.3, count)).astype(int))
    called = np.minimum(calls, (calls**0.8 + rng.normal(0, 2, count)).clip(0).astype(int))
    complaint = rng.random(count) < 0.08
    left = rng.random(count) < 1 / (1 + np.exp(0.3 + 0.06 * calls + 0.02 * messages - 3 * complaint - 1.5 * (calls < 8)))
    months, charge = rng.integers(3, 45, count), rng.choice(5, count, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    columns = [complaint, months, charge, seconds, calls, messages, called, np.round(0.04 * seconds + 4.0 * messages, 2), left]
    state = [np.repeat(column, states) for column in columns]
    return [rng.poisson(8, count * states), rng.integers(18, 75, count * states), *state]


def with_sums(seed: int = 0, *, rows: int = 3000, columns: int = 20, leak: bool = True) -> Columns:
    """Customers with amounts of money, three of which give the outcome: invoiced − fees − usage is 1 for those who left, otherwise 0."""
    rng = np.random.default_rng(seed)
    left = rng.random(rows) < 0.2
    table = {"id": [f"S{number:06d}" for number in range(rows)]}
    for place in range(columns - 3):
        table[f"amount_{place}"] = [f"{value:.2f}" for value in np.exp(rng.normal(3, 1, rows) + 0.2 * left * (place == 0))]
    fees, usage = rng.gamma(2, 50, rows).round(2), rng.gamma(2, 30, rows).round(2)
    table["invoiced"] = [f"{value:.2f}" for value in fees + usage + (left if leak else rng.random(rows) < 0.2)]
    table["fees"] = [f"{value:.2f}" for value in fees]
    table["usage"] = [f"{value:.2f}" for value in usage]
    table[LABEL] = spelled(left)
    return table


def with_costs(name: str, of_left: float, of_stayed: float, seed: int = 0, rows: int = 3000) -> Columns:
    """Customers with an amount that is 0 for most: a share of those who left has one, and a share of those who stayed."""
    rng = np.random.default_rng(seed)
    left = rng.random(rows) < 0.2
    has = rng.random(rows) < np.where(left, of_left, of_stayed)
    return {
        "id": [f"R{number:06d}" for number in range(rows)],
        "tenure": [str(value) for value in rng.integers(1, 60, rows)],
        "spend": [f"{value:.2f}" for value in np.exp(rng.normal(3, 1, rows))],
        name: [f"{value:.2f}" if there else "0" for there, value in zip(has, rng.gamma(2, 20, rows), strict=True)],
        LABEL: spelled(left),
    }


def as_columns(columns: list[NDArray[Any]], names: list[str]) -> Columns:
    """A table of these columns, the last one the outcome, with an id."""
    table = {name: [str(value) for value in column] for name, column in zip(names, columns[:-1], strict=True)}
    return {"id": [f"K{number:05d}" for number in range(len(columns[-1]))], **table, LABEL: spelled(columns[-1].astype(bool))}


PHONE = ["Call Failure", "Age", "Complains", "Subscription Length", "Charge", "Seconds of Use", "Frequency of use", "Frequency of SMS"]
PHONE += ["Distinct Called Numbers", "Customer Value"]
