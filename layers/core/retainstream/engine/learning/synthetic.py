"""Generated streaming customers with a known true churn probability.

The process, for the default schema. Each customer has a plan and three hidden variables: engagement, how settled the customer is, and how
unreliable the payment method is. The observed columns depend on them with noise, are rounded as in a billing system, and a few values are
missing. The churn probability is a deterministic function of the *observed* values alone (`true_probability`), including missing ones. So
no model can do better than this function, and the AUC of the true probabilities is the ceiling. The probability falls with watch time, and
rises with days since the last login and with failed payments. There are interactions: absence and a price above the plan's usual price
weigh more with little watch time; failed payments weigh more in the first months and on the basic plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.records import SYNTHETIC, Customer, Value
from retainstream.engine.schema import FeatureSchema, default_schema, group_of

type Floats = NDArray[np.float64]

USUAL_PRICE = np.array([7.99, 12.99, 18.99])
_PLAN_SHARE = np.array([0.45, 0.35, 0.20])
_INTERCEPT = -2.75


@dataclass(frozen=True)
class Drift:
    """The difference of a month from the usual one. The churn function stays the same unless `concept` is set.

    engagement: shift of the hidden engagement in its standard deviations; fewer hours, devices and logins when negative.
    price: relative rise of all prices (0.1 is 10%).
    payment_failures: factor on the rate of failed payments.
    missing: factor on the share of missing values.
    concept: log-odds added to the churn of every customer, independent of the features.
    """

    engagement: float = 0.0
    price: float = 0.0
    payment_failures: float = 1.0
    missing: float = 1.0
    concept: float = 0.0


@dataclass(frozen=True)
class SyntheticBase:
    """Customers, column by column. A missing number is NaN; `plan` holds level names."""

    ids: list[str]
    columns: dict[str, NDArray[Any]]
    probabilities: Floats
    churned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def features(self) -> Iterator[dict[str, Value]]:
        """Each customer's features for the schema's validation; missing values are absent."""
        names = list(self.columns)
        for row in zip(*(_plain(name, values) for name, values in self.columns.items()), strict=True):
            yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def generate(customers: int, seed: int, drift: Drift | None = None) -> SyntheticBase:
    """Customers of the default schema with their outcomes; equal arguments give equal customers."""
    drift = drift or Drift()
    rng = np.random.default_rng(seed)
    plan = rng.choice(3, size=customers, p=_PLAN_SHARE)
    engagement = rng.normal(0.15 * (plan - 1) + drift.engagement, 1.0)
    settled = rng.normal(0.0, 1.0, customers)
    unreliable = rng.gamma(0.7, 1.0, customers)

    age = np.clip(np.floor(rng.exponential(np.exp(2.6 + 0.45 * settled))), 0, 180)
    paused = rng.random(customers) < 0.22
    tenure = np.clip(age + np.where(paused, np.floor(1 + rng.exponential(9.0, customers)), 0), 0, 240)
    price = np.round(USUAL_PRICE[plan] * np.exp(rng.normal(0.0, 0.09, customers) - 0.06 * (age > 36)) * (1 + drift.price), 2)

    idle = rng.random(customers) < 1 / (1 + np.exp(3.4 + 1.3 * engagement))
    watch = np.where(idle, 0.0, np.round(np.clip(np.exp(3.05 + 0.75 * engagement + rng.normal(0.0, 0.55, customers)), 0.1, 700), 1))
    devices = np.clip(rng.poisson(np.exp(-0.05 + 0.28 * plan + 0.2 * engagement)) + 1, 0, 12) * ~idle
    login = np.clip(np.floor(rng.exponential(np.exp(1.45 - 0.75 * engagement + 1.2 * idle))), 0, 365)
    failures = np.clip(rng.poisson(0.38 * unreliable * (1.25 - 0.2 * plan) * drift.payment_failures), 0, 20)

    no_telemetry = rng.random(customers) < 0.02 * drift.missing
    watch[no_telemetry | (rng.random(customers) < 0.03 * drift.missing)] = np.nan
    devices = devices.astype(float)
    devices[no_telemetry | (rng.random(customers) < 0.02 * drift.missing)] = np.nan

    levels = np.array(default_schema().column("plan").levels, dtype=object)
    numbers: dict[str, NDArray[Any]] = {
        "watch_time_hours": watch,
        "subscription_age_months": age,
        "device_count": devices,
        "last_login_days": login,
        "payment_failures": failures.astype(float),
        "tenure_months": tenure,
        "monthly_price": price,
    }
    rows = np.column_stack([plan, *numbers.values()]).astype(np.float32)
    probabilities = true_probability(default_schema(), rows, concept=drift.concept)
    churned = rng.random(customers) < probabilities
    return SyntheticBase([f"s{number:07d}" for number in range(customers)], {"plan": levels[plan], **numbers}, probabilities, churned)


def true_probability(schema: FeatureSchema, rows: NDArray[np.float32], concept: float = 0.0) -> Floats:
    """The true churn probability, from rows encoded in the schema's feature order.

    Raises:
        KeyError: the schema does not have a column of the process; see `is_generated_for`.
    """
    at = {column.name: rows[:, place].astype(np.float64) for place, column in enumerate(schema.features)}
    plan = at["plan"].astype(int)
    watch, devices = at["watch_time_hours"], at["device_count"]
    unknown_watch, unknown_devices = np.isnan(watch), np.isnan(devices)

    little_watched = np.where(unknown_watch, 0.9, np.exp(-np.nan_to_num(watch) / 14.0))
    many_watched = np.where(unknown_watch, 0.5, np.log1p(np.nan_to_num(watch)) / np.log1p(60.0))
    absent = np.log1p(at["last_login_days"] / 4.0)
    failures = np.log1p(at["payment_failures"])
    new = np.exp(-at["subscription_age_months"] / 5.0)
    dear = np.maximum(at["monthly_price"] / USUAL_PRICE[plan] - 1.0, -0.2)
    log_odds = (
        _INTERCEPT
        + concept
        - 0.95 * many_watched
        + 0.75 * absent
        + 1.35 * failures
        + 1.3 * new
        - 0.35 * np.log1p(at["tenure_months"] / 12.0)
        - 0.3 * np.where(unknown_devices, 0.7, np.minimum(np.nan_to_num(devices), 4.0) - 1.0)
        + np.array([0.35, 0.0, -0.25])[plan]
        + 2.5 * dear
        + 0.6 * (at["tenure_months"] > at["subscription_age_months"])
        + 0.9 * little_watched * absent
        + 4.0 * little_watched * np.maximum(dear, 0.0)
        + 0.9 * failures * new
        + 0.4 * failures * (plan == 0)
    )
    probabilities: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return probabilities


def is_generated_for(schema: FeatureSchema) -> bool:
    """Whether `true_probability` applies to this schema's features."""
    return [(column.name, column.levels) for column in schema.features] == [(c.name, c.levels) for c in default_schema().features]


def as_customers(base: SyntheticBase, known_share: float = 0.7, *, seed: int = 0, now: datetime | None = None) -> Iterator[Customer]:
    """Customer records to store. A random share of them has a known outcome."""
    moment = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    known = np.random.default_rng([seed, len(base)]).random(len(base)) < known_share
    schema = default_schema()
    for customer_id, features, left, outcome_known in zip(base.ids, base.features(), base.churned.tolist(), known.tolist(), strict=True):
        record: Customer = {
            "customer_id": customer_id,
            "group": group_of(schema, features),
            "features": features,
            "updated_at": moment,
            "source": SYNTHETIC,
        }
        if outcome_known:
            record["churned"], record["outcome_at"] = left, moment
        yield record


def _plain(name: str, values: NDArray[Any]) -> list[Value | None]:
    column = default_schema().column(name)
    if column.kind == "category":
        return [str(value) for value in values]
    convert: Mapping[str, type[int] | type[float]] = {"integer": int, "number": float}
    as_kind = convert[column.kind]
    return [None if value != value else as_kind(value) for value in values.tolist()]
