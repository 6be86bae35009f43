"""Customers: their features, and what is known of whether they left."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from retainstream.settings import settings
from retainstream.storage.by_customer import ByCustomer
from retainstream.storage.errors import Conflict
from retainstream.storage.table import Item, Page, Table


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


_OUTCOME = ("customer_id", "churned")


def _left(items: Iterable[Item]) -> dict[str, bool]:
    return {item["customer_id"]: item.get("churned") is True for item in items}


class Customers(ByCustomer):
    """The customers table.

    An item is {customer_id, group, features: {column: value}, updated_at, source, churned?, outcome_at?, outcome_source?,
    outcome_prediction?, features_at?, outcome_recorded_at?, imported?}. `outcome_source` tells an outcome that somebody recorded from one
    that came with the customer. `features_at` and `outcome_recorded_at` are the moments that features and outcome describe (`updated_at`
    where they are absent), `imported` the import that wrote the row last; every write sets `updated_at`.
    """

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(settings().customers_table, table)

    def put(self, customer: Mapping[str, Any]) -> None:
        """Writes the whole item, in place of what was there, with `updated_at` set to now."""
        self._table.put({**customer, "updated_at": _now()})

    def put_many(self, customers: Iterable[Mapping[str, Any]]) -> int:
        """Writes whole items; an `updated_at` that is given is kept. Returns how many were written. Ids must not repeat."""
        now = _now()
        return self._table.put_many({"updated_at": now, **customer} for customer in customers)

    def replace_features(self, customer_id: str, group: str, features: Mapping[str, Any], source: str) -> Item:
        """Makes or changes a customer and keeps the outcome known of it. Returns the customer as it is afterwards."""
        return self._table.update(
            {"customer_id": customer_id},
            "SET #group = :group, #features = :features, #source = :source, #updated = :now, features_at = :now",
            {":group": group, ":features": features, ":source": source, ":now": _now()},
            {"#group": "group", "#features": "features", "#source": "source", "#updated": "updated_at"},
        )

    def record_outcome(
        self, customer_id: str, *, churned: bool, outcome_at: str, prediction: Mapping[str, Any] | None, source: str = "api"
    ) -> Item:
        """Writes whether the customer left, when, who says so, and the prediction that this judges.

        Raises:
            Conflict: there is no such customer, or this same outcome is already known and judges no newer prediction.
        """
        snapshot = ", #snapshot = :snapshot" if prediction else " REMOVE #snapshot"
        newer = " OR attribute_not_exists(#snapshot) OR #snapshot.scored_at < :scored" if prediction else ""
        return self._table.update(
            {"customer_id": customer_id},
            f"SET #churned = :churned, #at = :at, #source = :source, #updated = :now, outcome_recorded_at = :now{snapshot}",
            {":churned": churned, ":at": outcome_at, ":source": source, ":now": _now()}
            | ({":snapshot": dict(prediction), ":scored": prediction["scored_at"]} if prediction else {}),
            {"#churned": "churned", "#at": "outcome_at", "#source": "outcome_source", "#updated": "updated_at"}
            | {"#snapshot": "outcome_prediction"},
            condition=f"attribute_exists(customer_id) AND (attribute_not_exists(#churned) OR #churned <> :churned OR #at <> :at{newer})",
        )

    def take_back(self, customer_id: str, imported: str) -> None:
        """Removes a customer that an import made, as `imported` says; a row that somebody else wrote since stays."""
        with suppress(Conflict):
            self._table.delete({"customer_id": customer_id}, "imported = :imported", {":imported": imported})

    def left(self, customer_ids: Iterable[str]) -> dict[str, bool]:
        """Whether those among the ids who are customers at this moment are known to have left."""
        keys = [{"customer_id": customer_id} for customer_id in customer_ids]
        return _left(self._table.get_many(keys, attributes=_OUTCOME, consistent=True))

    def block(self, limit: int, start_key: Item | None = None, *, segment: int = 0, segments: int = 1) -> Page:
        """As `page`, but less than `limit` only at the end of the segment."""
        return self._table.scan_block(limit, start=start_key, segment=segment, segments=segments)

    def left_in_block(self, limit: int, start_key: Item | None = None, *, segment: int = 0, segments: int = 1) -> dict[str, bool]:
        """As `left`, of the customers whom `block` gives at this moment; a tenth of the price, where customers are small."""
        place = {"segment": segment, "segments": segments}
        return _left(self._table.scan_block(limit, start=start_key, attributes=_OUTCOME, consistent=True, **place).items)
