"""Request counts per subject and window, with the changes of a user's account in that window.

Every counted request writes the record and gets it back, so the edge learns of a change without another read.
"""

from dataclasses import dataclass

from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.errors import Conflict
from retainstream.storage.table import Table


@dataclass(frozen=True)
class Usage:
    """The answer to a counted request: the number of requests in this window, including this one, and the changes of the user's account:
    revoked tokens, the earliest issue time of valid tokens (epoch seconds), and a new role."""

    count: int
    revoked_tokens: frozenset[str] = frozenset()
    tokens_valid_from: int = 0
    role: Role | None = None


class AllowanceSpent(Exception):
    """A user has used up an allowance; `seconds` is the time until the next window."""

    def __init__(self, seconds: int) -> None:
        super().__init__("allowance spent")
        self.seconds = seconds


class RateLimits:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rate_limits_table, ("key",))

    def count(self, subject: str, window: int, expires_at: int, requests: int = 1) -> Usage:
        """Counts requests of `subject` in `window`; a negative number takes them back. The record expires at `expires_at` (epoch
        seconds)."""
        item = self._table.update(
            {"key": f"{subject}#{window}"},
            "ADD #hits :requests SET #expires = :expires",
            {":requests": requests, ":expires": expires_at},
            {"#hits": "hits", "#expires": "expires_at"},
        )
        role = item.get("role")
        return Usage(item["hits"], frozenset(item.get("revoked", ())), item.get("tokens_valid_from", 0), Role(role) if role else None)

    def revoke(self, subject: str, windows: list[int], token_id: str, expires_at: int) -> None:
        """Makes counted requests in these windows refuse a token."""
        for window in windows:
            self._table.update(
                {"key": f"{subject}#{window}"},
                "ADD #hits :none, #revoked :token SET #expires = :expires",
                {":none": 0, ":token": {token_id}, ":expires": expires_at},
                {"#hits": "hits", "#revoked": "revoked", "#expires": "expires_at"},
            )

    def tell(self, subject: str, windows: list[int], *, tokens_valid_from: int, role: Role, expires_at: int) -> None:
        """Makes counted requests in these windows see the user's role and the moment from which tokens are valid. The moment only grows,
        in whatever order two changes arrive."""
        names = {"#hits": "hits", "#role": "role", "#expires": "expires_at"}
        values = {":none": 0, ":role": role.value, ":expires": expires_at}
        for window in windows:
            key = {"key": f"{subject}#{window}"}
            try:
                self._table.update(
                    key,
                    "ADD #hits :none SET #from = :from, #role = :role, #expires = :expires",
                    {**values, ":from": tokens_valid_from},
                    {**names, "#from": "tokens_valid_from"},
                    "attribute_not_exists(#from) OR #from <= :from",
                )
            except Conflict:
                self._table.update(key, "ADD #hits :none SET #role = :role, #expires = :expires", values, names)
