"""Admission of a request: its rate limit, its user, and the role that its route requires."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from retainstream.http.events import HttpEvent
from retainstream.http.problems import Problem
from retainstream.http.routes import OWN_LIMIT, PUBLIC, ROLE, UNCOUNTED, WITH_FIRST_PASSWORD
from retainstream.http.visitor import network_of
from retainstream.roles import Principal, Role
from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS, TOKEN_LIFETIME_SECONDS, Settings
from retainstream.storage.rate_limits import RateLimits, Usage
from retainstream.storage.secret import Secret

SIGN_INS_OF_A_KNOWN_BROWSER = 20
"""Sign-ins in a window from a browser that is known for the account, after others have used up the limit of its address."""

type KnownBrowser = Callable[[HttpEvent], str | None]
"""The subject under which a request from a known browser is counted; None for every other request."""


@dataclass(frozen=True)
class Limits:
    """The counts of requests, and the parties for which they are kept beside users."""

    counts: RateLimits
    pages_secret: Secret | None
    known_browser: KnownBrowser


@dataclass(frozen=True)
class Admission:
    """The user of an admitted request, and the rate limit headers of the answer."""

    principal: Principal | None
    headers: dict[str, str]


def principal_of(event: HttpEvent) -> Principal | None:
    """The user that the authorizer names; None without a valid token, and where the token expired since."""
    context = event.get("requestContext", {}).get("authorizer", {}).get("lambda") or {}
    if not context.get("userId") or int(context["tokenExpires"]) <= time.time():
        return None
    return Principal(
        user_id=context["userId"],
        role=Role(context["role"]),
        token_id=context["tokenId"],
        token_expires=int(context["tokenExpires"]),
        must_change_password="mustChangePassword" in context,
    )


def admit(event: HttpEvent, stated: Mapping[str, object], limits: Limits, settings: Settings) -> Admission:
    """Admits a request to a route whose options are `stated`.

    Raises:
        Problem: too-many-requests, unauthenticated, password-change-required, or forbidden.
    """
    principal = principal_of(event)
    role = str(stated[ROLE])
    headers: dict[str, str] = {}
    if not stated.get(UNCOUNTED):
        counted = _count(limits.counts, *_subject(event, stated, principal, limits, settings))
        if counted.over and not principal and (browser := limits.known_browser(event)):
            counted = _count(limits.counts, browser, SIGN_INS_OF_A_KNOWN_BROWSER)
        headers = counted.headers()
        principal = counted.admit(principal)
    if role == PUBLIC:
        return Admission(principal, headers)
    if principal is None:
        raise unauthenticated(headers)
    if principal.must_change_password and not stated.get(WITH_FIRST_PASSWORD):
        raise Problem(
            "password-change-required",
            "An administrator chose your password. Choose your own with POST /api/auth/password, and use the token of its answer.",
            headers=headers,
        )
    if not principal.role.includes(Role(role)):
        raise Problem("forbidden", f"This route needs the role {role}; yours is {principal.role}.", headers=headers)
    return Admission(principal, headers)


def unauthenticated(headers: Mapping[str, str] | None = None) -> Problem:
    """The answer to every token that is missing, expired, revoked or otherwise invalid."""
    return Problem(
        "unauthenticated",
        "Send a valid token from /api/auth/login as Authorization: Bearer.",
        headers={**(headers or {}), "WWW-Authenticate": "Bearer"},
    )


@dataclass(frozen=True)
class _Counted:
    """A counted request: the usage of this window, which ends in `reset` seconds, and its limit."""

    usage: Usage
    limit: int
    reset: int

    @property
    def over(self) -> bool:
        return self.usage.count > self.limit

    def headers(self) -> dict[str, str]:
        left = max(0, self.limit - self.usage.count)
        return {"RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(left), "RateLimit-Reset": str(self.reset)}

    def admit(self, principal: Principal | None) -> Principal | None:
        """The user with the role of now.

        Raises:
            Problem: unauthenticated or too-many-requests.
        """
        if principal:
            issued_at = principal.token_expires - TOKEN_LIFETIME_SECONDS
            if principal.token_id in self.usage.revoked_tokens or issued_at < self.usage.tokens_valid_from:
                raise unauthenticated(self.headers())
            principal = replace(principal, role=self.usage.role or principal.role)
        if self.over:
            again = {"Retry-After": str(self.reset)}
            raise Problem("too-many-requests", f"Try again in {self.reset} seconds.", headers=self.headers() | again)
        return principal


def _count(counts: RateLimits, subject: str, limit: int) -> _Counted:
    now = int(time.time())
    window, elapsed = divmod(now, RATE_LIMIT_WINDOW_SECONDS)
    reset = RATE_LIMIT_WINDOW_SECONDS - elapsed
    return _Counted(counts.count(subject, window, now + reset + RATE_LIMIT_WINDOW_SECONDS), limit, reset)


def _subject(
    event: HttpEvent, stated: Mapping[str, object], principal: Principal | None, limits: Limits, settings: Settings
) -> tuple[str, int]:
    """The counted party of a request, and its limit in a window."""
    if principal:
        return f"user#{principal.user_id}", settings.rate_limit_user
    address = f"ip#{network_of(event, limits.pages_secret)}"
    if own_limit := stated.get(OWN_LIMIT):
        return f"{address}#{event['requestContext']['http']['path']}", int(str(own_limit))
    return address, settings.rate_limit_anonymous
