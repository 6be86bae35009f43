"""Request counts per subject and window, with the tokens revoked in that window beside them."""

from dataclasses import dataclass

from retainstream.settings import settings
from retainstream.storage.table import Table


@dataclass(frozen=True)
class Usage:
    """What a counted request learns: how many there were in this window, itself included, and which tokens were revoked."""

    count: int
    revoked_tokens: frozenset[str]


class RateLimits:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rate_limits_table, ("key",))

    def count(self, subject: str, window: int, expires_at: int) -> Usage:
        """Counts one request of `subject` in `window`; the record goes away after `expires_at` (epoch seconds)."""
        item = self._table.update(
            {"key": f"{subject}#{window}"},
            "ADD #hits :one SET #expires = :expires",
            {":one": 1, ":expires": expires_at},
            {"#hits": "hits", "#expires": "expires_at"},
        )
        return Usage(item["hits"], frozenset(item.get("revoked", ())))

    def revoke(self, subject: str, windows: list[int], token_id: str, expires_at: int) -> None:
        """Makes the counted requests of these windows refuse a token."""
        for window in windows:
            self._table.update(
                {"key": f"{subject}#{window}"},
                "ADD #hits :none, #revoked :token SET #expires = :expires",
                {":none": 0, ":token": {token_id}, ":expires": expires_at},
                {"#hits": "hits", "#revoked": "revoked", "#expires": "expires_at"},
            )
