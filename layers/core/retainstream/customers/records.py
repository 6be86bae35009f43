"""One customer: made, changed, taken away, and what became of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from retainstream.customers.judged import judged, judged_anew, moment_of
from retainstream.engine.schema import FeatureSchema, FieldError, checked_features, group_of
from retainstream.predictions.agreement import settle
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict
from retainstream.storage.predictions import Predictions

type Customer = dict[str, Any]
type Prediction = dict[str, Any]


class UnknownCustomer(LookupError):
    """There is no customer of that id."""


class UnacceptableFeatures(ValueError):
    """Features that the schema does not accept; `errors` name each as features.<column>."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("unacceptable features")
        self.errors = tuple(errors)


@dataclass(frozen=True)
class Profile:
    """A customer and its latest prediction."""

    customer: Customer
    prediction: Prediction | None


def profile(customer_id: str, customers: Customers, predictions: Predictions) -> Profile:
    """A customer with the latest prediction.

    Raises:
        UnknownCustomer: there is none of that id.
    """
    customer = customers.get(customer_id, consistent=True)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return Profile(customer, predictions.get(customer_id, consistent=True))


def put(customer_id: str, given: Mapping[str, Any], schema: FeatureSchema, customers: Customers, predictions: Predictions) -> Profile:
    """Makes a customer or replaces its features. What is known of its outcome stays, and so does its prediction.

    Raises:
        UnacceptableFeatures: the schema does not accept them; nothing is written.
    """
    features, errors = checked_features(schema, given)
    if errors:
        raise UnacceptableFeatures([FieldError(f"features.{error.field}", error.detail) for error in errors])
    customer = customers.replace_features(customer_id, group_of(schema, features), features, "api")
    _, prediction = settle(customer_id, customers, predictions)
    return Profile(customer, prediction)


def delete(customer_id: str, customers: Customers, predictions: Predictions) -> tuple[bool, bool]:
    """Removes a customer and its prediction, or what an interrupted removal left of them. Returns whether there were any."""
    return customers.delete(customer_id), predictions.delete(customer_id)


def record_outcome(
    customer_id: str, *, churned: bool, day: str | None, horizon_days: int, customers: Customers, predictions: Predictions
) -> Profile:
    """Records whether a customer left, on which day (ISO date; this moment when None), with the prediction that this judges, if any.

    The same outcome again changes nothing, but finishes what an interrupted recording left undone; that a customer stayed, said again when
    the horizon of a newer prediction has run out, judges that one. An outcome may be corrected: a customer who has not left after all
    counts among those at risk again.

    Raises:
        UnknownCustomer: there is none of that id.
    """
    found = profile(customer_id, customers, predictions)
    known = found.customer.get("churned")
    moment = moment_of(day) if day else datetime.now(UTC)
    kept = found.customer.get("outcome_prediction") if known is churned else None
    if known is not churned:
        news = judged(found.prediction, horizon_days, churned=churned, moment=moment)
    else:
        news = None if churned else judged_anew(kept, found.prediction, horizon_days, moment=moment)
    if known is not churned or news or (day is not None and day != found.customer.get("outcome_at")):
        outcome_at, snapshot = moment.date().isoformat(), news or kept
        with suppress(Conflict):  # somebody else recorded the same, or removed the customer
            customers.record_outcome(customer_id, churned=churned, outcome_at=outcome_at, prediction=snapshot)
    customer, prediction = settle(customer_id, customers, predictions)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return Profile(customer, prediction)
