"""One customer: creating, changing and deleting it, and recording its outcome."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from retainstream.customers.judged import judged, judged_anew, moment_of
from retainstream.engine.records import Customer, Prediction
from retainstream.engine.schema import FeatureSchema, FieldError, UnacceptableFeatures, checked_features, group_of
from retainstream.predictions.agreement import settle
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict
from retainstream.storage.predictions import Predictions


class UnknownCustomer(LookupError):
    """No customer has that id."""


@dataclass(frozen=True)
class Profile:
    """A customer and its latest prediction."""

    customer: Customer
    prediction: Prediction | None


def profile(customer_id: str, customers: Customers, predictions: Predictions) -> Profile:
    """A customer with the latest prediction.

    Raises:
        UnknownCustomer: no customer has that id.
    """
    customer = customers.get(customer_id, consistent=True)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return Profile(customer, predictions.get(customer_id, consistent=True))


def put(customer_id: str, values: Mapping[str, object], schema: FeatureSchema, customers: Customers, predictions: Predictions) -> Profile:
    """Creates a customer or replaces its features. Its known outcome and its prediction stay.

    Raises:
        UnacceptableFeatures: the schema does not accept the features. Each error is named features.<column>, and nothing is written.
    """
    features, errors = checked_features(schema, values)
    if errors:
        raise UnacceptableFeatures([FieldError(f"features.{error.field}", error.detail) for error in errors])
    customer = customers.replace_features(customer_id, group_of(schema, features), features, "api")
    _, prediction = settle(customer_id, customers, predictions)
    return Profile(customer, prediction)


def delete(customer_id: str, customers: Customers, predictions: Predictions) -> tuple[bool, bool]:
    """Deletes a customer and its prediction, or what an interrupted deletion left of them. Returns whether each existed."""
    return customers.delete(customer_id), predictions.delete(customer_id)


def record_outcome(
    customer_id: str, *, churned: bool, day: str | None, horizon_days: int, customers: Customers, predictions: Predictions
) -> Profile:
    """Records whether a customer left, on which day (ISO date; default: today), with the prediction that the outcome is compared with.

    Recording the same outcome again changes nothing, but finishes an interrupted recording. An outcome "stayed" that is recorded again
    after the horizon of a newer prediction is compared with that one. An outcome may be corrected: a customer who has not left after all
    is at risk again.

    Raises:
        UnknownCustomer: no customer has that id.
    """
    before = profile(customer_id, customers, predictions)
    known = before.customer.get("churned")
    moment = moment_of(day) if day else datetime.now(UTC)
    kept = before.customer.get("outcome_prediction") if known is churned else None
    if known is not churned:
        news = judged(before.prediction, horizon_days, churned=churned, moment=moment)
    else:
        news = None if churned else judged_anew(kept, before.prediction, horizon_days, moment=moment)
    if known is not churned or news or (day is not None and day != before.customer.get("outcome_at")):
        outcome_at, snapshot = moment.date().isoformat(), news or kept
        with suppress(Conflict):  # another request recorded the same, or deleted the customer
            customers.record_outcome(customer_id, churned=churned, outcome_at=outcome_at, prediction=snapshot)
    customer, prediction = settle(customer_id, customers, predictions)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return Profile(customer, prediction)
