"""Admission of a request: its rate limit, its user, and the role that its route requires."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from retainstream.http.events import HttpEvent
from retainstream.http.problems import Problem
from retainstream.http.routes import PUBLIC, ROLE, UNCOUNTED
from retainstream.http.visitor import network_of
from retainstream.roles import Principal, Role
from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS, TOKEN_LIFETIME_SECONDS, Settings
from retainstream.storage.rate_limits import RateLimits


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
    return Principal(context["userId"], Role(context["role"]), context["tokenId"], int(context["tokenExpires"]))


def admit(event: HttpEvent, stated: Mapping[str, object], limits: RateLimits, settings: Settings) -> Admission:
    """Admits a request to a route whose options are `stated`.

    Raises:
        Problem: too-many-requests, unauthenticated, or forbidden.
    """
    principal = principal_of(event)
    role = str(stated[ROLE])
    headers: dict[str, str] = {}
    if not stated.get(UNCOUNTED):
        principal, headers = _count(event, principal, limits, settings)
    if role == PUBLIC:
        return Admission(principal, headers)
    if principal is None:
        raise unauthenticated(headers)
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


def _count(
    event: HttpEvent, principal: Principal | None, limits: RateLimits, settings: Settings
) -> tuple[Principal | None, dict[str, str]]:
    now = int(time.time())
    window, elapsed = divmod(now, RATE_LIMIT_WINDOW_SECONDS)
    reset = RATE_LIMIT_WINDOW_SECONDS - elapsed
    if principal:
        subject, limit = f"user#{principal.user_id}", settings.rate_limit_user
    else:
        subject, limit = f"ip#{network_of(event)}", settings.rate_limit_anonymous
    usage = limits.count(subject, window, now + reset + RATE_LIMIT_WINDOW_SECONDS)
    headers = {"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(max(0, limit - usage.count)), "RateLimit-Reset": str(reset)}
    if principal:
        issued_at = principal.token_expires - TOKEN_LIFETIME_SECONDS
        if principal.token_id in usage.revoked_tokens or issued_at < usage.tokens_valid_from:
            raise unauthenticated(headers)
        principal = replace(principal, role=usage.role or principal.role)
    if usage.count > limit:
        raise Problem("too-many-requests", f"Try again in {reset} seconds.", headers={**headers, "Retry-After": str(reset)})
    return principal, headers
