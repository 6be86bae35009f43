"""HTTP requests as API Gateway's payload 2.0, and answers of functions back to HTTP."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.isolation import ACCOUNT
from local.routes import Route

MAX_BODY_BYTES = 10 * 1024 * 1024
_CORS_HEADERS = "access-control-"


@dataclass(frozen=True)
class Request:
    """An HTTP request as received: path and query percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str
    request_id: str

    @property
    def decoded_path(self) -> str:
        """The path as API Gateway gives it to functions: an HTTP API decodes it once, so %2F separates segments too."""
        return unquote(self.path, errors="replace")

    def header(self, name: str) -> str | None:
        """All values of a header, joined by commas as in events; None when it is absent."""
        values = [value for header, value in self.headers if header == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MalformedAnswerError(Exception):
    """A function's answer is not an HTTP answer."""


def request_event(request: Request, route: Route, parameters: Mapping[str, str], context: Mapping[str, Any] | None) -> dict[str, Any]:
    """The event of a route. `context` comes from the authorizer, None for routes without authorizer."""
    event = _common(request, route, parameters)
    if context is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(context)}
    if request.body:
        try:
            event["body"] = request.body.decode()
        except UnicodeDecodeError:
            event["body"] = base64.b64encode(request.body).decode()
            event["isBase64Encoded"] = True
    return event


def authorizer_event(request: Request, route: Route, parameters: Mapping[str, str], identity: Sequence[str]) -> dict[str, Any]:
    """The event of a REQUEST authorizer, payload 2.0."""
    event = _common(request, route, parameters)
    del event["isBase64Encoded"]
    method = request.method
    arn = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:local/$default/{method}{event['rawPath']}"
    return {**event, "type": "REQUEST", "routeArn": arn, "identitySource": list(identity)}


def _common(request: Request, route: Route, parameters: Mapping[str, str]) -> dict[str, Any]:
    now = time.time()
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in request.headers:
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = request.decoded_path
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": headers.get("host", "localhost").split(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": route.key,
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": round(1000 * now),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if request.query:
        grouped: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True, errors="replace"):
            grouped.setdefault(name, []).append(value)
        event["queryStringParameters"] = {name: ",".join(values) for name, values in grouped.items()}
    if parameters:
        event["pathParameters"] = dict(parameters)
    return event


def http_answer(answer: Any) -> HttpAnswer:
    """A function's answer as an HTTP response. An answer without statusCode is the body of a 200.

    Raises:
        MalformedAnswerError: the status, headers or body have the wrong type.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        plain = answer if isinstance(answer, str) else json.dumps(answer)
        return HttpAnswer(200, [("content-type", "application/json")], plain.encode())
    try:
        status = int(answer["statusCode"])
        headers = [(name.lower(), str(value)) for name, value in (answer.get("headers") or {}).items()]
        headers = [header for header in headers if not header[0].startswith(_CORS_HEADERS) and header[0] != "content-length"]
        headers += [("set-cookie", cookie) for cookie in answer.get("cookies") or ()]
        text = answer.get("body") or ""
        body = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedAnswerError(str(error)) from error
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    return HttpAnswer(status, headers, body)
