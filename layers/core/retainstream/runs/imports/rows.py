"""Storing a page of rows in the customers table, beside its other writers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from retainstream.customers.arrival import Arrival
from retainstream.customers.lives import lives_of
from retainstream.engine.lives import churned_of, had_left
from retainstream.engine.lives.timeline import Lives
from retainstream.engine.records import Customer
from retainstream.predictions.agreement import settle_written
from retainstream.runs.imports.merge import Fate, Import, described, has_older_features, merged, written_before
from retainstream.storage.arriving_customers import RowChange
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.stores import Stores

_ATTEMPTS = 20


@dataclass(frozen=True)
class StoredPage:
    """The number of rows of each fate and with each fact (see `view.ImportCounts`), the rows of persons who were customers on the day of
    their features, and the rows without features of persons who are not stored: they are not counted."""

    counts: Counter[str]
    of_customers: list[Arrival]
    unknown: list[Arrival]


def store_page(stores: Stores, rows: Sequence[Arrival], by: Import) -> StoredPage:
    """Writes the new data of some customers, whose ids must not repeat.

    A row whose customer was changed since it was read is read and judged again. A customer who was removed after the moment that the rows
    describe stays removed, and so does a customer who was removed since the row was read.

    Raises:
        StorageUnavailable: storage did not answer, or others changed the same rows all the time; the page may be stored again.
    """
    of = {row.customer_id: row for row in rows}
    page = _Page(stores, by, of, dict(of))
    for _ in attempts(_ATTEMPTS):
        if not page.waiting:
            break
        customers = page.read()
        changes = page.judge(customers)
        page.write(changes)
    if page.waiting:
        raise StorageUnavailable("the same customers are changed all the time")
    page.settle()
    return StoredPage(page.counts, list(page.of_customers.values()), page.unknown)


def without_repeats(rows: Sequence[Arrival]) -> list[list[Arrival]]:
    """The rows in lists in which no id repeats, so that the rows of a customer keep their order: a table may have one of each day."""
    lists: list[list[Arrival]] = []
    places = Counter[str]()
    for row in rows:
        place = places[row.customer_id]
        places[row.customer_id] += 1
        if place == len(lists):
            lists.append([])
        lists[place].append(row)
    return lists


@dataclass
class _Page:
    """Rows on their way: those that are `waiting`, those of customers who were `seen`, and the customers that the page has written.

    `of_customers` are rows that describe a day on which the person was a customer.
    """

    stores: Stores
    by: Import
    rows: Mapping[str, Arrival]
    waiting: dict[str, Arrival]
    seen: set[str] = field(default_factory=set)
    created: list[str] = field(default_factory=list)
    with_other_outcome: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    of_customers: dict[str, Arrival] = field(default_factory=dict)
    unknown: list[Arrival] = field(default_factory=list)

    def read(self) -> Mapping[str, Customer]:
        """The stored customers of the waiting rows. Rows of customers who were removed are older."""
        customers = self.stores.arriving.read(self.waiting)
        for customer_id in self.seen - customers.keys():
            self._end(customer_id, "older")
        for customer_id in self._removed(self.waiting[customer_id] for customer_id in self.waiting.keys() - customers.keys()):
            self._end(customer_id, "older")
        self.seen |= customers.keys()
        return customers

    def _removed(self, rows: Iterable[Arrival]) -> list[str]:
        """The customers of some rows who were removed after the moment that their row describes."""
        by_moment = defaultdict[str, list[str]](list)
        for row in rows:
            by_moment[row.features_as_of].append(row.customer_id)
        removed = self.stores.removals.since(min(by_moment), [name for names in by_moment.values() for name in names]) if by_moment else ()
        return [
            customer_id
            for moment, names in by_moment.items()
            if (among := [name for name in names if name in removed])
            for customer_id in self.stores.removals.since(moment, among)
        ]

    def judge(self, customers: Mapping[str, Customer]) -> list[tuple[Fate, RowChange]]:
        """The changes that are to be written, with the fates of their rows; all other rows are at their end."""
        changes = []
        for customer_id, row in list(self.waiting.items()):
            customer = customers.get(customer_id)
            if customer is None and not row.has_features:
                self.unknown.append(self.waiting.pop(customer_id))
                continue
            if customer and (before := written_before(customer, row, self.by)):
                self._note(row, customer, lives_of(customer))
                self._end(customer_id, before, new=before == "created", other_outcome=True)
                continue
            fate, change = merged(customer, row, self.by)
            if change is None:
                self._note(row, customer, lives_of(customer))
                self._end(customer_id, fate)
            else:
                changes.append((fate, change))
        return changes

    def write(self, changes: Sequence[tuple[Fate, RowChange]]) -> None:
        """Makes the changes. A row whose customer was changed meanwhile goes on waiting."""
        for (fate, change), written in zip(changes, self.stores.arriving.write([change for _, change in changes]), strict=True):
            if written:
                stored, row = change.stored, self.waiting[change.customer_id]
                other_outcome = stored is None or (
                    "life" in change.set and churned_of(change.set["life"]) is not churned_of(stored["life"])
                )
                self._note(row, stored, row.after(lives_of(stored)))
                self._end(change.customer_id, fate, new=stored is None, other_outcome=other_outcome)
        self.seen &= self.waiting.keys()

    def _note(self, row: Arrival, customer: Customer | None, lives: Lives) -> None:
        """Counts the facts of a row that is stored, or that says nothing new."""
        self.counts["unreadable" if row.outcome_unread else {True: "left", False: "stayed", None: "not_known"}[row.churned]] += 1
        kept = described(customer, row)
        if kept is None:
            return
        self.counts["older_features"] += has_older_features(customer, row)
        if had_left(lives, row.features_on):
            self.counts["after_leaving"] += 1
        else:
            self.of_customers[row.customer_id] = kept

    def _end(self, customer_id: str, fate: Fate, *, new: bool = False, other_outcome: bool = False) -> None:
        del self.waiting[customer_id]
        self.counts[fate] += 1
        if new:
            self.created.append(customer_id)
        if other_outcome:
            self.with_other_outcome.append(customer_id)

    def settle(self) -> None:
        """Takes back customers who were removed while they were written, and makes predictions agree with the new outcomes."""
        for customer_id in self._removed(self.rows[customer_id] for customer_id in self.created):
            self.of_customers.pop(customer_id, None)
            self.stores.customers.take_back(customer_id, f"{self.by.id}#")
            self.counts.update(created=-1, older=1)
        if self.with_other_outcome:
            known = self.stores.predictions.known_to_have_left(self.with_other_outcome)
            settle_written(known, self.stores.customers, self.stores.predictions)
