"""Where every request passes: before botocore sends it, whatever client made it.

What AWS would refuse is refused here, and told to the test, which fails even where the code under test made an answer of the refusal.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

from tests import dynamodb_local
from tests.strict import dynamodb, elsewhere
from tests.strict.as_stored import as_stored
from tests.strict.disturb import disturbed

ANSWERED = "answered_already"
"""Set on a request by a test that answers it: it is not to reach moto then."""
violations: list[str] = []
"""What was refused in the present test."""


def faults(service: str, operation: str, request: AWSPreparedRequest) -> list[str]:
    """What AWS would refuse a request for."""
    body = _bytes(request.body)
    headers = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()}
    match service:
        case "dynamodb":
            return list(dynamodb.faults(_region(request.url), operation, body))
        case "s3":
            return list(elsewhere.faults_of_s3(operation, request.url, headers, body))
        case "sns":
            return list(elsewhere.faults_of_sns(operation, body))
        case "sfn":
            return list(elsewhere.faults_of_states(operation, body))
        case "lambda":
            return list(elsewhere.faults_of_lambda(operation, headers, body))
        case "kms":
            return list(elsewhere.faults_of_kms(operation, body))
    return []


@cache
def read_strictly() -> None:
    """From now on, for every client of this process.

    In moto's own place: botocore asks everybody who would answer a request, whoever has answered it already.
    """
    answer = BotocoreStubber.__call__

    def answer_strictly(self: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **given: Any) -> AWSResponse | None:
        if not self.enabled or hasattr(request, ANSWERED):
            return None
        if dynamodb_local.FOLDER and event_name.startswith("before-send.dynamodb."):
            return None
        answered = _on_send(event_name, request) or answer(self, event_name, request, **given)
        return as_stored(answered) if answered is not None and event_name.startswith("before-send.dynamodb.") else answered

    BotocoreStubber.__call__ = answer_strictly  # type: ignore[method-assign]


@contextmanager
def expected_violations() -> Iterator[list[str]]:
    """For tests of this module: what is refused meanwhile is told here, and fails nothing."""
    before = list(violations)
    violations.clear()
    found: list[str] = []
    try:
        yield found
    finally:
        found += violations
        violations[:] = before


def _on_send(event_name: str, request: AWSPreparedRequest) -> AWSResponse | None:
    _, service, operation = event_name.split(".")
    found = faults(service, operation, request)
    if found:
        violations.extend(f"{service} {operation}: {fault}" for fault in found)
        return AWSResponse(
            request.url, 400, HTTPHeaders.from_dict({"x-amzn-requestid": "strict"}), _Raw(_refusal(service, "; ".join(found)))
        )
    return disturbed(service, operation, request)


def _refusal(service: str, text: str) -> bytes:
    if service not in ("s3", "sns"):
        return json.dumps({"__type": "com.amazon.coral.validate#ValidationException", "message": text}).encode()
    error = f"<Error><Code>ValidationException</Code><Message>{escape(ascii(text))}</Message></Error>"
    return (error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>").encode()


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if hasattr(body, "_raw"):  # of botocore's, in chunks with their checksum behind them
        return _bytes(body._raw)
    place = body.tell()
    content: bytes = body.read()
    body.seek(place)
    return content


def _region(url: str) -> str:
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[1] if len(parts) > 2 else "eu-west-1"
