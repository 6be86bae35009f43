"""One customer: creating, changing and deleting it, and recording its outcome."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from retainstream.customers.lives import lives_of, with_new_lives
from retainstream.engine.lives.timeline import Lives, left, seen
from retainstream.engine.records import Customer, Prediction
from retainstream.engine.schema import FeatureSchema, FieldError, UnacceptableFeatures, checked_features, group_of
from retainstream.predictions.agreement import settle
from retainstream.storage.arriving_customers import CustomerAttributes, RowChange
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.retry import attempts

_ATTEMPTS = 20


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
    """Creates a customer or replaces its features. Its prediction stays. The features are of today, so that a customer who had left
    before today begins a new life.

    Raises:
        UnacceptableFeatures: the schema does not accept the features. Each error is named features.<column>, and nothing is written.
        StorageUnavailable: other writers changed the customer every time. The same call may be made again.
    """
    features, errors = checked_features(schema, values)
    if errors:
        raise UnacceptableFeatures([FieldError(f"features.{error.field}", error.detail) for error in errors])
    for _ in attempts(_ATTEMPTS):
        customer = customers.get(customer_id, consistent=True)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        change = with_new_lives(customer, seen(lives_of(customer), now[:10], latest_word=True))
        new: CustomerAttributes = {"group": group_of(schema, features), "features": features, "source": "api", "features_at": now}
        with suppress(Conflict):
            customers.change(RowChange(customer_id, customer, {**new, **change.set}, (*change.remove, *_marks(customer))))
            break
    else:
        raise StorageUnavailable("a customer keeps changing")
    stored, prediction = settle(customer_id, customers, predictions)
    if stored is None:  # it was deleted meanwhile
        raise UnknownCustomer(customer_id)
    return Profile(stored, prediction)


def delete(customer_id: str, customers: Customers, predictions: Predictions) -> tuple[bool, bool]:
    """Deletes a customer and its prediction, or what an interrupted deletion left of them. Returns whether each existed."""
    return customers.delete(customer_id), predictions.delete(customer_id)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a customer: left on `day`, or in the range (`left_after`, `day`]; or still a customer on `day`.

    Days are ISO days. Without `day` it is known as of today; then a leaving may have happened since the customer was seen last.
    """

    churned: bool
    day: str | None = None
    left_after: str | None = None

    def after(self, lives: Lives, today: str) -> Lives:
        """The lives with this outcome, as of today."""
        if not self.churned:
            return seen(lives, self.day or today, stayed=True, latest_word=True)
        exact = self.day is not None and self.left_after is None
        return left(lives, self.day or today, today, exact=exact, after=self.left_after)


def record_outcome(customer_id: str, outcome: Outcome, *, customers: Customers, predictions: Predictions) -> Profile:
    """Records whether a customer left.

    Recording the same outcome again changes nothing, but finishes an interrupted recording. A customer who stayed on the day of the
    recorded leaving, or before it, has not left after all and is at risk again; a customer who stayed on a later day came back and begins a
    new life.

    Raises:
        UnknownCustomer: no customer has that id.
        StorageUnavailable: other writers changed the customer every time. The same call may be made again.
    """
    for _ in attempts(_ATTEMPTS):
        change = _recorded(profile(customer_id, customers, predictions).customer, outcome)
        with suppress(Conflict):
            if change:
                customers.change(change)
            break
    else:
        raise StorageUnavailable("a customer keeps changing")
    customer, prediction = settle(customer_id, customers, predictions)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return Profile(customer, prediction)


def _recorded(customer: Customer, outcome: Outcome) -> RowChange | None:
    """The change that records an outcome; None where it says nothing new."""
    lives = lives_of(customer)
    after = outcome.after(lives, datetime.now(UTC).date().isoformat())
    if after == lives:
        return None
    change = with_new_lives(customer, after)
    return RowChange(customer["customer_id"], customer, {**change.set, "outcome_source": "api"}, (*change.remove, *_marks(customer)))


def _marks(customer: Customer | None) -> tuple[str, ...]:
    """The mark of an import, which a change by somebody else removes."""
    return ("imported",) if customer and "imported" in customer else ()
