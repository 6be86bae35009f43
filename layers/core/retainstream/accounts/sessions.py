"""Signed-in sessions: opened by a token, recognised by it, closed before their time by revoking it.

A token is refused when it was given back, when its user is gone or disabled, or when it is older than the user's
`tokens_valid_from`. API Gateway keeps the authorizer's answer for up to five minutes; what changes within that time counts
at once all the same, because the edge learns of it from the record in which it counts the user's requests.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from retainstream.accounts import tokens
from retainstream.roles import Principal
from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS
from retainstream.storage.rate_limits import RateLimits
from retainstream.storage.revoked_tokens import RevokedTokens
from retainstream.storage.signing_key import SigningKey
from retainstream.storage.users import User, Users


@dataclass(frozen=True)
class Session:
    """A token and when it ends (epoch seconds)."""

    user: User
    token: str
    expires_at: int


@dataclass(frozen=True)
class Sessions:
    """Every method raises StorageUnavailable when the tables or the signing key cannot be reached."""

    realm: tokens.Realm
    users: Users = field(default_factory=Users)
    revoked_tokens: RevokedTokens = field(default_factory=RevokedTokens)
    rate_limits: RateLimits = field(default_factory=RateLimits)
    signing_key: SigningKey = field(default_factory=SigningKey)
    clock: Callable[[], float] = time.time

    def open(self, user: User) -> Session:
        """Issues a token. It is never older than what the user's tokens must be at least."""
        issued_at = max(int(self.clock()), user.tokens_valid_from)
        token, claims = tokens.issue(
            user.email, issued_at=issued_at, realm=self.realm, kid=self._verifying_key().kid, sign=self.signing_key.sign
        )
        return Session(user, token, claims.exp)

    def recognise(self, token: str) -> Principal:
        """Whose token this is. The role is the stored user's, not the token's.

        Raises:
            InvalidToken: it lets nobody in.
        """
        claims = tokens.verify(token, self._verifying_key(), realm=self.realm, now=self.clock())
        if self.revoked_tokens.contains(claims.jti):
            raise tokens.InvalidToken("revoked")
        user = self.users.get(claims.sub)
        if user is None or user.status != "active":
            raise tokens.InvalidToken("nobody's, or a disabled user's")
        if claims.iat < user.tokens_valid_from:
            raise tokens.InvalidToken("older than the user's last change")
        return Principal(user.email, user.role, claims.jti, claims.exp)

    def close(self, principal: Principal) -> None:
        """Revokes the token a request came with, at once and for good. Closing twice is closing once.

        The record that refuses the next request is written last: until all is done, the same request can be made again.
        """
        self.revoked_tokens.add(principal.token_id, principal.token_expires)
        windows, expires_at = self._windows_remembered()
        self.rate_limits.revoke(f"user#{principal.user_id}", windows, principal.token_id, expires_at)

    def changed(self, user: User) -> None:
        """Makes what is stored of a user count at once for tokens that are out."""
        windows, expires_at = self._windows_remembered()
        self.rate_limits.tell(
            f"user#{user.email}", windows, tokens_valid_from=user.tokens_valid_from, role=user.role, expires_at=expires_at
        )

    def first_moment_after_now(self) -> int:
        """The epoch second from which on new tokens are told from those issued until now."""
        return int(self.clock()) + 1

    def _windows_remembered(self) -> tuple[list[int], int]:
        """The windows in which API Gateway may remember what is said of a token now, and when nobody needs their records any more; the
        present one last, which is the one that refuses the request when it is made again."""
        window = int(self.clock()) // RATE_LIMIT_WINDOW_SECONDS
        return [window + 1, window], (window + 3) * RATE_LIMIT_WINDOW_SECONDS

    def _verifying_key(self) -> tokens.VerifyingKey:
        return _verifying_key(self.signing_key.public_key().der)


@lru_cache(maxsize=2)
def _verifying_key(der: bytes) -> tokens.VerifyingKey:
    return tokens.VerifyingKey(der)
