"""Customers as an import reads and writes them: many at a time, each write on the condition that the row is unchanged since it was read."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict, cast

from retainstream.engine.records import Customer, CustomerSource, Features, Life
from retainstream.settings import settings
from retainstream.storage.attributes import Item, to_attributes
from retainstream.storage.errors import Conflict, StorageUnavailable, storage_errors
from retainstream.storage.lives import OLD_OUTCOME, with_lives
from retainstream.storage.retry import attempts
from retainstream.storage.table import Table

_ATTEMPTS = 10
_WRITERS = 16


class CustomerAttributes(TypedDict, total=False):
    """The attributes of a customer that a change sets; see `engine.records.NewCustomer`."""

    group: str
    features: Features
    features_at: str
    source: CustomerSource
    life: Life
    earlier_lives: list[Life]
    outcome_source: CustomerSource
    imported: str


@dataclass(frozen=True)
class RowChange:
    """A change of one customer's row: attributes to set and to remove. `stored` is the row as it was read; None creates a row."""

    customer_id: str
    stored: Customer | None
    set: CustomerAttributes
    remove: Sequence[str] = ()

    def item(self) -> Item:
        """The new row."""
        return {"customer_id": self.customer_id, **self.set, "updated_at": _now()}

    def update(self) -> tuple[str, dict[str, object], dict[str, str], str]:
        """An update expression with its values and names, and the condition that the row is as it was read, or does still not exist."""
        values = {**self.set, "updated_at": _now()}
        removed = [*self.remove, *(OLD_OUTCOME if "life" in self.set else ())]
        places = {name: f"#a{place}" for place, name in enumerate([*values, *removed])}
        update = "SET " + ", ".join(f"{places[name]} = :{places[name][1:]}" for name in values)
        if removed:
            update += " REMOVE " + ", ".join(places[name] for name in removed)
        parameters = {f":{places[name][1:]}": value for name, value in values.items()}
        names = {place: name for name, place in places.items()}
        if self.stored is None:
            return update, parameters, names, "attribute_not_exists(customer_id)"
        return update, {**parameters, ":stored": self.stored["updated_at"]}, names, f"{places['updated_at']} = :stored"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class ArrivingCustomers:
    """The customers table. Every method raises StorageUnavailable when DynamoDB does not answer, even after many tries with pauses."""

    table: Table = field(default_factory=lambda: Table(settings().customers_table, ("customer_id",)))
    writers: int = _WRITERS

    def read(self, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """The customers with these ids that exist at this moment, by id. The ids must not repeat."""
        items = self.table.get_many([{"customer_id": customer_id} for customer_id in customer_ids], consistent=True)
        return cast("dict[str, Customer]", {item["customer_id"]: with_lives(item) for item in items})

    def write(self, changes: Sequence[RowChange]) -> list[bool]:
        """Makes the changes in parallel. Returns for each whether it was made: a row that changed since it was read is left as it is."""
        if not changes:
            return []
        with ThreadPoolExecutor(min(self.writers, len(changes))) as pool:
            return list(pool.map(self._write_patiently, changes))

    def _write_patiently(self, change: RowChange) -> bool:
        for attempt in attempts(_ATTEMPTS, first=0.05, longest=5.0):
            try:
                self._write(change)
            except Conflict:
                return False
            except StorageUnavailable:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return True
        raise AssertionError

    def _write(self, change: RowChange) -> None:
        with storage_errors():
            if change.stored is None:
                item = to_attributes(change.item())
                self.table.client.put_item(TableName=self.table.name, Item=item, ConditionExpression="attribute_not_exists(customer_id)")
                return
            update, values, names, condition = change.update()
            self.table.client.update_item(
                TableName=self.table.name,
                Key=to_attributes({"customer_id": change.customer_id}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_attributes(values),
            )
