"""What is remembered of wrong passwords, per account, address, or browser: when to forget them, and until when to wait."""

import time
from dataclasses import asdict, dataclass

from retainstream.settings import settings
from retainstream.storage.table import Table


@dataclass(frozen=True)
class Guesses:
    """Times are epoch seconds; 0 is never. `known_until` is a browser's: until then it is one from which somebody signed in."""

    forgotten_at: int = 0
    wait_until: int = 0
    known_until: int = 0


class GuessRecords:
    """Kept beside the request counts, and gone by themselves when there is nothing left to remember."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rate_limits_table, ("key",))

    def get(self, subject: str) -> Guesses:
        """What is remembered of a subject, as last written."""
        item = self._table.get({"key": subject}, consistent=True) or {}
        return Guesses(*(int(item.get(name, 0)) for name in ("forgotten_at", "wait_until", "known_until")))

    def put(self, subject: str, guesses: Guesses) -> None:
        """Remembers this in place of whatever there was."""
        self._table.put(_item(subject, guesses))

    def replace(self, subject: str, seen: Guesses, guesses: Guesses) -> None:
        """Remembers this in place of what was seen.

        Raises:
            Conflict: another request was first.
        """
        self._table.put(
            _item(subject, guesses),
            "attribute_not_exists(#key) OR (#forgotten = :forgotten AND #wait = :wait)",
            {":forgotten": seen.forgotten_at, ":wait": seen.wait_until},
            {"#key": "key", "#forgotten": "forgotten_at", "#wait": "wait_until"},
        )


def _item(subject: str, guesses: Guesses) -> dict[str, object]:
    # Never 0: what expired more than five years ago, DynamoDB keeps for good.
    expires_at = max(guesses.forgotten_at, guesses.wait_until, guesses.known_until, int(time.time()))
    return {"key": subject, **asdict(guesses), "expires_at": expires_at}
