"""Storing a page of rows in the customers table, beside its other writers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retainstream.engine.records import Customer, NewCustomer, PreviousPrediction
from retainstream.predictions.agreement import settle_written
from retainstream.runs.imports.merge import Fate, Import, may_judge, merged, written_before
from retainstream.storage.arriving_customers import RowChange
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.stores import Stores

_ATTEMPTS = 20


def store_page(stores: Stores, rows: Sequence[NewCustomer], by: Import) -> Counter[str]:
    """Writes the new data of some customers, whose ids must not repeat. Returns the number of rows of each fate.

    A row whose customer was changed since it was read is read and judged again. A customer who was removed after the moment that the rows
    describe stays removed, and so does a customer who was removed since the row was read.

    Raises:
        StorageUnavailable: storage did not answer, or others changed the same rows all the time; the page may be stored again.
    """
    page = _Page(stores, by, {row["customer_id"]: row for row in rows})
    for _ in attempts(_ATTEMPTS):
        if not page.waiting:
            break
        customers = page.read()
        changes = page.judge(customers)
        page.write(changes)
    if page.waiting:
        raise StorageUnavailable("the same customers are changed all the time")
    page.settle()
    return page.counts


@dataclass
class _Page:
    """Rows on their way: those that are `waiting`, those of customers who were `seen`, and the customers that the page has written."""

    stores: Stores
    by: Import
    waiting: dict[str, NewCustomer]
    seen: set[str] = field(default_factory=set)
    created: list[str] = field(default_factory=list)
    with_other_outcome: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def read(self) -> Mapping[str, Customer]:
        """The stored customers of the waiting rows. Rows of customers who were removed are older."""
        customers = self.stores.arriving.read(self.waiting)
        for customer_id in self.seen - customers.keys():
            self._end(customer_id, "older")
        for customer_id in self.stores.removals.since(self.by.as_of, self.waiting.keys() - customers.keys()):
            self._end(customer_id, "older")
        self.seen |= customers.keys()
        return customers

    def judge(self, customers: Mapping[str, Customer]) -> list[RowChange]:
        """The changes that are to be written; all other rows are at their end."""
        predictions = self._predictions(customers)
        changes = []
        for customer_id, row in list(self.waiting.items()):
            customer = customers.get(customer_id)
            if before := written_before(customer, self.by):
                self._end(customer_id, before, new=before == "created", other_outcome=True)
                continue
            fate, change = merged(customer, row, self.by, predictions.get(customer_id))
            if change is None:
                self._end(customer_id, fate)
            else:
                changes.append(change)
        return changes

    def _predictions(self, customers: Mapping[str, Customer]) -> Mapping[str, PreviousPrediction]:
        """The latest predictions, with those before them, that the outcomes in the rows may judge."""
        judging = [
            customer_id
            for customer_id, row in self.waiting.items()
            if customer_id in customers and may_judge(customers[customer_id], row, self.by)
        ]
        return self.stores.predictions.earlier(judging) if judging else {}

    def write(self, changes: Sequence[RowChange]) -> None:
        """Makes the changes. A row whose customer was changed meanwhile goes on waiting."""
        for change, written in zip(changes, self.stores.arriving.write(changes), strict=True):
            if written:
                new = change.stored is None
                self._end(change.customer_id, "created" if new else "changed", new=new, other_outcome=new or "churned" in change.set)
        self.seen &= self.waiting.keys()

    def _end(self, customer_id: str, fate: Fate, *, new: bool = False, other_outcome: bool = False) -> None:
        del self.waiting[customer_id]
        self.counts[fate] += 1
        if new:
            self.created.append(customer_id)
        if other_outcome:
            self.with_other_outcome.append(customer_id)

    def settle(self) -> None:
        """Takes back customers who were removed while they were written, and makes predictions agree with the new outcomes."""
        for customer_id in self.stores.removals.since(self.by.as_of, self.created):
            self.stores.customers.take_back(customer_id, f"{self.by.id}#created")
            self.counts.update(created=-1, older=1)
        if self.with_other_outcome:
            known = self.stores.predictions.known_to_have_left(self.with_other_outcome)
            settle_written(known, self.stores.customers, self.stores.predictions)
