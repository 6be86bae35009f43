"""Plain Python values ↔ DynamoDB's attribute values.

A scoring run converts every value of every customer here, so the usual types are converted directly. boto3's own serialiser, which first
makes an exact decimal of each number, converts the rest.
"""

from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

type Item = dict[str, Any]
"""An item in plain Python values, before its repository gives it a type."""

type Attribute = Mapping[str, Any]
"""A value in DynamoDB's own form, such as {"S": "text"} or {"N": "1.5"}."""

_SMALLEST, _LARGEST = 1e-120, 1e120
"""DynamoDB stores every float between these exactly: it keeps 38 digits, and a float has 17."""
_LARGEST_INTEGER = 10**38
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_attributes(item: Mapping[str, object]) -> dict[str, Attribute]:
    """Plain values → DynamoDB's attribute values.

    Raises:
        TypeError: DynamoDB cannot store a value: a number that is not finite, or a type it does not have.
        decimal.DecimalException: a number has more digits, or a larger or smaller exponent, than DynamoDB can store.
    """
    return {name: _attribute(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Attribute]) -> Item:
    """DynamoDB's attribute values → plain values. Whole numbers become int, other numbers float.

    Binary values may be bytes, as in boto3's answers, or base64, as in JSON.
    """
    return {name: _value(attribute) for name, attribute in attributes.items()}


def _attribute(value: Any) -> Attribute:
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
    attribute: Attribute = _serializer.serialize(_decimal(value) if isinstance(value, float) else value)
    return attribute


def _decimal(value: float) -> Decimal:
    if not isfinite(value):
        raise TypeError("DynamoDB stores finite numbers only")
    return Decimal(repr(float(value)))


def _value(attribute: Attribute) -> Any:
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
