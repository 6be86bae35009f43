"""What a route states about itself: who may call it, and who is calling."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from retainstream.roles import Principal, Role

ROLE = "x-role"
UNCOUNTED = "x-uncounted"
PROBLEMS = "x-problems"
PUBLIC = "public"


def requires(role: Role, *problems: str) -> dict[str, Any]:
    """Route options: the least role that may call it, and the problems it answers besides those every such route may.

    Use as `@app.get(path, **requires(Role.VIEWER, "conflict"))`.
    """
    return {"openapi_extensions": {ROLE: role.value, PROBLEMS: list(problems)}, "security": [{"token": []}]}


def public(*problems: str, counted: bool = True) -> dict[str, Any]:
    """Route options: anyone may call it, without a token. `counted` tells whether it counts against the rate limit."""
    return {"openapi_extensions": {ROLE: PUBLIC, UNCOUNTED: not counted, PROBLEMS: list(problems)}, "security": [{}]}


def _principal(request: Request) -> Principal:
    principal: Principal = request.context["principal"]
    return principal


Caller = Annotated[Principal, Depends(_principal)]
"""A route parameter of this type receives who is calling."""
