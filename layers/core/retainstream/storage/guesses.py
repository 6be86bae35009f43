"""Records of wrong passwords per account, address or browser: when they are forgotten, and how long the next attempt must wait."""

import time
from dataclasses import asdict, dataclass

from retainstream.settings import settings
from retainstream.storage.table import Table


@dataclass(frozen=True)
class Guesses:
    """Times are epoch seconds; 0 is never. Until `known_until` a browser counts as one that somebody has signed in with."""

    forgotten_at: int = 0
    wait_until: int = 0
    known_until: int = 0


class GuessRecords:
    """The records, kept beside the request counts. Each expires when it no longer matters."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rate_limits_table, ("key",))

    def get(self, subject: str) -> Guesses:
        """The record of a subject, as last written."""
        item = self._table.get({"key": subject}, consistent=True) or {}
        return Guesses(*(int(item.get(name, 0)) for name in ("forgotten_at", "wait_until", "known_until")))

    def put(self, subject: str, guesses: Guesses) -> None:
        """Replaces the record, whatever it was."""
        self._table.put(_item(subject, guesses))

    def replace(self, subject: str, seen: Guesses, guesses: Guesses) -> None:
        """Replaces the record, provided that it is still `seen`.

        Raises:
            Conflict: another request changed the record first.
        """
        self._table.put(
            _item(subject, guesses),
            "attribute_not_exists(#key) OR (#forgotten = :forgotten AND #wait = :wait)",
            {":forgotten": seen.forgotten_at, ":wait": seen.wait_until},
            {"#key": "key", "#forgotten": "forgotten_at", "#wait": "wait_until"},
        )


def _item(subject: str, guesses: Guesses) -> dict[str, object]:
    # Never 0: DynamoDB keeps an item for ever if it expired more than five years ago.
    expires_at = max(guesses.forgotten_at, guesses.wait_until, guesses.known_until, int(time.time()))
    return {"key": subject, **asdict(guesses), "expires_at": expires_at}
