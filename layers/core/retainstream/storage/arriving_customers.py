"""Customers as an import reads and writes them: many at a time, each write on the condition that the row is as it was read."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retainstream.settings import settings
from retainstream.storage.attributes import to_attributes
from retainstream.storage.errors import Conflict, StorageUnavailable, storage_errors
from retainstream.storage.table import Item, Table

_ATTEMPTS = 10
_WRITERS = 16


@dataclass(frozen=True)
class RowChange:
    """What a customer's row is to become: attributes set, attributes removed. `found` is the row as it was read; None makes a new one."""

    customer_id: str
    found: Mapping[str, Any] | None
    set: Mapping[str, Any]
    remove: Sequence[str] = ()


@dataclass(frozen=True)
class ArrivingCustomers:
    """The customers table. Every method raises StorageUnavailable when DynamoDB does not answer, even after many tries with pauses."""

    table: Table = field(default_factory=lambda: Table(settings().customers_table, ("customer_id",)))
    writers: int = _WRITERS

    def read(self, customer_ids: Iterable[str]) -> dict[str, Item]:
        """The customers there are at this moment among the ids, which must not repeat, by id."""
        found = self.table.get_many([{"customer_id": customer_id} for customer_id in customer_ids], consistent=True)
        return {item["customer_id"]: item for item in found}

    def write(self, changes: Sequence[RowChange]) -> list[bool]:
        """Makes the changes side by side. Tells of each whether it was made: it is not where the row is no more as it was read."""
        if not changes:
            return []
        with ThreadPoolExecutor(min(self.writers, len(changes))) as pool:
            return list(pool.map(self._write_patiently, changes))

    def _write_patiently(self, change: RowChange) -> bool:
        for attempt in range(_ATTEMPTS):
            try:
                self._write(change)
            except Conflict:
                return False
            except StorageUnavailable:
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, min(5.0, 0.05 * 2**attempt)))  # noqa: S311
            else:
                return True
        raise AssertionError

    def _write(self, change: RowChange) -> None:
        values = {**change.set, "updated_at": datetime.now(UTC).isoformat(timespec="microseconds")}
        with storage_errors():
            if change.found is None:
                item = to_attributes({"customer_id": change.customer_id, **values})
                self.table.client.put_item(TableName=self.table.name, Item=item, ConditionExpression="attribute_not_exists(customer_id)")
                return
            names = [*values, *change.remove]
            places = {name: f"#a{place}" for place, name in enumerate(names)}
            update = "SET " + ", ".join(f"{places[name]} = :{places[name][1:]}" for name in values)
            if change.remove:
                update += " REMOVE " + ", ".join(places[name] for name in change.remove)
            given = {f":{places[name][1:]}": value for name, value in values.items()}
            self.table.client.update_item(
                TableName=self.table.name,
                Key=to_attributes({"customer_id": change.customer_id}),
                UpdateExpression=update,
                ConditionExpression=f"{places['updated_at']} = :found",
                ExpressionAttributeNames={place: name for name, place in places.items()},
                ExpressionAttributeValues=to_attributes({**given, ":found": change.found["updated_at"]}),
            )
