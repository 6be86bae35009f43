"""DynamoDB items as JSON, quickly: the walks over every value in moto and botocore take most of the time of a scan or a batch."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.parsers import BaseJSONParser
from botocore.serialize import JSONSerializer
from botocore.validate import ParamValidator
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.responses import DynamoHandler, DynamoResult

_WITH_ITEMS = {"Item", "Items", "Attributes", "Responses"}
_ITEM_ACTIONS = {"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"}


@contextmanager
def quick_items() -> Iterator[None]:
    """Items are checked, sent, read and parsed without a look at the service model for every value; anything unusual goes the long way."""
    replaced: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (ParamValidator, "_validate_map", _validate_map),
        (JSONSerializer, "_serialize_type_map", _serialize_map),
        (BaseJSONParser, "_handle_map", _handle_map),
    ]
    before = [getattr(owner, name) for owner, name, _ in replaced]
    handler: Any = DynamoHandler
    handler.parse_parameters = _parse_parameters(BaseResponse.parse_parameters)
    for (owner, name, make), original in zip(replaced, before, strict=True):
        setattr(owner, name, make(original))
    try:
        yield
    finally:
        del handler.parse_parameters
        for (owner, name, _), original in zip(replaced, before, strict=True):
            setattr(owner, name, original)


def _validate_map(original: Callable[..., None]) -> Callable[..., None]:
    def validate_map(self: Any, param: Any, shape: Any, errors: Any, name: Any) -> None:
        if not _is_plain_item(shape, param):
            original(self, param, shape, errors, name)

    return validate_map


def _serialize_map(original: Callable[..., None]) -> Callable[..., None]:
    def serialize_map(self: Any, serialized: Any, value: Any, shape: Any, key: Any) -> None:
        if _is_plain_item(shape, value):
            serialized[key] = value
        else:
            original(self, serialized, value, shape, key)

    return serialize_map


def _is_plain_item(shape: Any, item: Any) -> bool:
    """Whether botocore would send this map of attribute values just as it is."""
    return (
        shape.value.name == "AttributeValue"
        and isinstance(item, dict)
        and all(isinstance(name, str) and _is_plain_value(value) for name, value in item.items())
    )


def _is_plain_value(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    for kind, inner in value.items():
        match kind:
            case "S" | "N":
                return isinstance(inner, str)
            case "BOOL" | "NULL":
                return isinstance(inner, bool)
            case "M":
                return isinstance(inner, dict) and all(isinstance(name, str) and _is_plain_value(one) for name, one in inner.items())
            case "L":
                return isinstance(inner, list) and all(map(_is_plain_value, inner))
            case "SS" | "NS":
                return isinstance(inner, list) and all(isinstance(one, str) for one in inner)
    return False


def _parse_parameters(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def parse_parameters(self: Any, request: Any) -> None:
        if self._get_action() in _ITEM_ACTIONS:
            self.params = json.loads(request.data)
        else:
            original(self, request)

    return parse_parameters


def _handle_map(original: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def handle_map(self: Any, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue":
            return {name: _received(item) for name, item in value.items()}
        return original(self, shape, value)

    return handle_map


def _received(value: dict[str, Any]) -> dict[str, Any]:
    for kind, inner in value.items():
        match kind:
            case "M":
                return {"M": {name: _received(item) for name, item in inner.items()}}
            case "L":
                return {"L": [_received(item) for item in inner]}
            case "B":
                return {"B": base64.b64decode(inner)}
            case "BS":
                return {"BS": [base64.b64decode(item) for item in inner]}
    return value


class WireResult(DynamoResult):
    """Stands in for moto's DynamoResult: answers that hold items are written at once."""

    def __init__(self, result: object) -> None:
        self._holds_items = isinstance(result, dict) and not _WITH_ITEMS.isdisjoint(result)
        if self._holds_items:
            ActionResult.__init__(self, result)
        else:
            super().__init__(result)

    def execute_result(self, context: ActionContext) -> Any:
        if not self._holds_items:
            return super().execute_result(context)
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, to_json(self.result)


def to_json(value: Any) -> str:
    """A structure that may hold moto's items and values, in DynamoDB's own JSON."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def attributes(item: Item) -> dict[str, Any]:
    """An item in DynamoDB's JSON form."""
    return {name: _plain(value) for name, value in item.attrs.items()}


def item_from_attributes(hash_name: str, range_name: str | None, attributes: dict[str, Any]) -> Item:
    """The inverse of `attributes`; no size check."""
    item = object.__new__(Item)
    item.attrs = LimitedSizeDict()
    dict.update(item.attrs, {name: _typed(value) for name, value in attributes.items()})
    item.hash_key = item.attrs[hash_name]
    item.range_key = item.attrs[range_name] if range_name is not None else None
    return item


def _plain(value: Any) -> Any:
    if isinstance(value, DynamoType):
        inner = value.value
        match value.type:
            case "M":
                return {"M": {name: _plain(item) for name, item in inner.items()}}
            case "L":
                return {"L": [_plain(item) for item in inner]}
            case "B" if isinstance(inner, bytes):
                return {"B": base64.b64encode(inner).decode()}
            case "BS":
                return {"BS": [base64.b64encode(item).decode() if isinstance(item, bytes) else item for item in inner]}
        return {value.type: inner}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no place in DynamoDB's JSON")


def _typed(value: dict[str, Any]) -> DynamoType:
    [(kind, inner)] = value.items()
    typed = DynamoType.__new__(DynamoType)
    typed.type = kind
    match kind:
        case "M":
            typed.value = {name: _typed(item) for name, item in inner.items()}
        case "L":
            typed.value = [_typed(item) for item in inner]
        case _:
            typed.value = inner
    return typed
