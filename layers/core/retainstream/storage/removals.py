"""Marks of removed customers, so that data read before a removal does not bring a customer back."""

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b

from retainstream.settings import settings
from retainstream.storage.errors import Conflict
from retainstream.storage.secret import Secret
from retainstream.storage.table import Key, Table

MARK_DAYS = 90
"""Longer than any copy of a removed customer in the stack is kept."""
_LATEST = {"mark": "latest"}


class Removals:
    """The removed customers table.

    Its items are {mark, removed_at, expires_at}, and {mark: "latest", removed_at, done} with the newest moment of all and the number of
    removals. Moments are ISO 8601 in UTC, to the microsecond. Every read sees all earlier writes. Marks are made with a key of `secret`, by
    default the stack's, which is read with the first mark.
    """

    def __init__(self, table: Table | None = None, secret: Secret | None = None) -> None:
        self._table = table or Table(settings().removed_customers_table, ("mark",))
        self._secret = secret or Secret(settings().sealing_secret_arn)

    def mark_of(self, customer_id: str) -> str:
        """The mark of a removed customer: a 128-bit digest of the id, which nobody without the key finds by trying ids."""
        return blake2b(customer_id.encode(), digest_size=16, key=self._secret.key("removals")).hexdigest()

    def begin(self, customer_id: str) -> str:
        """Marks a customer before its removal. Returns the moment of the mark."""
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        expires_at = int(time.time()) + MARK_DAYS * 86_400
        self._table.put({"mark": self.mark_of(customer_id), "removed_at": moment, "expires_at": expires_at})
        with suppress(Conflict):  # a newer moment is stored
            condition = "attribute_not_exists(removed_at) OR removed_at < :moment"
            self._table.update(_LATEST, "SET removed_at = :moment", {":moment": moment}, condition=condition)
        return moment

    def done(self) -> None:
        """Counts a finished removal: customers that were read before it must be read again."""
        self._table.update(_LATEST, "ADD #done :one", {":one": 1}, {"#done": "done"})

    def count(self) -> int:
        """The number of finished removals, which only grows."""
        latest = self._table.get(_LATEST, consistent=True)
        return latest.get("done", 0) if latest else 0

    def marks(self) -> dict[str, str]:
        """All marks, each with the moment of its removal."""
        marks: dict[str, str] = {}
        start: Key | None = None
        while True:
            page = self._table.scan(start=start, consistent=True)
            marks |= {item["mark"]: item["removed_at"] for item in page.items if item["mark"] != _LATEST["mark"]}
            if (start := page.next_key) is None:
                return marks

    def since(self, moment: str, customer_ids: Iterable[str]) -> set[str]:
        """The customers among the ids that were removed at that moment or after it. One read where none was."""
        ids = list(customer_ids)
        latest = self._table.get(_LATEST, consistent=True) if ids else None
        if latest is None or latest.get("removed_at", "") < moment:
            return set()
        marks = {mark: customer_id for customer_id in ids for mark in (self.mark_of(customer_id), _unkeyed_mark_of(customer_id))}
        removals = self._table.get_many([{"mark": mark} for mark in marks], consistent=True)
        return {marks[removal["mark"]] for removal in removals if removal["removed_at"] >= moment}

    def among(self, customer_ids: Iterable[str]) -> dict[str, str]:
        """The customers among the ids that were removed, each with the moment of the removal. Reads all marks."""
        marks = self.marks()
        removed: dict[str, str] = {}
        for customer_id in customer_ids if marks else ():
            moments = [marks[mark] for mark in (self.mark_of(customer_id), _unkeyed_mark_of(customer_id)) if mark in marks]
            if moments:
                removed[customer_id] = max(moments)
        return removed


def _unkeyed_mark_of(customer_id: str) -> str:
    """The mark that earlier versions wrote. It goes with the first release after June 2027, when none is left (decision 111)."""
    return blake2b(customer_id.encode(), digest_size=16).hexdigest()
