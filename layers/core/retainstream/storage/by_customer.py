"""A table with one item for each customer, keyed by the customer's id."""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from retainstream.storage.table import Item, Key, Page, Table


class ByCustomer[Record]:
    """The reads that the tables of customers and of predictions have in common."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def _record(self, item: Item) -> Record:
        """A stored item as a record."""
        return cast("Record", item)

    def _attributes(self, attributes: Sequence[str]) -> Sequence[str]:
        """The attributes to read for a record with these."""
        return attributes

    def get(self, customer_id: str, *, consistent: bool = False) -> Record | None:
        item = self._table.get({"customer_id": customer_id}, consistent=consistent)
        return None if item is None else self._record(item)

    def get_many(self, customer_ids: Iterable[str]) -> dict[str, Record]:
        """The items of these customers that exist, by customer id. The ids may repeat."""
        items = self._table.get_many([{"customer_id": customer_id} for customer_id in dict.fromkeys(customer_ids)])
        return {item["customer_id"]: self._record(item) for item in items}

    def delete(self, customer_id: str) -> bool:
        """Removes the item. Returns whether it existed."""
        return self._table.delete({"customer_id": customer_id}) is not None

    def page(
        self,
        limit: int,
        start_key: Key | None = None,
        *,
        segment: int = 0,
        segments: int = 1,
        attributes: Sequence[str] = (),
        consistent: bool = False,
    ) -> Page[Record]:
        """Up to `limit` items (of each the named attributes, or all) of one segment of the table, in the table's order, after the previous
        page's `next_key`."""
        read = self._attributes(attributes)
        page = self._table.scan(limit=limit, start=start_key, segment=segment, segments=segments, attributes=read, consistent=consistent)
        return self._records(page)

    def segment_pages(self, segment: int = 0, segments: int = 1) -> Iterator[list[Record]]:
        """All items of one segment of a parallel scan, page by page."""
        for items in self._table.scan_pages(segment=segment, segments=segments):
            yield [self._record(item) for item in items]

    def _records(self, page: Page) -> Page[Record]:
        return Page([self._record(item) for item in page.items], page.next_key)

    def approximate_count(self) -> int:
        """The number of items some hours ago, accurate enough to divide work by."""
        return self._table.approximate_count()
