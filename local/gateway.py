"""API Gateway's HTTP API on this machine: an ASGI application over the routes of the template."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from local.authorization import Authorization, DeniedError, MissingIdentityError
from local.http_event import MAX_BODY_BYTES, HttpAnswer, MalformedAnswerError, Request, http_answer, request_event
from local.object_requests import ObjectRequests, Receive, Send
from local.pages import Pages
from local.routes import Cors, RouteTable
from local.runtime import FunctionError, Runtime
from retainstream.http.admission import unauthenticated
from retainstream.http.problems import PROBLEM_JSON, Problem

_THREADS = 32
_MAX_EVENT_BYTES = 6 * 1024 * 1024
_API = "/api/"
_DOCUMENTATION = "/api/docs"
_OWN_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
"""Names of this machine. A page that lets its own name lead here (DNS rebinding) sends that name."""


class _BodyTooLargeError(Exception):
    """The request's body is longer than API Gateway accepts."""


class Gateway:
    """The ASGI application. `report` receives failures of functions; the client gets a 500 without details.

    Paths in a bucket belong to `objects`, and every other path outside /api to `pages`; without pages the front page leads to the API's
    documentation. A request by a name that is not this machine's is refused.
    """

    def __init__(
        self,
        routes: RouteTable,
        cors: Cors | None,
        runtime: Runtime,
        report: Callable[[FunctionError], None],
        pages: Pages | None,
        objects: ObjectRequests,
    ) -> None:
        self._routes = routes
        self._cors = cors
        self._runtime = runtime
        self._report = report
        self._pages = pages
        self._objects = objects
        self._authorization = Authorization(runtime)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = _head(scope)
        if not _OWN_HOST.fullmatch(request.header("host") or ""):
            await _send(_problem("forbidden", "The local stack answers by the name localhost or 127.0.0.1 only.", request.request_id), send)
            return
        if self._objects.answers(request):
            await self._objects.answer(request, receive, send)
            return
        try:
            request = replace(request, body=await _body(receive))
        except _BodyTooLargeError:
            answer = _problem("too-large", f"A request may have up to {MAX_BODY_BYTES // 1024 // 1024} MB.", request.request_id)
            answer.headers.append(("connection", "close"))
            await _send(answer, send)
            return
        if _is_preflight(request) and self._cors is not None:
            await _send(HttpAnswer(204, self._cors.preflight_headers(request.header("origin")), b""), send)
            return
        answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, request)
        if self._cors is not None:
            answer.headers.extend(self._cors.response_headers(request.header("origin")))
        await _send(answer, send)

    def close(self) -> None:
        """Release the threads; requests in progress may finish."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: Request) -> HttpAnswer:
        if request.method in ("GET", "HEAD") and not request.decoded_path.startswith(_API):
            page = self._pages.answer(request.decoded_path) if self._pages else None
            if page or request.path == "/":
                return page or HttpAnswer(307, [("location", _DOCUMENTATION)], b"")
        match = self._routes.find(request.method, request.decoded_path)
        if match is None:
            return _problem("not-match", "The API has no such route.", request.request_id)
        route, parameters = match
        try:
            context = self._authorization.context(request, route, parameters)
            event = request_event(request, route, parameters, context)
            if len(request.body) > _MAX_EVENT_BYTES or len(json.dumps(event)) > _MAX_EVENT_BYTES:
                return _problem("too-large", "Functions take up to 6 MB.", request.request_id)
            return http_answer(self._runtime.invoke(route.function, event, request.request_id))
        except MissingIdentityError:
            problem = unauthenticated()
            return _document(problem, request.request_id)
        except DeniedError:
            return _problem("forbidden", "The authorizer refused the request.", request.request_id)
        except FunctionError as error:
            self._report(error)
        except MalformedAnswerError as error:
            self._report(FunctionError(route.function, "MalformedProxyResponse", str(error), []))
        return _problem("internal-error", "The request id helps to find it in the log.", request.request_id)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _BodyTooLargeError
        if not message.get("more_body"):
            return bytes(body)


def _head(scope: Mapping[str, Any]) -> Request:
    """The request before its body is received."""
    return Request(
        scope["method"],
        (scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]],
        b"",
        scope["client"][0] if scope.get("client") else "127.0.0.1",
        f"HTTP/{scope['http_version']}",
        str(uuid.uuid4()),
    )


def _is_preflight(request: Request) -> bool:
    asks = request.header("origin") is not None and request.header("access-control-request-method") is not None
    return request.method == "OPTIONS" and asks


def _problem(name: str, detail: str, request_id: str) -> HttpAnswer:
    return _document(Problem(name, detail), request_id)


def _document(problem: Problem, request_id: str) -> HttpAnswer:
    headers = [("content-type", PROBLEM_JSON), *((name.lower(), value) for name, value in problem.headers.items())]
    return HttpAnswer(int(problem.status), headers, json.dumps(problem.document(request_id)).encode())


async def _send(answer: HttpAnswer, send: Send) -> None:
    headers = [*answer.headers, ("content-length", str(len(answer.body)))]
    if answer.status == 204:
        headers = answer.headers
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
