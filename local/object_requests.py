"""S3's answers to signed links: an object is downloaded, uploaded, or uploaded in parts. Nothing else of S3 is reachable."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import boto3
from botocore.exceptions import ClientError
from werkzeug.http import parse_range_header

from local.http_event import Request
from local.objects import ArrivedBody, find_object, parts_of, pieces, put_arrived, put_arrived_part
from local.routes import Cors
from local.signed_links import RefusedError, SignedLinks

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Headers = list[tuple[str, str]]

_PART = {"uploadId", "partNumber"}
_OF_THE_ANSWER = {"response-content-disposition": "content-disposition", "response-content-type": "content-type"}
_POLICY = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_NO_PAGE: Headers = [("content-security-policy", _POLICY), ("x-content-type-options", "nosniff")]
"""A browser that shows an object runs nothing in it. On this machine an object has the origin of the dashboard, in AWS one of its own."""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Headers
    size: int = 0
    content: Iterable[bytes] = ()


class ObjectRequests:
    """The objects of the buckets in `rules`, which holds the CORS rules of each bucket. A page of another origin is refused."""

    def __init__(self, links: SignedLinks, rules: Mapping[str, Sequence[Cors]]) -> None:
        self._links = links
        self._rules = rules

    def answers(self, request: Request) -> bool:
        """Whether the path is in a bucket."""
        return _place(request)[0] in self._rules

    async def answer(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer a request whose body, if it has one, is not received yet. Without a good link no body is received."""
        origin = request.header("origin")
        shared: Headers = []
        try:
            rule = self._rule(request, origin)
            if rule is not None:
                shared = rule.response_headers(origin)
            if rule is not None and _asks_for(request):
                answer = _Answer(200, rule.preflight_headers(origin))
            else:
                answer = await self._carry_out(request, receive)
                answer.headers.extend(shared)
        except RefusedError as error:
            answer = _refusal(error, shared)
        await _send(answer, send)

    def _rule(self, request: Request, origin: str | None) -> Cors | None:
        if origin is None:
            return None
        rules = [rule for rule in self._rules[_place(request)[0]] if rule.allows(origin)]
        if not rules:
            raise RefusedError(403, "AccessForbidden", "Pages of this origin may not use the bucket.")
        method = _asks_for(request) or request.method
        return next((rule for rule in rules if method in rule.methods), None)

    async def _carry_out(self, request: Request, receive: Receive) -> _Answer:
        parameters = self._links.check(request)
        bucket, key = _place(request)
        if key and request.method == "GET" and parameters.keys() <= _OF_THE_ANSWER.keys():
            return await asyncio.to_thread(_download, bucket, key, request.header("range"), parameters)
        if key and request.method == "PUT" and not parameters:
            stored = {name.title(): value for name in ("content-type", "content-encoding") if (value := request.header(name))}
            body = await _body(request, receive)
            return _Answer(200, [("etag", await asyncio.to_thread(put_arrived, bucket, key, stored, body))])
        if key and request.method == "PUT" and parameters.keys() == _PART:
            parts = parts_of(bucket, key, parameters["uploadId"])
            if parts is None:
                raise RefusedError(404, "NoSuchUpload", "The upload does not exist, is complete or was aborted.")
            body = await _body(request, receive)
            return _Answer(200, [("etag", await asyncio.to_thread(put_arrived_part, parts, int(parameters["partNumber"]), body))])
        raise RefusedError(403, "AccessDenied", "A link downloads an object, uploads an object or uploads a part of an object.")


def upload_rules(buckets: Iterable[str], port: int) -> dict[str, list[Cors]]:
    """The CORS rules of each bucket, which also allow the pages at `port`, under each name of this machine."""
    own = (f"http://localhost:{port}", f"http://127.0.0.1:{port}")
    return {bucket: [_cors(rule, own) for rule in _configured(bucket)] for bucket in buckets}


def _configured(bucket: str) -> list[Any]:
    try:
        return list(boto3.client("s3").get_bucket_cors(Bucket=bucket)["CORSRules"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
            raise
        return []


def _cors(rule: Mapping[str, Any], own: tuple[str, ...]) -> Cors:
    return Cors(
        (*rule["AllowedOrigins"], *own),
        tuple(rule["AllowedMethods"]),
        tuple(rule.get("AllowedHeaders", ())),
        tuple(rule.get("ExposeHeaders", ())),
        rule.get("MaxAgeSeconds"),
    )


def _place(request: Request) -> tuple[str, str]:
    bucket, _, key = request.decoded_path.removeprefix("/").partition("/")
    return bucket, key


def _asks_for(request: Request) -> str | None:
    """The method that a preflight request asks for; None for other requests."""
    return request.header("access-control-request-method") if request.method == "OPTIONS" else None


async def _body(request: Request, receive: Receive) -> ArrivedBody:
    length = request.header("content-length") or ""
    if not length.isdecimal():
        raise RefusedError(411, "MissingContentLength", "An upload announces its size.")
    body = ArrivedBody()
    more = True
    while more:
        message = await receive()
        body.add(message.get("body", b""))
        more = message.get("more_body", False)
    if body.size != int(length):
        raise RefusedError(400, "IncompleteBody", "The upload ended before its announced size.")
    return body


def _download(bucket: str, key: str, asked: str | None, parameters: Mapping[str, str]) -> _Answer:
    stored = find_object(bucket, key)
    if stored is None:
        raise RefusedError(404, "NoSuchKey", "The object does not exist.")
    headers = {"content-type": stored.metadata["content-type"], "etag": stored.etag, "last-modified": stored.last_modified_RFC1123}
    if "content-encoding" in stored.metadata:
        headers["content-encoding"] = stored.metadata["content-encoding"]
    headers |= {_OF_THE_ANSWER[name]: value for name, value in parameters.items()}
    headers |= {"accept-ranges": "bytes", **dict(_NO_PAGE)}
    wanted = parse_range_header(asked)
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1:
        return _Answer(200, list(headers.items()), stored.size, pieces(stored, 0, stored.size))
    part = wanted.range_for_length(stored.size)
    if part is None:
        refused = _refusal(RefusedError(416, "InvalidRange", "The object has no such bytes."), [])
        return _Answer(416, [*refused.headers, ("content-range", f"bytes */{stored.size}")], refused.size, refused.content)
    place = f"bytes {part[0]}-{part[1] - 1}/{stored.size}"
    return _Answer(206, [*headers.items(), ("content-range", place)], part[1] - part[0], pieces(stored, *part))


def _refusal(error: RefusedError, shared: Headers) -> _Answer:
    said = escape(str(error), quote=False)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code><Message>{said}</Message></Error>'
    content = text.encode()
    return _Answer(error.status, [("content-type", "application/xml"), *_NO_PAGE, *shared], len(content), (content,))


async def _send(answer: _Answer, send: Send) -> None:
    headers = [*answer.headers, ("content-length", str(answer.size))]
    encoded = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    left = iter(answer.content)
    while piece := await asyncio.to_thread(next, left, b""):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
