"""Whether a request may pass: rate limit, who it comes from, and the role its route asks for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from retainstream.http.problems import Problem
from retainstream.http.routes import PUBLIC, ROLE, UNCOUNTED
from retainstream.http.visitor import network_of
from retainstream.roles import Principal, Role
from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS, TOKEN_LIFETIME_SECONDS, Settings
from retainstream.storage.rate_limits import RateLimits


@dataclass(frozen=True)
class Admission:
    """Who came in, and the rate limit headers of the answer."""

    principal: Principal | None
    headers: dict[str, str]


def principal_of(event: Mapping[str, Any]) -> Principal | None:
    """Who the authorizer says is calling; None without a valid token, or with one that expired since the authorizer looked."""
    context = event.get("requestContext", {}).get("authorizer", {}).get("lambda") or {}
    if not context.get("userId") or int(context["tokenExpires"]) <= time.time():
        return None
    return Principal(context["userId"], Role(context["role"]), context["tokenId"], int(context["tokenExpires"]))


def admit(event: Mapping[str, Any], stated: Mapping[str, Any], limits: RateLimits, settings: Settings) -> Admission:
    """Lets a request in to a route that states `stated`.

    Raises:
        Problem: too-many-requests, unauthenticated, or forbidden.
    """
    principal = principal_of(event)
    role = stated[ROLE]
    headers: dict[str, str] = {}
    if not stated.get(UNCOUNTED):
        principal, headers = _count(event, principal, limits, settings)
    if role == PUBLIC:
        return Admission(principal, headers)
    if principal is None:
        raise unauthenticated(headers)
    if not principal.role.includes(Role(role)):
        raise Problem("forbidden", f"This needs the role {role}; yours is {principal.role}.", headers=headers)
    return Admission(principal, headers)


def unauthenticated(headers: Mapping[str, str] | None = None) -> Problem:
    """The one answer to a token that is absent, expired, revoked or wrong in any other way."""
    return Problem(
        "unauthenticated",
        "Send a valid token from /api/auth/login as Authorization: Bearer.",
        headers={**(headers or {}), "WWW-Authenticate": "Bearer"},
    )


def _count(
    event: Mapping[str, Any], principal: Principal | None, limits: RateLimits, settings: Settings
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
