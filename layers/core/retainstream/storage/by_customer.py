"""A table with one item for each customer, keyed by the customer's id."""

from collections.abc import Iterable, Iterator, Sequence

from retainstream.storage.table import Item, Page, Table


class ByCustomer:
    """What the tables of customers and of predictions have in common."""

    def __init__(self, table_name: str, table: Table | None = None) -> None:
        self._table = table or Table(table_name, ("customer_id",))

    def get(self, customer_id: str, *, consistent: bool = False) -> Item | None:
        return self._table.get({"customer_id": customer_id}, consistent=consistent)

    def get_many(self, customer_ids: Iterable[str]) -> dict[str, Item]:
        """The items that exist among the ids, by customer id. An id may be given twice."""
        found = self._table.get_many([{"customer_id": customer_id} for customer_id in dict.fromkeys(customer_ids)])
        return {item["customer_id"]: item for item in found}

    def delete(self, customer_id: str) -> bool:
        """Removes the item. Returns whether there was one."""
        return self._table.delete({"customer_id": customer_id}) is not None

    def page(
        self,
        limit: int,
        start_key: Item | None = None,
        *,
        segment: int = 0,
        segments: int = 1,
        attributes: Sequence[str] = (),
        consistent: bool = False,
    ) -> Page:
        """Up to `limit` items (of each the named attributes, or all) of one segment of the table, in its own order, from where the page
        before ended (its `next_key`)."""
        return self._table.scan(
            limit=limit, start=start_key, segment=segment, segments=segments, attributes=attributes, consistent=consistent
        )

    def segment_pages(self, segment: int = 0, segments: int = 1) -> Iterator[list[Item]]:
        """All items of one segment of a parallel scan, page by page."""
        return self._table.scan_pages(segment=segment, segments=segments)

    def approximate_count(self) -> int:
        """How many items there were some hours ago: good enough to divide work by."""
        return self._table.approximate_count()
