"""What a route states about itself: who may call it, and who is calling."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from retainstream.auth.roles import Principal, Role

ROLE = "x-role"
UNCOUNTED = "x-uncounted"
PUBLIC = "public"


def requires(role: Role) -> dict[str, Any]:
    """Route options: the least role that may call it. Use as `@app.get(path, **requires(Role.VIEWER))`."""
    return {"openapi_extensions": {ROLE: role.value}, "security": [{"token": []}]}


def public(*, counted: bool = True) -> dict[str, Any]:
    """Route options: anyone may call it, without a token. `counted` tells whether it counts against the rate limit."""
    return {"openapi_extensions": {ROLE: PUBLIC, UNCOUNTED: not counted}, "security": [{}]}


def _principal(request: Request) -> Principal:
    principal: Principal = request.context["principal"]
    return principal


Caller = Annotated[Principal, Depends(_principal)]
"""A route parameter of this type receives who is calling."""
