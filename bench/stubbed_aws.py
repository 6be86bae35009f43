"""AWS that answers at once: the clients do all their own work, and only the network is left out.

Answers are given where botocore would send a request, so that serialising, signing, parsing and retries are the client's own.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

if TYPE_CHECKING:
    from botocore.client import BaseClient

type Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer with a status and headers of its own."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


type Answer = Json | bytes | Reply
"""What an operation answers: a JSON document (DynamoDB), a body (S3), or all of an HTTP answer."""


@dataclass(frozen=True)
class AwsRequest:
    """One request: DynamoDB's is JSON, S3's a path with its method, query and body."""

    operation: str
    request: AWSPreparedRequest

    @property
    def json(self) -> Json:
        document: Json = json.loads(self.body)
        return document

    @property
    def method(self) -> str:
        return str(self.request.method)

    @property
    def path(self) -> str:
        """Path and query, without the host."""
        return self.request.url.partition("://")[2].partition("/")[2]

    @property
    def headers(self) -> dict[str, str]:
        return {name: _text(value) for name, value in self.request.headers.items()}

    @property
    def body(self) -> bytes:
        return _bytes(self.request.body)


@dataclass
class StubbedAws:
    """Answers by operation, as in {"GetItem": …, "PutObject": …}. An operation that is not there is an error.

    `counts` are the requests by operation, `seconds` the time spent in the answers themselves, which is no client's.
    """

    answers: Mapping[str, Callable[[AwsRequest], Answer]]
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def attach(self, *clients: "BaseClient") -> None:
        """From now on these clients are answered here."""
        for client in clients:
            answer: Any = self._answer  # whose answer botocore takes, although its stubs say None
            client.meta.events.register(f"before-send.{client.meta.service_model.service_id.hyphenize()}", answer)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        started = time.perf_counter()
        operation = event_name.rpartition(".")[2]
        self.counts[operation] += 1
        scripted = self.answers[operation](AwsRequest(operation, request))
        reply = scripted if isinstance(scripted, Reply) else _reply(scripted)
        headers: Any = HeadersDict({"Content-Length": str(len(reply.body)), **reply.headers})
        answer = AWSResponse(request.url, reply.status, headers, _Raw(reply.body))
        self.seconds += time.perf_counter() - started
        return answer


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: object) -> Any:
        while chunk := self.read(65_536):
            yield chunk


def _reply(answer: Json | bytes) -> Reply:
    if isinstance(answer, bytes):
        return Reply(200, answer, {"ETag": '"stub"'})
    content = json.dumps(answer).encode()
    return Reply(200, content, {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(content))})


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    content: bytes = body.read()
    return content


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
