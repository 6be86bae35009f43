"""Items go over the wire as they are in Python.

An attribute value in Python is what DynamoDB's JSON has for it, bytes aside. botocore nevertheless looks up, checks and copies every
value of every item by the service's model, which costs a scoring run several times what scoring does. So requests that hold items are
written, and their answers read, by `json` itself, through the events that botocore has for that.
"""

import json
from base64 import b64encode
from typing import Any

from botocore.parsers import ResponseParserError

_OPERATIONS = ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
_ITEM_PARAMETERS = ("Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey")
_ASKED = "retainstream_asked"


def write_and_read_items(client: Any) -> None:
    """Makes a DynamoDB client do so. Binary values in answers come as base64. Parameters are not checked before they are sent."""
    events = client.meta.events
    for operation in _OPERATIONS:
        events.register_first(f"before-parameter-build.dynamodb.{operation}", _put_aside)
        events.register_first(f"before-call.dynamodb.{operation}", _write)
        events.register_first(f"before-parse.dynamodb.{operation}", _read)


def _put_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Leaves botocore with what it needs to know where to send the request."""
    context[_ASKED] = dict(params)
    for name in _ITEM_PARAMETERS:
        if name in params:
            params[name] = {}
    if "RequestItems" in params:
        params["RequestItems"] = {table: type(asked)() for table, asked in params["RequestItems"].items()}


def _write(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _ASKED in context:
        params["body"] = json.dumps(context.pop(_ASKED), default=_base64, separators=(",", ":")).encode()


def _read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] < 300:
        try:
            customized_response_dict |= json.loads(response_dict["body"])
        except ValueError as error:
            raise ResponseParserError("An answer of DynamoDB was cut short, or is no JSON") from error
        response_dict["body"] = b"{}"


def _base64(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    return b64encode(value.value).decode()
