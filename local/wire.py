"""DynamoDB items as JSON, quickly: the walks over every value in moto take most of the time of a scan or a batch."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from botocore.signers import RequestSigner
from moto import backend_index
from moto.core import responses
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.responses import DynamoHandler, DynamoResult

_WITH_ITEMS = {"Item", "Items", "Attributes", "Responses"}
_ITEM_ACTIONS = {"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"}


@contextmanager
def quick_items() -> Iterator[None]:
    """Requests that hold items are read without a look at the service model for every value, and find their way to moto's DynamoDB
    without a signature, a search through all services, or a list of all methods made anew."""
    handler: Any = DynamoHandler
    signer: Any = RequestSigner
    services: Any = backend_index
    dispatch: Any = responses
    usual = dispatch.method_names_from_class, signer.sign, services.backend_url_patterns
    handler.parse_parameters = _parse_parameters(BaseResponse.parse_parameters)
    dispatch.method_names_from_class = cache(usual[0])
    signer.sign = _sign(usual[1])
    services.backend_url_patterns = sorted(usual[2], key=lambda pattern: pattern[0] != "dynamodb")
    try:
        yield
    finally:
        del handler.parse_parameters
        dispatch.method_names_from_class, signer.sign, services.backend_url_patterns = usual


def _sign(original: Callable[..., None]) -> Callable[..., None]:
    def sign(self: Any, operation_name: str, request: Any, *others: Any, **named: Any) -> None:
        if self.signing_name != "dynamodb":
            original(self, operation_name, request, *others, **named)

    return sign


def _parse_parameters(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def parse_parameters(self: Any, request: Any) -> None:
        if self._get_action() in _ITEM_ACTIONS:
            self.params = json.loads(request.data)
        else:
            original(self, request)

    return parse_parameters


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
    dict.update(item.attrs, {name: typed(value) for name, value in attributes.items()})
    item.hash_key = item.attrs[hash_name]
    item.range_key = item.attrs[range_name] if range_name is not None else None
    return item


def _plain(value: Any) -> Any:
    if isinstance(value, DynamoType):
        if "packed" in value.__dict__:
            return {value.type: value.packed}  # type: ignore[attr-defined]
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
    raise TypeError(f"{type(value).__name__} cannot be written in DynamoDB's JSON")


def typed(value: dict[str, Any]) -> DynamoType:
    """A value from DynamoDB's JSON; the contents of a map or a list stay packed."""
    [(kind, inner)] = value.items()
    made = DynamoType.__new__(PackedValue if kind in ("M", "L") else DynamoType)
    made.type = kind
    if kind in ("M", "L"):
        made.packed = inner  # type: ignore[attr-defined]
    else:
        made.value = inner
    return made


class PackedValue(DynamoType):
    """A map or a list in DynamoDB's JSON, which becomes moto's values when its contents are read.

    Items are mostly written, stored and read whole. Contents that are not read cost no conversion and no extra memory.
    """

    packed: Any

    def __getattr__(self, name: str) -> Any:
        if name != "value":
            raise AttributeError(name)
        unpacked = DynamoType({self.type: self.packed})
        self.value = unpacked.value
        del self.packed
        return self.value

    def __deepcopy__(self, memo: dict[int, Any]) -> DynamoType:
        return typed({self.type: self.packed}) if "packed" in self.__dict__ else super().__deepcopy__(memo)

    def size(self) -> int:
        return _packed_size(self.type, self.packed) if "packed" in self.__dict__ else super().size()


def _packed_size(kind: str, inner: Any) -> int:
    """The size that DynamoType.size would return."""
    match kind:
        case "M":
            return sum(bytesize(name) + _packed_size(*one) for name, value in inner.items() for one in value.items())
        case "L":
            return sum(_packed_size(*one) for value in inner for one in value.items())
        case "N":
            return len(str(inner))
    return DynamoType({kind: inner}).size() if kind in ("SS", "NS", "BS") else 1 if isinstance(inner, bool) else bytesize(inner)
