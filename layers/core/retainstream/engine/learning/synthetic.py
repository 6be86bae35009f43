"""Generated streaming customers of one moment, with a known true churn probability.

`engine.business` makes a business with a past. The process here is for the default schema too. Each customer has a plan and three hidden
variables: engagement, how settled the customer is, and how unreliable the payment method is. The observed columns depend on them with
noise, are rounded as in a billing system, and a few values are missing. The churn probability is a deterministic function of the *observed*
values alone (`engine.business.truth`), including missing ones. So no model can do better than this function, and the AUC of the true
probabilities is the ceiling. The probability falls with watch time, and rises with days since the last login and with failed payments.
There are interactions: absence and a price above the plan's usual price weigh more with little watch time; failed payments weigh more in
the first months and on the basic plan.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.business.generated_rows import PLAN_SHARE, GeneratedRows
from retainstream.engine.business.truth import USUAL_PRICE, true_probability
from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.records import SYNTHETIC, Customer
from retainstream.engine.schema import default_schema, group_of

type Floats = NDArray[np.float64]


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
class SyntheticBase(GeneratedRows):
    """Customers of one moment with their outcomes and true churn probabilities."""

    probabilities: Floats
    churned: NDArray[np.bool_]


def generate(customers: int, seed: int, drift: Drift | None = None) -> SyntheticBase:
    """Customers of the default schema with their outcomes; equal arguments give equal customers."""
    drift = drift or Drift()
    rng = np.random.default_rng(seed)
    plan = rng.choice(3, size=customers, p=PLAN_SHARE)
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


def as_history(customers: Iterable[Customer]) -> Iterator[ArrivingRow]:
    """The features of customers with a known outcome, as rows of the history of the day that they describe."""
    schema = default_schema()
    price = schema.money.price if schema.money else ""
    for customer in customers:
        if moment := customer.get("features_at"):
            paid = customer["features"].get(price)
            yield {
                "customer_id": customer["customer_id"],
                "anchor": moment[:10],
                "moment": customer["updated_at"],
                "origin": "import",
                "group": customer["group"],
                "price": None if paid is None else float(paid),
                "features": customer["features"],
            }


def as_customers(base: SyntheticBase, known_share: float = 0.7, *, seed: int = 0, now: datetime | None = None) -> Iterator[Customer]:
    """Customer records to store. A random share of them has a known outcome: of the horizon after the day of their features."""
    then = now or datetime.now(UTC)
    moment, before = then.isoformat(timespec="seconds"), then - timedelta(days=default_schema().horizon_days)
    today, anchor = then.date().isoformat(), before.date().isoformat()
    known = np.random.default_rng([seed, len(base)]).random(len(base)) < known_share
    schema = default_schema()
    for customer_id, features, left, outcome_known in zip(base.ids, base.features(), base.churned.tolist(), known.tolist(), strict=True):
        record: Customer = {
            "customer_id": customer_id,
            "group": group_of(schema, features),
            "features": features,
            "updated_at": moment,
            "source": SYNTHETIC,
            "life": {"first_seen_on": today, "observed_until": today},
        }
        if outcome_known:
            record["features_at"] = before.isoformat(timespec="seconds")
            record["life"] = (
                {"first_seen_on": anchor, "observed_until": anchor, "left_on": today, "left_after": anchor}
                if left
                else {"first_seen_on": anchor, "observed_until": today, "stayed_on": today}
            )
        yield record
