"""Deleting a customer for good: from every table and file at once, so that data read before does not bring the customer back."""

import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from retainstream.customers.records import delete
from retainstream.engine.records import CustomerSource
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.removals import MARK_DAYS, Removals

EXPORTS = "exports/"
LONGEST_SECONDS = 15.0
"""A request that removes many customers ends when this time is over: API Gateway waits for 30 s."""

type Copy = Literal["history", "sources", "uploads", "data-sets", "workflow-history", "backups", "mark"]

EXPIRES_IN_DAYS: dict[Copy, int] = {
    "history": 3,
    "sources": 3,
    "uploads": 33,
    "data-sets": 33,
    "workflow-history": 90,
    "backups": 35,
    "mark": MARK_DAYS,
}
"""The days after a deletion until the last copies expire. Those of the bucket are its lifecycle and the versions it leaves, with a day for
each until S3 applies it. The history and the sources are rewritten each day; the history loses a day after a run that failed what that run
left. The others are AWS's own."""


class Removed(BaseModel):
    """The deleted data."""

    customer: bool
    prediction: bool = Field(description="With its history")
    exports: int = Field(description="Files of predictions, of all users: export them again")


class SamplesRemoved(BaseModel):
    """The removal of sample customers, or of some of them."""

    removed: int = Field(description="Sample customers that this request removed")
    more: bool = Field(description="Whether there may be more: send the request again")


class Expiring(BaseModel):
    """Copies that are no longer read and that go by themselves."""

    what: Copy = Field(
        description=(
            "history: earlier features and predictions of the customer; the files are rewritten without them each day. "
            "sources: rows of delivered source files, which are rewritten without them each night. "
            "uploads: uploaded files with customers. data-sets: rows of earlier training runs, by a digest of the id. "
            "workflow-history: ids at which a run continued. "
            "backups: the tables at an earlier moment. mark: a digest of the id, so that older files do not bring the customer back"
        )
    )
    within_days: int


class Removal(BaseModel):
    """The deletion of a customer."""

    removed_at: str = Field(description="ISO 8601, UTC. A file that describes an earlier moment does not bring the customer back")
    removed: Removed
    expiring: list[Expiring]


def remove_all(
    source: CustomerSource, customers: Customers, predictions: Predictions, documents: Documents, removals: Removals
) -> SamplesRemoved:
    """Removes the customers of an origin, each as `remove` does, until LONGEST_SECONDS are over."""
    ends_at, removed = time.monotonic() + LONGEST_SECONDS, 0
    more = False
    for customer in _of_source(source, customers):
        if more := time.monotonic() > ends_at:
            break
        removals.begin(customer)
        delete(customer, customers, predictions)
        removed += 1
    if removed:
        removals.done()
        documents.withdraw(EXPORTS)
    return SamplesRemoved(removed=removed, more=more)


def remove(customer_id: str, customers: Customers, predictions: Predictions, documents: Documents, removals: Removals) -> Removal:
    """Deletes a customer, its prediction, and every file of predictions, or what an interrupted deletion left of them.

    The order matters. An import that looks for the mark before it is written has written its row before the customer is deleted; one that
    looks later takes its row back. A run that reads predictions meanwhile sees the count of removals change.
    """
    moment = removals.begin(customer_id)
    customer, prediction = delete(customer_id, customers, predictions)
    removals.done()
    return Removal(
        removed_at=moment,
        removed=Removed(customer=customer, prediction=prediction, exports=documents.withdraw(EXPORTS)),
        expiring=[Expiring(what=what, within_days=days) for what, days in EXPIRES_IN_DAYS.items()],
    )


def _of_source(source: CustomerSource, customers: Customers) -> Iterator[str]:
    """The ids of all customers of an origin."""
    for page in customers.segment_pages():
        yield from (customer["customer_id"] for customer in page if customer["source"] == source)
