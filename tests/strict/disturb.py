"""What DynamoDB and S3 may do at any time and moto never does: short pages, empty pages, parts of batches left undone.

Which requests are disturbed is the same in every run: it goes by their number in the test.
"""

import itertools
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

_PAGE = 7
_ON = os.environ.get("WHOLE_ANSWERS") is None


class _State:
    on = _ON


_NUMBERS: defaultdict[str, "itertools.count[int]"] = defaultdict(lambda: itertools.count(1))


def count_anew() -> None:
    """The next request of each kind is the first."""
    _NUMBERS.clear()


@contextmanager
def whole_answers() -> Iterator[None]:
    """Nothing is disturbed meanwhile: for tests that count requests."""
    before, _State.on = _State.on, False
    try:
        yield
    finally:
        _State.on = before


def disturbed(service: str, operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
    """An answer of AWS's kind in place of moto's tidy one, or a request made so that moto answers little; None for moto's own answer."""
    if not _State.on:
        return None
    number = next(_NUMBERS[operation])
    if service == "s3" and operation == "ListObjectsV2" and number % 2:
        _short_listing(request)
        return None
    if service != "dynamodb":
        return None
    match operation:
        case "Query" | "Scan" if number % 5 < 2:
            return _short_page(request, empty=number % 5 == 1)
        case "BatchWriteItem" if number % 3 == 0:
            return _left_undone(request, "UnprocessedItems", _split_writes)
        case "BatchGetItem" if number % 3 == 0:
            return _left_undone(request, "UnprocessedKeys", _split_reads)
    return None


def _short_page(request: AWSPreparedRequest, *, empty: bool) -> AWSResponse | None:
    asked = json.loads(_text(request))
    start = asked.get("ExclusiveStartKey")
    if empty and not start:
        return None
    if empty:
        answer = {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": start}
        if asked.get("Select") == "COUNT":
            del answer["Items"]
        return _answered({**asked, "Limit": 1}, request, lambda _: answer)
    request.body = json.dumps({**asked, "Limit": min(asked.get("Limit", _PAGE), _PAGE)}).encode()
    return None


def _left_undone(request: AWSPreparedRequest, where: str, split: Callable[[Any], tuple[Any, Any]]) -> AWSResponse | None:
    asked = json.loads(_text(request))
    done, left = split(asked["RequestItems"])
    if not left:
        return None
    return _answered({**asked, "RequestItems": done}, request, lambda answer: {**answer, where: left})


def _split_writes(asked: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    done = {table: writes[: (len(writes) + 1) // 2] for table, writes in asked.items()}
    left = {table: writes[(len(writes) + 1) // 2 :] for table, writes in asked.items() if len(writes) > 1}
    return done, left


def _split_reads(asked: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    done = {table: {**told, "Keys": told["Keys"][: (len(told["Keys"]) + 1) // 2]} for table, told in asked.items()}
    left = {table: {**told, "Keys": told["Keys"][(len(told["Keys"]) + 1) // 2 :]} for table, told in asked.items() if len(told["Keys"]) > 1}
    return done, left


def _answered(
    asked: dict[str, Any], request: AWSPreparedRequest, changed: Callable[[dict[str, Any]], dict[str, Any]]
) -> AWSResponse | None:
    request.body = json.dumps(asked).encode()
    told = botocore_stubber.process_request(request)
    if told is None:
        return None
    status, headers, body = told
    if status == 200:
        body = json.dumps(changed(json.loads(body)))
        headers = {name: value for name, value in headers.items() if name.lower() not in ("x-amz-crc32", "content-length")}
    return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), MockRawResponse(body))


def _text(request: AWSPreparedRequest) -> str:
    assert isinstance(request.body, str | bytes | bytearray)
    return request.body if isinstance(request.body, str) else request.body.decode()


def _short_listing(request: AWSPreparedRequest) -> None:
    parts = urlsplit(request.url)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    query["max-keys"] = str(min(int(query.get("max-keys", 1000)), 3))
    request.url = urlunsplit(parts._replace(query=urlencode(query)))
