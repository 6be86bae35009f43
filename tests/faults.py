"""Faults of AWS: any one call, or all calls like it from then on, answered as AWS answers when something breaks.

What is broken is the sending of a request, where moto answers in place of AWS; botocore with its retries, and all of our own code, work as
they do in the cloud. A call is known by its service, operation, what it is about (a table, the bucket) and how many like it came before:
that does not depend on which of several threads is quicker.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.retries.quota import RetryQuota
from moto.core.botocore_stubber import BotocoreStubber

type Send = Callable[[AWSPreparedRequest], AWSResponse]

_MANY = ("BatchGetItem", "BatchWriteItem")
_READ_BY_US = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "GetObject"}
"""Of whose answers our own code reads the body; with others botocore finds out in time that something is missing."""
_WRITES = {
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
    *("PutObject", "DeleteObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"),
    *("StartExecution", "Publish"),
}


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLED = "throttled"
    FAILED = "internal error"
    TIMED_OUT = "timed out"
    RESET = "connection closed"
    UNREACHABLE = "no connection"
    CUT = "answer cut short"
    REFUSED = "condition failed"
    MET = "transaction met another"
    PARTIAL = "part of a batch"
    FORBIDDEN = "not permitted"
    INVALID = "invalid request"


OF_THE_REQUEST = (Kind.FORBIDDEN, Kind.INVALID)
"""These are faults of the product or its deployment. They come back however often the call is repeated."""
BEFORE_OR_AFTER = (Kind.FAILED, Kind.TIMED_OUT, Kind.RESET)
"""Who gets one of these does not know whether the call had its effect."""


@dataclass(frozen=True, order=True)
class Call:
    """One call of a run, however often botocore tries it. `number` counts, from 0, the calls that are alike but for it."""

    service: str
    operation: str
    about: str
    number: int = 0
    conditional: bool = field(default=False, compare=False)

    @property
    def writes(self) -> bool:
        return self.operation in _WRITES

    def __str__(self) -> str:
        return f"{self.service}.{self.operation} {self.about} {self.number}"


@dataclass(frozen=True)
class Fault:
    """`kind` befalls `call`: its first try only, or (`lasting`) all tries and every later call like it. `after`: the call had its effect
    all the same."""

    kind: Kind
    call: Call
    lasting: bool = False
    after: bool = False

    def __str__(self) -> str:
        when = ("after it had its effect" if self.after else "before it had any") + (", and so on" if self.lasting else ", once")
        return f"{self.call}: {self.kind} {when}"


def faults_of(call: Call) -> list[Fault]:
    """Every fault that can befall a call."""
    kinds = [(Kind.THROTTLED, False), (Kind.UNREACHABLE, False), *((kind, False) for kind in BEFORE_OR_AFTER)]
    if call.operation in _READ_BY_US:
        kinds.append((Kind.CUT, True))
    if call.writes:
        kinds += [(kind, True) for kind in BEFORE_OR_AFTER]
    if call.conditional:
        kinds.append((Kind.REFUSED, call.operation == "StartExecution"))
    if call.operation == "TransactWriteItems":
        kinds.append((Kind.MET, False))
    if call.operation in _MANY:
        kinds.append((Kind.PARTIAL, True))
    return [Fault(kind, call, lasting, after) for kind, after in kinds for lasting in (False, True)]


@dataclass
class FaultLayer:
    """Sees every call that is sent, and lets one fault happen."""

    fault: Fault | None = None
    calls: list[Call] = field(default_factory=list)
    hits: int = 0
    _known: dict[str, Call] = field(default_factory=dict)
    _numbers: Counter[Call] = field(default_factory=Counter)
    _transactions: dict[str, tuple[int, Any, bytes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, event_name: str, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        """Answers a request that is about to be sent: by `send`, which is moto, or by what a fault makes of it."""
        call = self._seen(event_name, request)
        fault = self.fault
        if fault is None or not self._befalls(fault, call):
            return self._send(call, request, send)
        if fault.kind is Kind.PARTIAL:
            return _partly(call, request, send)
        if not fault.after:
            return _broken(fault.kind, call, request)
        given = self._send(call, request, send)
        if fault.kind is not Kind.CUT:
            return _broken(fault.kind, call, request)
        content = given.content
        return _response(request, given.status_code, content[: len(content) // 2], dict(given.headers))

    def _seen(self, event_name: str, request: AWSPreparedRequest) -> Call:
        _, service, operation = event_name.split(".")
        invocation = str(request.headers["amz-sdk-invocation-id"])
        with self._lock:
            if invocation not in self._known:
                about, conditional = _about(service, operation, request)
                alike = Call(service, operation, about)
                self._known[invocation] = Call(service, operation, about, self._numbers[alike], conditional)
                self._numbers[alike] += 1
                self.calls.append(self._known[invocation])
            return self._known[invocation]

    def _befalls(self, fault: Fault, call: Call) -> bool:
        like = (call.service, call.operation, call.about) == (fault.call.service, fault.call.operation, fault.call.about)
        with self._lock:
            befallen = like and (call.number >= fault.call.number if fault.lasting else call == fault.call and not self.hits)
            self.hits += befallen
        return befallen

    def _send(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        """Lets moto answer; a transaction that was sent before, as its token tells, is not done again, which moto does not know."""
        token = _asked(request)["ClientRequestToken"] if call.operation == "TransactWriteItems" else ""
        if token in self._transactions:
            status, headers, content = self._transactions[token]
            return _response(request, status, content, headers)
        answer = send(request)
        if token and answer.status_code == 200:
            self._transactions[token] = (answer.status_code, dict(answer.headers), answer.content)
            return _response(request, answer.status_code, answer.content, dict(answer.headers))
        return answer


@contextmanager
def fault_layer(fault: Fault | None = None) -> Iterator[FaultLayer]:
    """Puts the layer between botocore and moto. Nobody sleeps meanwhile, and botocore never runs out of tries to spend."""
    layer, stubbed = FaultLayer(fault), BotocoreStubber.__call__

    def answer(self: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **options: Any) -> AWSResponse | None:
        def send(asked: AWSPreparedRequest) -> AWSResponse:
            given = stubbed(self, event_name, asked, **options)
            assert given is not None
            return given

        return layer.answer(event_name, request, send)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "__call__", answer)
        patch.setattr(RetryQuota, "acquire", lambda *_: True)
        patch.setattr(time, "sleep", lambda _: None)
        yield layer


def _asked(request: AWSPreparedRequest) -> Any:
    assert isinstance(request.body, str | bytes)
    return json.loads(request.body)


def _about(service: str, operation: str, request: AWSPreparedRequest) -> tuple[str, bool]:
    """What a request is about, and whether it states a condition."""
    if service == "dynamodb":
        body = _asked(request)
        if operation in _MANY:
            return " ".join(sorted(body["RequestItems"])), False
        if operation == "TransactWriteItems":
            writes = [write for item in body["TransactItems"] for write in item.values()]
            return " ".join(sorted({write["TableName"] for write in writes})), any("ConditionExpression" in write for write in writes)
        return body["TableName"], "ConditionExpression" in body
    if service == "s3":
        key = request.url.partition("?")[0].split("/", 3)[-1]
        return key.split("/", 1)[0], "If-Match" in request.headers
    return "", operation == "StartExecution"


_CODES = {
    (Kind.THROTTLED, "dynamodb"): (400, "ProvisionedThroughputExceededException"),
    (Kind.THROTTLED, "s3"): (503, "SlowDown"),
    (Kind.THROTTLED, "sns"): (400, "Throttling"),
    (Kind.THROTTLED, ""): (400, "ThrottlingException"),
    (Kind.FAILED, "dynamodb"): (500, "InternalServerError"),
    (Kind.FAILED, "s3"): (500, "InternalError"),
    (Kind.FAILED, "kms"): (500, "KMSInternalException"),
    (Kind.FAILED, ""): (500, "InternalFailure"),
    (Kind.REFUSED, "dynamodb"): (400, "ConditionalCheckFailedException"),
    (Kind.REFUSED, "s3"): (412, "PreconditionFailed"),
    (Kind.REFUSED, ""): (400, "ExecutionAlreadyExists"),
    (Kind.FORBIDDEN, "s3"): (403, "AccessDenied"),
    (Kind.FORBIDDEN, "sns"): (403, "AuthorizationError"),
    (Kind.FORBIDDEN, ""): (400, "AccessDeniedException"),
    (Kind.INVALID, "s3"): (400, "InvalidArgument"),
    (Kind.INVALID, "sns"): (400, "InvalidParameter"),
    (Kind.INVALID, ""): (400, "ValidationException"),
}


def _broken(kind: Kind, call: Call, request: AWSPreparedRequest) -> AWSResponse:
    match kind:
        case Kind.TIMED_OUT:
            raise ReadTimeoutError(endpoint_url=request.url, error="read timed out")
        case Kind.RESET:
            raise ConnectionClosedError(endpoint_url=request.url, error="closed")
        case Kind.UNREACHABLE:
            raise EndpointConnectionError(endpoint_url=request.url, error="unreachable")
    if call.operation == "TransactWriteItems" and kind in (Kind.REFUSED, Kind.MET):
        return _cancelled(kind, request)
    status, code = _CODES.get((kind, call.service)) or _CODES[kind, ""]
    if call.service in ("s3", "sns"):
        text = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
        content = f"<ErrorResponse>{text}<RequestId>r</RequestId></ErrorResponse>" if call.service == "sns" else text
        return _response(request, status, content.encode(), {"Content-Type": "application/xml"})
    return _response(request, status, json.dumps({"__type": f"com.amazonaws#{code}", "message": "no"}).encode())


def _cancelled(kind: Kind, request: AWSPreparedRequest) -> AWSResponse:
    writes = [write for item in _asked(request)["TransactItems"] for write in item.values()]
    failed = next((place for place, write in enumerate(writes) if kind is Kind.MET or "ConditionExpression" in write), 0)
    code = "TransactionConflict" if kind is Kind.MET else "ConditionalCheckFailed"
    reasons = [{"Code": code if place == failed else "None"} for place in range(len(writes))]
    told = {"__type": "com.amazonaws#TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons}
    return _response(request, 400, json.dumps(told).encode())


def _partly(call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Does a batch but for its last item, and tells that this one is left."""
    asked = _asked(request)["RequestItems"]
    [(table, wanted)] = asked.items()
    items = wanted["Keys"] if call.operation == "BatchGetItem" else wanted
    last, rest = ([items[-1]], items[:-1])

    def of(some: Any) -> Any:
        return {table: {**wanted, "Keys": some} if call.operation == "BatchGetItem" else some}

    given: dict[str, Any] = {"Responses": {}} if call.operation == "BatchGetItem" else {}
    if rest:
        body = json.dumps({**_asked(request), "RequestItems": of(rest)}).encode()
        headers = HTTPHeaders.from_dict({name: value for name, value in request.headers.items() if name != "Content-Length"})
        given = json.loads(send(AWSPreparedRequest(request.method, request.url, headers, body, stream_output=False)).content)
    left = "UnprocessedKeys" if call.operation == "BatchGetItem" else "UnprocessedItems"
    return _response(request, 200, json.dumps({**given, left: of(last)}).encode())


class _Body(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, status: int, content: bytes, headers: dict[str, str] | None = None) -> AWSResponse:
    told = HTTPHeaders.from_dict({"x-amzn-requestid": "r", **(headers or {})})
    return AWSResponse(request.url, status, told, _Body(content))
