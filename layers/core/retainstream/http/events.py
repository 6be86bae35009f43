"""The events and answers of API Gateway's HTTP API, payload format 2.0, as far as the functions read and write them."""

from typing import NotRequired, TypedDict


class Caller(TypedDict, total=False):
    """The authorizer's statement about a request: the user and the token, or a refusal. All values are text."""

    userId: str
    role: str
    tokenId: str
    tokenExpires: str
    mustChangePassword: str
    refused: str


class AuthorizerAnswer(TypedDict):
    """The answer of a Lambda authorizer, in the simple format."""

    isAuthorized: bool
    context: Caller


class Request(TypedDict):
    """The request line, and the address of the other end of the connection."""

    method: str
    path: str
    sourceIp: str


Authorizer = TypedDict("Authorizer", {"lambda": Caller | None}, total=False)


class RequestContext(TypedDict):
    requestId: str
    http: Request
    authorizer: NotRequired[Authorizer]


class HttpEvent(TypedDict):
    """A request."""

    requestContext: RequestContext
    rawPath: NotRequired[str]
    rawQueryString: NotRequired[str]
    headers: NotRequired[dict[str, str]]
    cookies: NotRequired[list[str] | None]
    body: NotRequired[str | None]
    isBase64Encoded: NotRequired[bool]


class HttpAnswer(TypedDict):
    """An answer."""

    statusCode: int
    headers: NotRequired[dict[str, str]]
    cookies: NotRequired[list[str]]
    body: NotRequired[str]
    isBase64Encoded: NotRequired[bool]
