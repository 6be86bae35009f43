"""Marks of the customers who were removed, so that nothing read before brings them back."""

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b

from retainstream.settings import settings
from retainstream.storage.errors import Conflict
from retainstream.storage.table import Table

MARK_DAYS = 90
"""Longer than anything of the stack's own keeps a customer who was removed."""
_LATEST = {"mark": "latest"}


def mark_of(customer_id: str) -> str:
    """What is kept of a removed customer's id: 128 bits of a hash of it."""
    return blake2b(customer_id.encode(), digest_size=16).hexdigest()


class Removals:
    """The removed customers table.

    {mark, removed_at, expires_at}, and {mark: "latest", removed_at, done}: the newest of all moments, and how many removals were done.
    Moments are ISO 8601 in UTC, to the microsecond. Every read sees all that was written before it.
    """

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().removed_customers_table, ("mark",))

    def begin(self, customer_id: str) -> str:
        """Marks a customer who is about to be removed. Returns the moment of it."""
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        expires_at = int(time.time()) + MARK_DAYS * 86_400
        self._table.put({"mark": mark_of(customer_id), "removed_at": moment, "expires_at": expires_at})
        with suppress(Conflict):  # there is a newer one
            condition = "attribute_not_exists(removed_at) OR removed_at < :moment"
            self._table.update(_LATEST, "SET removed_at = :moment", {":moment": moment}, condition=condition)
        return moment

    def done(self) -> None:
        """A customer was removed: whoever read customers before this has to look again."""
        self._table.update(_LATEST, "ADD #done :one", {":one": 1}, {"#done": "done"})

    def count(self) -> int:
        """How many removals were done; a number that only grows."""
        found = self._table.get(_LATEST, consistent=True)
        return found.get("done", 0) if found else 0

    def since(self, moment: str, customer_ids: Iterable[str]) -> set[str]:
        """Those among the ids who were removed at that moment or after it. One read where nobody was."""
        marks = {mark_of(customer_id): customer_id for customer_id in customer_ids}
        latest = self._table.get(_LATEST, consistent=True) if marks else None
        if latest is None or latest.get("removed_at", "") < moment:
            return set()
        found = self._table.get_many([{"mark": mark} for mark in marks], consistent=True)
        return {marks[item["mark"]] for item in found if item["removed_at"] >= moment}
