"""A table with one item for each customer, keyed by the customer's id."""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from retainstream.storage.table import Key, Page, Table


class ByCustomer[Record]:
    """The reads that the tables of customers and of predictions have in common."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, customer_id: str, *, consistent: bool = False) -> Record | None:
        return cast("Record | None", self._table.get({"customer_id": customer_id}, consistent=consistent))

    def get_many(self, customer_ids: Iterable[str]) -> dict[str, Record]:
        """The items of these customers that exist, by customer id. The ids may repeat."""
        items = self._table.get_many([{"customer_id": customer_id} for customer_id in dict.fromkeys(customer_ids)])
        return cast("dict[str, Record]", {item["customer_id"]: item for item in items})

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
        page = self._table.scan(
            limit=limit, start=start_key, segment=segment, segments=segments, attributes=attributes, consistent=consistent
        )
        return cast("Page[Record]", page)

    def segment_pages(self, segment: int = 0, segments: int = 1) -> Iterator[list[Record]]:
        """All items of one segment of a parallel scan, page by page."""
        return cast("Iterator[list[Record]]", self._table.scan_pages(segment=segment, segments=segments))

    def approximate_count(self) -> int:
        """The number of items some hours ago, accurate enough to divide work by."""
        return self._table.approximate_count()
