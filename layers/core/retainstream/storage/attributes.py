"""Plain Python values ↔ DynamoDB's attribute values.

A scoring run walks every value of the base through here, so the usual kinds are dealt with on the spot; boto3's own serialiser, which
makes an exact decimal of each number first, has those that are left.
"""

from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

type Item = dict[str, Any]

_SMALLEST, _LARGEST = 1e-120, 1e120
"""Within these any float is a number to DynamoDB; it keeps 38 digits, of which a float has 17."""
_LARGEST_INTEGER = 10**38
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values → DynamoDB's attribute values.

    Raises:
        TypeError: a value has no place in DynamoDB: no number, or of a kind it does not know.
        decimal.DecimalException: a number has more digits, or is further from 1, than DynamoDB can keep.
    """
    return {name: _attribute(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """DynamoDB's attribute values → plain values; whole numbers become int, others float.

    Binary values may be bytes, as boto3 gives them, or base64, as they are in JSON.
    """
    return {name: _value(attribute) for name, attribute in attributes.items()}


def _attribute(value: Any) -> dict[str, Any]:
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is float:
        if value == 0 or _SMALLEST < value < _LARGEST or _SMALLEST < -value < _LARGEST:
            return {"N": repr(value)}
    elif kind is bool:
        return {"BOOL": value}
    elif kind is int:
        if -_LARGEST_INTEGER < value < _LARGEST_INTEGER:
            return {"N": str(value)}
    elif value is None:
        return {"NULL": True}
    elif isinstance(value, Mapping):
        return {"M": {name: _attribute(inner) for name, inner in value.items()}}
    elif isinstance(value, list | tuple):
        return {"L": [_attribute(inner) for inner in value]}
    attribute: Any = _serializer.serialize(_decimal(value) if isinstance(value, float) else value)
    return attribute  # type: ignore[no-any-return]


def _decimal(value: float) -> Decimal:
    if not isfinite(value):
        raise TypeError("DynamoDB has no infinities, and nothing that is not a number")
    return Decimal(repr(float(value)))


def _value(attribute: Mapping[str, Any]) -> Any:
    for kind, inner in attribute.items():
        match kind:
            case "S" | "BOOL":
                return inner
            case "N":
                return _number(inner)
            case "M":
                return {name: _value(value) for name, value in inner.items()}
            case "L":
                return [_value(value) for value in inner]
            case "NULL":
                return None
            case "B":
                return b64decode(inner) if isinstance(inner, str) else bytes(inner)
    return _deserializer.deserialize(dict(attribute))  # type: ignore[arg-type]


def _number(text: str) -> int | float:
    if text.isdigit():
        return int(text)
    if "E" not in text and "e" not in text:
        return float(text) if "." in text else int(text)
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() and number.as_tuple().exponent >= 0 else float(number)  # type: ignore[operator]
