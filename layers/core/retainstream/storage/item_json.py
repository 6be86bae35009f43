"""JSON of requests and answers that hold items, written and read without botocore's model.

An attribute value in Python has the form of DynamoDB's JSON, except for bytes. botocore still looks up, checks and copies every value of
every item by the service's model, which costs a scoring run several times as much as scoring. So `json` writes the requests and reads the
answers directly, through botocore's events.
"""

import json
from base64 import b64encode
from typing import Any, TypedDict

from botocore.parsers import ResponseParserError

_OPERATIONS = ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
_ITEM_PARAMETERS = ("Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey")
_REQUEST = "retainstream_request"


type Parameters = dict[str, Any]
"""The parameters of a request, or the fields of an answer, by name."""
type Context = dict[str, object]
"""botocore's notes of one request."""


class RawResponse(TypedDict):
    """An answer before botocore parses it."""

    status_code: int
    body: bytes


def write_and_read_items(client: Any) -> None:
    """Makes a DynamoDB client do so. Binary values in answers are base64. Parameters are not checked before they are sent."""
    events = client.meta.events
    for operation in _OPERATIONS:
        events.register_first(f"before-parameter-build.dynamodb.{operation}", _put_aside)
        events.register_first(f"before-call.dynamodb.{operation}", _write)
        events.register_first(f"before-parse.dynamodb.{operation}", _read)


def _put_aside(params: Parameters, context: Context, **_: Any) -> None:
    """Leaves botocore only the parameters that decide where the request is sent."""
    context[_REQUEST] = dict(params)
    for name in _ITEM_PARAMETERS:
        if name in params:
            params[name] = {}
    if "RequestItems" in params:
        params["RequestItems"] = {table: type(requests)() for table, requests in params["RequestItems"].items()}


def _write(params: Parameters, context: Context, **_: Any) -> None:
    if _REQUEST in context:
        params["body"] = json.dumps(context.pop(_REQUEST), default=_base64, separators=(",", ":")).encode()


def _read(response_dict: RawResponse, customized_response_dict: Parameters, **_: Any) -> None:
    if response_dict["status_code"] < 300:
        try:
            customized_response_dict |= json.loads(response_dict["body"])
        except ValueError as error:
            raise ResponseParserError("DynamoDB's answer is incomplete or not JSON") from error
        response_dict["body"] = b"{}"


def _base64(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    return b64encode(value.value).decode()
