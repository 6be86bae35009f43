"""The authorizer: API Gateway calls it for every route that is not public, and caches its answer per token for five minutes.

The answer always admits the request to the edge of the module, with the user or with `refused`, so that every refusal is the same problem
document. When a table or the signing key does not answer, the function raises: API Gateway then answers 500, caches nothing, and calls no
module.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from retainstream.accounts.sessions import Sessions
from retainstream.accounts.tokens import InvalidToken, Realm
from retainstream.settings import settings
from retainstream.telemetry.lines import logger_of

if TYPE_CHECKING:
    from retainstream.http.events import AuthorizerAnswer, HttpEvent

logger = logger_of("authorizer")


@cache
def sessions() -> Sessions:
    return Sessions(Realm(settings().token_issuer, settings().token_audience))


def handler(event: "HttpEvent", context: Any) -> "AuthorizerAnswer":  # noqa: ARG001
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
            **({"mustChangePassword": "1"} if principal.must_change_password else {}),
        },
    }


def bearer_token(event: "HttpEvent") -> str:
    """The token of a header `Authorization: Bearer <token>`.

    Raises:
        InvalidToken: the header is missing or has another form.
    """
    header = next((value for name, value in (event.get("headers") or {}).items() if name.lower() == "authorization"), "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("no bearer token")
    return token
