"""Customers: their features, and whether they left."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

from retainstream.engine.records import Customer, CustomerSource, Features, JudgedPrediction, NewCustomer
from retainstream.settings import settings
from retainstream.storage.by_customer import ByCustomer
from retainstream.storage.errors import Conflict
from retainstream.storage.table import Item, Key, Page, Table


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


_OUTCOME = ("customer_id", "churned")


def _left(items: Iterable[Item]) -> dict[str, bool]:
    return {item["customer_id"]: item.get("churned") is True for item in items}


class Customers(ByCustomer[Customer]):
    """The customers table."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(table or Table(settings().customers_table, ("customer_id",)))

    def put(self, customer: NewCustomer | Customer) -> None:
        """Replaces the whole item and sets `updated_at` to now."""
        self._table.put({**customer, "updated_at": _now()})

    def put_many(self, customers: Iterable[NewCustomer | Customer]) -> int:
        """Replaces whole items. Sets `updated_at` to now where a customer has none. Returns the number written. Ids must not repeat."""
        now = _now()
        return self._table.put_many({"updated_at": now, **customer} for customer in customers)

    def replace_features(self, customer_id: str, group: str, features: Features, source: CustomerSource) -> Customer:
        """Creates or changes a customer and keeps its known outcome. Returns the customer as it is afterwards."""
        customer = self._table.update(
            {"customer_id": customer_id},
            "SET #group = :group, #features = :features, #source = :source, #updated = :now, features_at = :now",
            {":group": group, ":features": features, ":source": source, ":now": _now()},
            {"#group": "group", "#features": "features", "#source": "source", "#updated": "updated_at"},
        )
        return cast("Customer", customer)

    def record_outcome(
        self, customer_id: str, *, churned: bool, outcome_at: str, prediction: JudgedPrediction | None, source: CustomerSource = "api"
    ) -> Customer:
        """Writes the outcome, its day and source, and the prediction it is compared with.

        Raises:
            Conflict: the customer does not exist, or the same outcome is known already and `prediction` is not newer than the stored one.
        """
        snapshot = ", #snapshot = :snapshot" if prediction else " REMOVE #snapshot"
        newer = " OR attribute_not_exists(#snapshot) OR #snapshot.scored_at < :scored" if prediction else ""
        customer = self._table.update(
            {"customer_id": customer_id},
            f"SET #churned = :churned, #at = :at, #source = :source, #updated = :now, outcome_recorded_at = :now{snapshot}",
            {":churned": churned, ":at": outcome_at, ":source": source, ":now": _now()}
            | ({":snapshot": dict(prediction), ":scored": prediction["scored_at"]} if prediction else {}),
            {"#churned": "churned", "#at": "outcome_at", "#source": "outcome_source", "#updated": "updated_at"}
            | {"#snapshot": "outcome_prediction"},
            condition=f"attribute_exists(customer_id) AND (attribute_not_exists(#churned) OR #churned <> :churned OR #at <> :at{newer})",
        )
        return cast("Customer", customer)

    def take_back(self, customer_id: str, imported: str) -> None:
        """Removes a customer that an import created, as `imported` says. A row that another writer changed since stays."""
        with suppress(Conflict):
            self._table.delete({"customer_id": customer_id}, "imported = :imported", {":imported": imported})

    def left(self, customer_ids: Iterable[str]) -> dict[str, bool]:
        """For each id that is a customer at this moment, whether the customer is known to have left."""
        keys = [{"customer_id": customer_id} for customer_id in customer_ids]
        return _left(self._table.get_many(keys, attributes=_OUTCOME, consistent=True))

    def block(self, limit: int, start_key: Key | None = None, *, segment: int = 0, segments: int = 1) -> Page[Customer]:
        """As `page`, but fewer than `limit` only at the end of the segment."""
        return cast("Page[Customer]", self._table.scan_block(limit, start=start_key, segment=segment, segments=segments))

    def left_in_block(self, limit: int, start_key: Key | None = None, *, segment: int = 0, segments: int = 1) -> dict[str, bool]:
        """As `left`, for the customers that `block` returns at this moment, at a tenth of the price where customers are small."""
        block = self._table.scan_block(limit, start=start_key, segment=segment, segments=segments, attributes=_OUTCOME, consistent=True)
        return _left(block.items)
