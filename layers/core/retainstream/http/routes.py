"""The options of a route: the role it requires, and its caller."""

from typing import Annotated, TypedDict

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header

from retainstream.roles import Principal, Role

ROLE = "x-role"
UNCOUNTED = "x-uncounted"
OWN_LIMIT = "x-own-limit"
WITH_FIRST_PASSWORD = "x-with-first-password"  # noqa: S105
PROBLEMS = "x-problems"
LARGEST_BODY = "x-largest-body"
PUBLIC = "public"


class RouteOptions(TypedDict):
    """Keyword arguments of a route."""

    openapi_extensions: dict[str, str | bool | int | list[str]]
    security: list[dict[str, list[str]]]


def requires(role: Role, *problems: str, with_first_password: bool = False, largest_body: int = 0) -> RouteOptions:
    """Route options: the lowest role that may call it, and the problems it answers beside the usual ones. `with_first_password`: whether
    a user may call it who has not yet changed the password that an administrator chose. `largest_body`: the bytes that its body may have,
    where these are more than those of other routes.

    Use as `@app.get(path, **requires(Role.VIEWER, "conflict"))`.
    """
    extensions: dict[str, str | bool | int | list[str]] = {ROLE: role.value, PROBLEMS: list(problems)}
    if with_first_password:
        extensions[WITH_FIRST_PASSWORD] = True
    if largest_body:
        extensions[LARGEST_BODY] = largest_body
    return {"openapi_extensions": extensions, "security": [{"token": []}]}


def public(*problems: str, counted: bool = True, own_limit: int = 0) -> RouteOptions:
    """Route options: anyone may call it without a token.

    `counted`: whether a call counts against a rate limit. `own_limit`: so many calls of an address in a window are counted apart from its
    other requests; 0 counts them together. Such a route has a fixed path.
    """
    extensions: dict[str, str | bool | int | list[str]] = {ROLE: PUBLIC, UNCOUNTED: not counted, PROBLEMS: list(problems)}
    return {"openapi_extensions": extensions | ({OWN_LIMIT: own_limit} if own_limit else {}), "security": [{}]}


def _principal(request: Request) -> Principal:
    principal: Principal = request.context["principal"]
    return principal


Caller = Annotated[Principal, Depends(_principal)]
"""A route parameter of this type receives the caller."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="idempotency-key",
        min_length=1,
        max_length=200,
        description="The same key with the same body has its effect once; with another body it is refused, for a day",
    ),
]
"""A route parameter of this type receives the key of a request that may be repeated."""
