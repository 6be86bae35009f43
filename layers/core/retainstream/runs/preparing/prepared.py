"""A customer as the sources show it: the present features, and all lives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from retainstream.customers.arrival import Arrival
from retainstream.engine.lives.timeline import Lives, began, left, seen
from retainstream.engine.records import Features
from retainstream.engine.schema import FeatureSchema, checked_features, group_of


class SourceLife(TypedDict):
    """A life as the sources show it. All are ISO days, or None where not known."""

    began_on: str | None
    first_seen_on: str
    left_on: str | None
    observed_until: str


class PreparedCustomer(TypedDict):
    """A customer with the features at the last anchor at which it was a customer (ISO day), and its lives, oldest first."""

    customer_id: str
    features: Features
    features_on: str
    lives: Sequence[SourceLife]


@dataclass(frozen=True, kw_only=True)
class PreparedArrival(Arrival):
    """A customer from the sources, on the way to the customers table. `known_lives` are all of its lives, oldest first."""

    known_lives: Sequence[SourceLife]

    def after(self, lives: Lives) -> Lives:
        """The lives with those of the sources."""
        last = len(self.known_lives) - 1
        for number, life in enumerate(self.known_lives):
            lives = seen(lives, life["first_seen_on"])
            if life["began_on"]:
                lives = began(lives, life["began_on"], life["first_seen_on"])
            if life["left_on"]:
                lives = left(lives, life["left_on"], self.outcome_on if number == last else life["left_on"], exact=True)
            else:
                lives = seen(lives, life["observed_until"], stayed=True)
        return lives


def arrivals_of(schema: FeatureSchema, customers: Sequence[PreparedCustomer], through: str) -> Iterator[PreparedArrival | None]:
    """The customers with features that the schema accepts, and None for each other one. `through` is the last day of the sources."""
    for customer in customers:
        features, errors = checked_features(schema, customer["features"])
        if errors:
            yield None
            continue
        left_on = customer["lives"][-1]["left_on"] if customer["lives"] else None
        yield PreparedArrival(
            customer_id=customer["customer_id"],
            group=group_of(schema, features),
            features=features,
            features_as_of=_first_moment(customer["features_on"]),
            outcomes_as_of=_first_moment(through),
            churned=left_on is not None,
            left_on=left_on,
            known_lives=customer["lives"],
        )


def _first_moment(day: str) -> str:
    return f"{day}T00:00:00.000000+00:00"
