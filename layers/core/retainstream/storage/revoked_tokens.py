"""Tokens that were revoked before they expired."""

from retainstream.settings import settings
from retainstream.storage.table import Table


class RevokedTokens:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().revoked_tokens_table, ("jti",))

    def add(self, token_id: str, expires_at: int) -> None:
        """Keeps a token's id until the token expires (epoch seconds)."""
        self._table.put({"jti": token_id, "expires_at": expires_at})

    def contains(self, token_id: str) -> bool:
        """Whether the token was revoked. The read sees every earlier revocation."""
        return self._table.get({"jti": token_id}, consistent=True) is not None
