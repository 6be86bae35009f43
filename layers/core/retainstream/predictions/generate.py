"""Predictions on request: of stored customers by id, and of rows of features that belong to no stored customer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from retainstream.engine.lives import day_number
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.predictions import predictions, scores
from retainstream.engine.records import Customer, Features, Prediction, PreviousPrediction, Score
from retainstream.engine.schema import FeatureSchema, FieldError, UnacceptableFeatures, checked_features
from retainstream.predictions.agreement import Known, settle_written
from retainstream.storage.customers import Customers
from retainstream.storage.pace import UNLIMITED, Pace
from retainstream.storage.predictions import Predictions


class UnknownCustomers(LookupError):
    """Ids that are not customers. `places` names their places in the request, such as "customer_ids.3"."""

    def __init__(self, places: Sequence[str]) -> None:
        super().__init__("unknown customers")
        self.places = tuple(places)


def now() -> str:
    """This moment in the form that predictions have: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def score_customers(
    model: ScoringModel, customers: Customers, stored: Predictions, customer_ids: Sequence[str], *, run_id: str
) -> list[Prediction]:
    """Scores customers as they are now, stores their predictions, and returns them in the order of the ids. A repeated id counts once.

    Raises:
        UnknownCustomers: some ids are not customers. Then nothing is scored or stored.
    """
    known = customers.get_many(customer_ids)
    missing = [f"customer_ids.{place}" for place, customer_id in enumerate(customer_ids) if customer_id not in known]
    if missing:
        raise UnknownCustomers(missing)
    chosen = [known[customer_id] for customer_id in dict.fromkeys(customer_ids)]
    return score_and_store(model, chosen, customers, stored, run_id=run_id)


def today() -> int:
    """This day in UTC, in days since 1970-01-01: the one that features of a request describe."""
    return day_number(now())


def known_customer(customers: Customers, customer_id: str) -> Customer:
    """A stored customer.

    Raises:
        UnknownCustomers: the customer does not exist.
    """
    customer = customers.get(customer_id)
    if customer is None:
        raise UnknownCustomers(["customer_id"])
    return customer


def score_and_store(
    model: ScoringModel,
    chosen: Sequence[Customer],
    customers: Customers,
    stored: Predictions,
    *,
    run_id: str,
    look_again: Callable[[], Known] = dict,
    pace: Pace = UNLIMITED,
) -> list[Prediction]:
    """Scores a block of customers without repeats, stores the predictions, and returns them in order.

    A stored prediction by another model that was chosen later than this one stays. Afterwards the customers are read again, for those who
    left or were removed meanwhile: by `look_again`, where the caller has a cheaper way than one read each, then the rest one by one.
    """
    previous = stored.earlier(customer["customer_id"] for customer in chosen)
    made = predictions(model, chosen, previous, run_id=run_id, scored_at=now())
    due = [prediction for prediction in made if not _superseded(model, previous.get(prediction["customer_id"]))]
    stored.put_many(due, pace)
    settle_written({prediction["customer_id"]: prediction["churned"] for prediction in due}, customers, stored, look_again())
    return made


def _superseded(model: ScoringModel, previous: PreviousPrediction | None) -> bool:
    if previous is None or previous["model_version"] == model.version:
        return False
    return previous.get("model_chosen_at", "") > model.chosen_at


def score_rows(model: ScoringModel, rows: Sequence[Mapping[str, object]]) -> list[Score]:
    """Scores rows of features that belong to no stored customer, in order. Nothing is stored.

    Raises:
        UnacceptableFeatures: a row does not fit the model's schema. Errors are named "rows.<row>.<column>", counted from 0.
    """
    errors: list[FieldError] = []
    checked = []
    for place, row in enumerate(rows):
        features, wrong = checked_features(model.schema, row)
        errors += [FieldError(f"rows.{place}.{error.field}", error.detail) for error in wrong]
        checked.append(features)
    if errors:
        raise UnacceptableFeatures(errors)
    return scores(model, checked, [today()] * len(checked))


def acceptable(schema: FeatureSchema, values: Mapping[str, object], place: str) -> Features:
    """One customer's features in the form of the schema.

    Raises:
        UnacceptableFeatures: errors are named "<place>.<column>".
    """
    features, errors = checked_features(schema, values)
    if errors:
        raise UnacceptableFeatures([FieldError(f"{place}.{error.field}", error.detail) for error in errors])
    return features
