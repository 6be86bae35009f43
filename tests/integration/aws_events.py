"""What goes to AWS, seen and disturbed by botocore's own event hooks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from retainstream.storage import clients
from tests.strict.hook import ANSWERED


class Answer:
    """The body of an HTTP answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _clients() -> list[Any]:
    return [clients.dynamodb(), clients.s3(), clients.sns(), clients.stepfunctions()]


@contextmanager
def refused(operation: str, *, times: int | None = None) -> Iterator[list[str]]:
    """Answers an operation with an outage that botocore does not retry, always or so many times. Yields the operations refused so far."""
    told: list[str] = []

    def answer(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        if times is not None and len(told) >= times:
            return None
        told.append(event_name.rsplit(".", 1)[-1])
        setattr(request, ANSWERED, True)
        body = json.dumps({"__type": "ServiceUnavailable", "message": "no"}).encode()
        return AWSResponse(request.url, 400, HTTPHeaders.from_dict({"x-amzn-requestid": "r"}), Answer(body))

    with _hooked(operation, answer):
        yield told


@contextmanager
def seen() -> Iterator[list[str]]:
    """Yields the names of the operations that are sent meanwhile, in their order."""
    told: list[str] = []
    with _hooked(None, lambda event_name, **_: told.append(event_name.rsplit(".", 1)[-1])):
        yield told


@contextmanager
def _hooked(operation: str | None, handler: Any) -> Iterator[None]:
    hooks = [(client.meta.events, f"before-send.{client.meta.service_model.service_id.hyphenize()}") for client in _clients()]
    names = [(events, f"{name}.{operation}" if operation else name) for events, name in hooks]
    for events, name in names:
        events.register_first(name, handler)
    try:
        yield
    finally:
        for events, name in names:
            events.unregister(name, handler)
