"""Idempotency keys: the request that each was used for, and the run that answered it, for a day."""

import time

from retainstream.settings import settings
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.table import Table

REMEMBERED_SECONDS = 86_400


class UsedKey(Exception):
    """The idempotency key was used for another request."""


class RequestKeys:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().runs_table, ("run_id",))

    def claim(self, key: str, request: str, run_id: str) -> str:
        """The run that answers a request with a key: `run_id` the first time, later the run that answered it then.

        Raises:
            UsedKey: the key was used for another request within the last day.
        """
        now = int(time.time())
        try:
            self._table.put(
                _item(key, request, run_id, now),
                "attribute_not_exists(run_id) OR #expires <= :now",
                {":now": now},
                {"#expires": "expires_at"},
            )
        except Conflict as error:
            stored = self._table.get({"run_id": _name(key)}, consistent=True)
            if stored is None:
                raise StorageUnavailable("an idempotency key existed and is gone") from error
            if stored["request"] != request:
                raise UsedKey from error
            return str(stored["answer"])
        return run_id

    def answer(self, key: str, request: str, run_id: str) -> None:
        """Notes the run that answered a claimed request."""
        self._table.put(_item(key, request, run_id, int(time.time())))


def _item(key: str, request: str, run_id: str, now: int) -> dict[str, object]:
    return {"run_id": _name(key), "kind": "key", "request": request, "answer": run_id, "expires_at": now + REMEMBERED_SECONDS}


def _name(key: str) -> str:
    return f"key {key}"
