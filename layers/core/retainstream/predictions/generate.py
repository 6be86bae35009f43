"""Predictions on demand: of customers by id, and of rows that belong to nobody."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.predictions import predictions, scores
from retainstream.engine.records import Customer, Prediction, PreviousPrediction, Score
from retainstream.engine.schema import FeatureSchema, FieldError, checked_features
from retainstream.predictions.agreement import Known, settle_written
from retainstream.storage.customers import Customers
from retainstream.storage.pace import UNLIMITED, Pace
from retainstream.storage.predictions import Predictions


class UnacceptableFeatures(ValueError):
    """Features that the schema does not accept; `errors` name each by its place."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("unacceptable features")
        self.errors = tuple(errors)


class UnknownCustomers(LookupError):
    """Ids that are not customers; `places` name where they were given, as in "customer_ids.3"."""

    def __init__(self, places: Sequence[str]) -> None:
        super().__init__("unknown customers")
        self.places = tuple(places)


def now() -> str:
    """This moment as predictions carry it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def score_customers(
    model: ScoringModel, customers: Customers, stored: Predictions, customer_ids: Sequence[str], *, run_id: str
) -> list[Prediction]:
    """Scores customers as they are now, stores their predictions, and returns them in the order of the ids; an id counts once.

    Raises:
        UnknownCustomers: some ids are not customers; then nothing is scored or stored.
    """
    found = customers.get_many(customer_ids)
    missing = [f"customer_ids.{place}" for place, customer_id in enumerate(customer_ids) if customer_id not in found]
    if missing:
        raise UnknownCustomers(missing)
    chosen = [found[customer_id] for customer_id in dict.fromkeys(customer_ids)]
    return score_and_store(model, chosen, customers, stored, run_id=run_id)


def known_features(customers: Customers, customer_id: str) -> dict[str, Any]:
    """The features of a stored customer.

    Raises:
        UnknownCustomers: there is no such customer.
    """
    found = customers.get(customer_id)
    if found is None:
        raise UnknownCustomers(["customer_id"])
    features: dict[str, Any] = found["features"]
    return features


def score_and_store(
    model: ScoringModel,
    chosen: Sequence[Mapping[str, Any]],
    customers: Customers,
    stored: Predictions,
    *,
    run_id: str,
    look_again: Callable[[], Known] = dict,
    pace: Pace = UNLIMITED,
) -> list[Prediction]:
    """Scores a block of customers (items of the customers table, without repeats), stores the predictions, and returns them in order.

    A prediction by another model that was chosen later than this one stays in its place. Those who left or were removed meanwhile are
    looked for afterwards: by `look_again`, where the caller has a cheaper way than asking for each, and then among those it has not shown.
    """
    previous = stored.earlier(customer["customer_id"] for customer in chosen)
    made = predictions(
        model, cast("Sequence[Customer]", chosen), cast("Mapping[str, PreviousPrediction]", previous), run_id=run_id, scored_at=now()
    )
    due = [one for one in made if not _superseded(model, previous.get(one["customer_id"]))]
    stored.put_many(due, pace)
    settle_written({one["customer_id"]: one["churned"] for one in due}, customers, stored, look_again())
    return made


def _superseded(model: ScoringModel, previous: Mapping[str, Any] | None) -> bool:
    if previous is None or previous["model_version"] == model.version:
        return False
    return bool(previous.get("model_chosen_at", "") > model.chosen_at)


def score_rows(model: ScoringModel, rows: Sequence[Mapping[str, Any]]) -> list[Score]:
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
    return scores(model, checked)


def acceptable(schema: FeatureSchema, given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """One customer's features as the schema wants them.

    Raises:
        UnacceptableFeatures: errors are named "<place>.<column>".
    """
    features, errors = checked_features(schema, given)
    if errors:
        raise UnacceptableFeatures([FieldError(f"{place}.{error.field}", error.detail) for error in errors])
    return dict(features)
