"""Taking a customer away for good: out of every table and file at once, and kept from coming back by what was read before."""

from typing import Literal

from pydantic import BaseModel, Field

from retainstream.customers.records import delete
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.removals import MARK_DAYS, Removals

EXPORTS = "exports/"

type Copy = Literal["uploads", "data-sets", "workflow-history", "backups", "mark"]

EXPIRES_IN_DAYS: dict[Copy, int] = {
    "uploads": 33,
    "data-sets": 33,
    "workflow-history": 90,
    "backups": 35,
    "mark": MARK_DAYS,
}
"""In how many days after a removal the last copies are gone. The bucket's are those of its lifecycle and of the version that this leaves,
with a day for each until S3 gets to it; the others are AWS's own."""


class Removed(BaseModel):
    """What there was, and is no more."""

    customer: bool
    prediction: bool = Field(description="With its history")
    exports: int = Field(description="Files of predictions, of whomever: ask for them again")


class Expiring(BaseModel):
    """Copies that nobody reads any more and that go by themselves."""

    what: Copy = Field(
        description=(
            "uploads: files with customers, as they were uploaded. data-sets: rows of training runs of the past, by a digest of the id. "
            "workflow-history: ids at which a run went on. "
            "backups: the tables as of an earlier moment. mark: a digest of the id, by which older files do not bring the customer back"
        )
    )
    within_days: int


class Removal(BaseModel):
    """A customer was removed."""

    removed_at: str = Field(description="ISO 8601, UTC. A file that describes an earlier moment does not bring the customer back")
    removed: Removed
    expiring: list[Expiring]


def remove(customer_id: str, customers: Customers, predictions: Predictions, documents: Documents, removals: Removals) -> Removal:
    """Removes a customer, its prediction, and every file of predictions there is, or what an interrupted removal left of them.

    In this order: an import that reads the mark before it is there has written before the customer is removed, and one that reads it later
    takes its own row back; who reads predictions before the end is told by the count of removals.
    """
    moment = removals.begin(customer_id)
    customer, prediction = delete(customer_id, customers, predictions)
    removals.done()
    return Removal(
        removed_at=moment,
        removed=Removed(customer=customer, prediction=prediction, exports=documents.withdraw(EXPORTS)),
        expiring=[Expiring(what=what, within_days=days) for what, days in EXPIRES_IN_DAYS.items()],
    )
