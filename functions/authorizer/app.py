"""Who sends a request: asked by API Gateway for every route that is not public, remembered by it per token for five minutes.

The answer always lets the request through to the edge of the module, with the user or with `refused`, so that every
refusal is the same problem document. When a table or the signing key does not answer, this raises: API Gateway then
answers 500 by itself, remembers nothing, and no module is called.
"""

from functools import cache
from typing import Any

from retainstream.accounts.sessions import Sessions
from retainstream.accounts.tokens import InvalidToken, Realm
from retainstream.settings import settings
from retainstream.telemetry.lines import logger_of

logger = logger_of("authorizer")


@cache
def sessions() -> Sessions:
    return Sessions(Realm(settings().token_issuer, settings().token_audience))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Answers a REQUEST authorizer event (payload 2.0) with a simple response."""
    try:
        principal = sessions().recognise(bearer_token(event))
    except InvalidToken as refusal:
        request_id = event["requestContext"]["requestId"]
        logger.info("token refused", extra={"request_id": request_id, "correlation_id": request_id, "reason": str(refusal)})
        return {"isAuthorized": True, "context": {"refused": "1"}}
    return {
        "isAuthorized": True,
        "context": {
            "userId": principal.user_id,
            "role": principal.role.value,
            "tokenId": principal.token_id,
            "tokenExpires": str(principal.token_expires),
        },
    }


def bearer_token(event: dict[str, Any]) -> str:
    """The token of an Authorization header of the form `Bearer <token>`.

    Raises:
        InvalidToken: the header is absent or of another form.
    """
    header = next((value for name, value in (event.get("headers") or {}).items() if name.lower() == "authorization"), "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("no bearer token")
    return token
