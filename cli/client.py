"""Requests to a deployment: safe retries, typed errors, and a token that goes to the deployment alone."""

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
from retainstream.storage.retry import pause

ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds that the first pause between attempts may take, and any pause."""
LONGEST_WAIT_SECONDS = 30.0
_BUSY = (429, 503)
_LOST = (502, 504)
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """The answer to a request: its `data`, and the `page` of a list (`next` is the cursor, `total` may be missing)."""

    status: int
    data: Any
    page: Mapping[str, Any]


def checked_url(url: str) -> str:
    """The normalised address of a deployment.

    Raises:
        ServiceError: `url` is not an address, or would send the token unencrypted through the network.
    """
    try:
        parts = urlsplit(url.strip())
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ServiceError(f"{url} is not an address", "Use one like https://abc123.execute-api.eu-west-1.amazonaws.com")
    if not is_private(url.strip()):
        raise ServiceError(f"{url} would send your password and token unencrypted", "Use https://")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Whether nobody on the way can read a request: it is encrypted, or stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname or "").lower() in _HERE)


class Client:
    """A deployment at `url`, with the token of a user or without one.

    After a 429 or a 503 the client waits as `Retry-After` says, up to 30 seconds, and sends the request again. After a broken
    connection, a 502 or a 504 it sends a request again only where a second one does no harm: reads, and writes with an idempotency key.

    All methods raise ServiceError or a subclass, see `service_errors`.
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
        """All pages of a list, up to `most` items. `page` has the total, where the list states it, and the next cursor."""
        page_query, items = dict(query or {}), list[Any]()
        total = None
        while True:
            answer = self.get(path, page_query)
            items += answer.data
            total = answer.page.get("total") if total is None else total
            cursor = answer.page.get("next")
            if not cursor or (most is not None and len(items) >= most):
                return Answer(answer.status, items[:most], {"total": total, "next": cursor})
            page_query["cursor"] = cursor

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._send("PUT", path, json=body, repeatable=True)

    def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._send("PATCH", path, json=body)

    def delete(self, path: str) -> Answer:
        return self._send("DELETE", path, repeatable=True)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Answer:
        """`repeatable`: a second request has no further effect."""
        return self._send("POST", path, json=body or {}, repeatable=repeatable)

    def start(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Answer:
        """Starts a run: a POST with an idempotency key (a new one by default), so that repeated requests start one run."""
        return self._send("POST", path, json=body or {}, headers={"Idempotency-Key": key or uuid.uuid4().hex}, repeatable=True)

    def _send(self, method: str, path: str, *, repeatable: bool = False, **options: Any) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **options)
            except httpx.ConnectError as error:
                raise Unavailable(f"{self.url} cannot be reached", "Check the address, and that the deployment is running.") from error
            except httpx.HTTPError as error:
                if not repeatable or last:
                    raise Unavailable(
                        f"{self.url} did not answer ({type(error).__name__})", "Check whether the request had its effect, and try again."
                    ) from error
                time.sleep(pause(attempt, first=FIRST_PAUSE, longest=LONGEST_PAUSE))
                continue
            wait = _wait(attempt, response.headers.get("retry-after"))
            again = response.status_code in _BUSY or (response.status_code in _LOST and repeatable)
            if again and not last and wait <= LONGEST_WAIT_SECONDS:
                time.sleep(wait)
                continue
            return _answer(self.url, response)
        raise AssertionError("unreachable")


def _wait(attempt: int, retry_after: str | None) -> float:
    if retry_after and retry_after.isdigit():
        return float(retry_after) + pause(1, first=0.25, longest=0.25)
    return pause(attempt, first=FIRST_PAUSE, longest=LONGEST_PAUSE)


def _answer(url: str, response: httpx.Response) -> Answer:
    try:
        document = response.json() if response.content else {}
    except ValueError:
        document = None
    if not response.is_success or not isinstance(document, dict):
        raise error_of(url, response.status_code, document, response.headers.get("retry-after"))
    return Answer(response.status_code, document.get("data"), document.get("page") or {})
