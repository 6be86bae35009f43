"""Requests to a deployment: tried again while that can help and cannot harm, errors typed, the token told to nobody else."""

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from cli.service_errors import ServiceError, Unavailable, error_of
from retainstream import __version__

ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 30.0
_BUSY = (429, 503)
_LOST = (502, 504)
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """What a request brought: the `data` of the answer, and `page` of a list."""

    status: int
    data: Any
    page: Mapping[str, Any]


def checked_url(url: str) -> str:
    """The address of a deployment in its one spelling.

    Raises:
        ServiceError: it is none, or would carry the token through the network in the clear.
    """
    try:
        parts = urlsplit(url.strip())
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ServiceError(f"{url} is not an address", "Give one like https://abc123.execute-api.eu-west-1.amazonaws.com")
    if not is_private(url.strip()):
        raise ServiceError(f"{url} would send your password and token unencrypted", "Use https://")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Whether what is sent to this address stays unread on the way: it is encrypted, or does not leave this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname or "").lower() in _HERE)


class Client:
    """A deployment at `url`, as somebody who holds `token`, or as nobody in particular.

    An answer that says "busy" (429, 503) is waited for as it asks, up to 30 seconds a time. What may or may not have arrived (a broken
    connection, 502, 504) is sent again only where that changes nothing: reads, and writes that carry an idempotency key.

    Every method raises ServiceError or one of its kinds, see `service_errors`.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = checked_url(url)
        headers = {"User-Agent": f"retainstream-cli/{__version__}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=httpx.Timeout(35, connect=10))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, str | int | float] | None = None) -> Answer:
        return self._send("GET", path, params=dict(query or {}), repeatable=True)

    def all_of(self, path: str, query: Mapping[str, str | int | float] | None = None, *, most: int | None = None) -> Answer:
        """A list's pages as one, up to `most` items. `page` has the total, where the list tells it, and what follows."""
        asked, items = dict(query or {}), list[Any]()
        total = None
        while True:
            found = self.get(path, asked)
            items += found.data
            total = found.page.get("total") if total is None else total
            onward = found.page.get("next")
            if not onward or (most is not None and len(items) >= most):
                return Answer(found.status, items[:most], {"total": total, "next": onward})
            asked["cursor"] = onward

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._send("PUT", path, json=body, repeatable=True)

    def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._send("PATCH", path, json=body)

    def delete(self, path: str) -> Answer:
        return self._send("DELETE", path, repeatable=True)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Answer:
        """`repeatable` tells that sending the same twice does no more than sending it once."""
        return self._send("POST", path, json=body or {}, repeatable=repeatable)

    def start(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Answer:
        """Starts a run: a POST with an idempotency key (a new one where none is given), so that it starts once however often it is sent."""
        return self._send("POST", path, json=body or {}, headers={"Idempotency-Key": key or uuid.uuid4().hex}, repeatable=True)

    def _send(self, method: str, path: str, *, repeatable: bool = False, **options: Any) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **options)
            except httpx.ConnectError as error:
                raise Unavailable(f"{self.url} cannot be reached", "Is the address right, and is it running?") from error
            except httpx.HTTPError as error:
                if not repeatable or last:
                    raise Unavailable(
                        f"{self.url} did not answer ({type(error).__name__})", "Look whether the request had its effect, and try again."
                    ) from error
                time.sleep(_pause(attempt, None))
                continue
            wait = _pause(attempt, response.headers.get("retry-after"))
            again = response.status_code in _BUSY or (response.status_code in _LOST and repeatable)
            if again and not last and wait <= LONGEST_WAIT_SECONDS:
                time.sleep(wait)
                continue
            return _answer(self.url, response)
        raise AssertionError("unreachable")


def _pause(attempt: int, retry_after: str | None) -> float:
    if retry_after and retry_after.isdigit():
        return float(retry_after) + random.uniform(0, 0.25)  # noqa: S311
    return random.uniform(0, min(8.0, 0.25 * 2**attempt))  # noqa: S311


def _answer(url: str, response: httpx.Response) -> Answer:
    try:
        document = response.json() if response.content else {}
    except ValueError:
        document = None
    if not response.is_success or not isinstance(document, dict):
        raise error_of(url, response.status_code, document, response.headers.get("retry-after"))
    return Answer(response.status_code, document.get("data"), document.get("page") or {})
