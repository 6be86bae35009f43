"""Sessions: opened by issuing a token, recognised by the token, and closed early by revoking it.

A token is refused when it was revoked, when its user does not exist or is disabled, or when it is older than the user's
`tokens_valid_from`. API Gateway caches the authorizer's answer for up to five minutes. A change within that time still counts at once,
because the edge reads it from the record in which it counts the user's requests.
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
    """A user's token, and the moment at which it expires (epoch seconds)."""

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
        """Issues a token. Its moment is not before the user's `tokens_valid_from`."""
        issued_at = max(int(self.clock()), user.tokens_valid_from)
        token, claims = tokens.issue(
            user.email, issued_at=issued_at, realm=self.realm, kid=self._verifying_key().kid, sign=self.signing_key.sign
        )
        return Session(user, token, claims.exp)

    def recognise(self, token: str) -> Principal:
        """The user of a token. The role is that of the stored user, not of the token.

        Raises:
            InvalidToken: the token is not valid.
        """
        claims = tokens.verify(token, self._verifying_key(), realm=self.realm, now=self.clock())
        if self.revoked_tokens.contains(claims.jti):
            raise tokens.InvalidToken("revoked")
        user = self.users.get(claims.sub)
        if user is None or user.status != "active":
            raise tokens.InvalidToken("unknown or disabled user")
        if claims.iat < user.tokens_valid_from:
            raise tokens.InvalidToken("older than the user's last change")
        return Principal(user.email, user.role, claims.jti, claims.exp, user.must_change_password)

    def close(self, principal: Principal) -> None:
        """Revokes the token of a request, at once and for good. Closing twice has no further effect.

        The record that refuses the next request is written last: until then the same request can be made again.
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
        """The windows in which API Gateway may cache the present answer for a token, and when their records expire. The present window is
        last, since its record refuses a repeated request."""
        window = int(self.clock()) // RATE_LIMIT_WINDOW_SECONDS
        return [window + 1, window], (window + 3) * RATE_LIMIT_WINDOW_SECONDS

    def _verifying_key(self) -> tokens.VerifyingKey:
        return _verifying_key(self.signing_key.public_key().der)


@lru_cache(maxsize=2)
def _verifying_key(der: bytes) -> tokens.VerifyingKey:
    return tokens.VerifyingKey(der)
