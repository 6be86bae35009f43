"""The lives of a stored customer, and the attributes that change with them."""

from typing import NamedTuple

from retainstream.engine.lives import churned_of
from retainstream.engine.lives.timeline import Lives
from retainstream.engine.records import Customer, NewCustomer
from retainstream.storage.arriving_customers import CustomerAttributes


class AttributeChange(NamedTuple):
    """Attributes of a customer to set and to remove."""

    set: CustomerAttributes
    remove: tuple[str, ...] = ()


def lives_of(customer: NewCustomer | None) -> Lives:
    """All lives, oldest first."""
    return (*customer.get("earlier_lives", ()), customer["life"]) if customer else ()


def with_new_lives(customer: Customer | None, lives: Lives) -> AttributeChange:
    """The change that gives a customer these lives. A life without an outcome keeps nothing of the outcome of the life before."""
    if lives == lives_of(customer):
        return AttributeChange({})
    attributes: CustomerAttributes = {"life": lives[-1]}
    if len(lives) > 1:
        attributes["earlier_lives"] = list(lives[:-1])
    obsolete = [] if len(lives) > 1 else ["earlier_lives"]
    if churned_of(lives[-1]) is None:
        obsolete.append("outcome_source")
    return AttributeChange(attributes, tuple(name for name in obsolete if customer is not None and name in customer))
