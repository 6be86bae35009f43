"""Answers as DynamoDB gives them: maps in an order of its own, numbers in their shortest form. moto returns both as they were written."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse


def as_stored(answer: AWSResponse) -> AWSResponse:
    """The answer with its maps in another order, which is the same in every run, and `1.0` as `1`."""
    if answer.status_code != 200:
        return answer
    body = json.dumps(_stored(json.loads(answer.content)))
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in ("x-amz-crc32", "content-length")}
    return AWSResponse(answer.url, 200, HTTPHeaders.from_dict(headers), MockRawResponse(body))


def _stored(value: Any) -> Any:
    if isinstance(value, list):
        return [_stored(element) for element in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"N"} and isinstance(value["N"], str):
        return {"N": _shortest(value["N"])}
    return {name: _stored(value[name]) for name in sorted(value, key=_place)}


def _place(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def _shortest(number: str) -> str:
    if number.lstrip("-").isdigit():
        return number
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
