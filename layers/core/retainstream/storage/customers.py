"""Customers: their features, and their lives."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

from retainstream.engine.records import Customer, NewCustomer
from retainstream.settings import settings
from retainstream.storage.arriving_customers import RowChange
from retainstream.storage.by_customer import ByCustomer
from retainstream.storage.errors import Conflict
from retainstream.storage.lives import to_read, with_lives
from retainstream.storage.table import Item, Key, Page, Table

_OUTCOME = ("customer_id", "life", "churned")


def _left(items: Iterable[Item]) -> dict[str, bool]:
    return {item["customer_id"]: "left_on" in item["life"] if "life" in item else item.get("churned") is True for item in items}


class Customers(ByCustomer[Customer]):
    """The customers table."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(table or Table(settings().customers_table, ("customer_id",)))

    def _record(self, item: Item) -> Customer:
        return cast("Customer", with_lives(item))

    def _attributes(self, attributes: Sequence[str]) -> Sequence[str]:
        return to_read(attributes)

    def put(self, customer: NewCustomer | Customer) -> None:
        """Replaces the whole item and sets `updated_at` to now."""
        self._table.put({**customer, "updated_at": datetime.now(UTC).isoformat(timespec="microseconds")})

    def put_many(self, customers: Iterable[NewCustomer | Customer]) -> int:
        """Replaces whole items. Sets `updated_at` to now where a customer has none. Returns the number written. Ids must not repeat."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        return self._table.put_many({"updated_at": now, **customer} for customer in customers)

    def change(self, change: RowChange) -> Customer:
        """Makes one change and sets `updated_at` to now. Returns the customer as it is afterwards.

        Raises:
            Conflict: the row has changed since it was read.
        """
        update, values, names, condition = change.update()
        return self._record(self._table.update({"customer_id": change.customer_id}, update, values, names, condition))

    def take_back(self, customer_id: str, imported: str) -> None:
        """Removes a customer that an import created, whose marks begin with `imported`. A row that another writer changed since stays."""
        with suppress(Conflict):
            self._table.delete({"customer_id": customer_id}, "begins_with(imported, :imported)", {":imported": imported})

    def left(self, customer_ids: Iterable[str]) -> dict[str, bool]:
        """For each id that is a customer at this moment, whether the customer is known to have left."""
        keys = [{"customer_id": customer_id} for customer_id in customer_ids]
        return _left(self._table.get_many(keys, attributes=_OUTCOME, consistent=True))

    def block(self, limit: int, start_key: Key | None = None, *, segment: int = 0, segments: int = 1) -> Page[Customer]:
        """As `page`, but fewer than `limit` only at the end of the segment."""
        return self._records(self._table.scan_block(limit, start=start_key, segment=segment, segments=segments))

    def left_in_block(self, limit: int, start_key: Key | None = None, *, segment: int = 0, segments: int = 1) -> dict[str, bool]:
        """As `left`, for the customers that `block` returns at this moment, at a tenth of the price where customers are small."""
        block = self._table.scan_block(limit, start=start_key, segment=segment, segments=segments, attributes=_OUTCOME, consistent=True)
        return _left(block.items)
