"""DynamoDB's attribute values, as they are on the wire: what is a value at all, and how large it is."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

ITEM_BYTES = 400 * 1024
_DEEPEST = 32
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

type Value = Mapping[str, Any]


def faults_of_item(item: Mapping[str, Value]) -> Iterator[str]:
    """What is wrong with an item."""
    for name, value in item.items():
        yield from (f"{name}: {fault}" for fault in faults_of_value(value))
    if item_size(item) > ITEM_BYTES:
        yield f"an item of {item_size(item)} bytes; {ITEM_BYTES} are allowed"


def faults_of_value(value: Any, depth: int = 1) -> Iterator[str]:
    """What is wrong with a value."""
    if not isinstance(value, Mapping) or len(value) != 1:
        yield f"{value!r} is no attribute value"
        return
    if depth > _DEEPEST:
        yield f"nested deeper than {_DEEPEST}"
        return
    [(kind, held)] = value.items()
    match kind:
        case "S":
            if not isinstance(held, str) or not _is_utf8(held):
                yield f"{held!r} is no string of Unicode"
        case "N":
            yield from _faults_of_number(held)
        case "B":
            yield from _faults_of_binary(held)
        case "BOOL":
            if not isinstance(held, bool):
                yield f"{held!r} is no boolean"
        case "NULL":
            if held is not True:
                yield "NULL is always true"
        case "L":
            for one in held:
                yield from faults_of_value(one, depth + 1)
        case "M":
            for name, one in held.items():
                yield from (f"{name}: {fault}" for fault in faults_of_value(one, depth + 1))
        case "SS" | "NS" | "BS":
            yield from _faults_of_set(_SETS[kind], held)
        case _:
            yield f"{kind} is no type"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _faults_of_number(held: Any) -> Iterator[str]:
    if not isinstance(held, str) or not _PLAIN_NUMBER.fullmatch(held):
        yield f"{held!r} is no number"
        return
    try:
        number = Decimal(held)
    except InvalidOperation:
        yield f"{held!r} is no number"
        return
    if not number:
        return
    digits = "".join(str(digit) for digit in number.as_tuple().digits).strip("0")
    if len(digits) > 38:
        yield f"{held} has {len(digits)} significant digits; 38 are kept"
    if not -130 <= number.adjusted() <= 125:
        yield f"{held} is of a magnitude that is not kept"


def _faults_of_binary(held: Any) -> Iterator[str]:
    try:
        b64decode(held, validate=True)
    except (NotBase64, TypeError, ValueError):
        yield "binary values go over the wire in base64"


def _faults_of_set(kind: str, held: Any) -> Iterator[str]:
    if not held:
        yield "a set must not be empty"
    alike = [Decimal(one) for one in held] if kind == "N" else list(held)
    if len(set(alike)) != len(alike):
        yield "a set must not hold a value twice"
    for one in held:
        yield from faults_of_value({kind: one})


def item_size(item: Mapping[str, Value]) -> int:
    """Bytes of an item as DynamoDB counts them."""
    return sum(len(name.encode("utf-8", "surrogatepass")) + value_size(value) for name, value in item.items())


def value_size(value: Value) -> int:
    """Bytes of a value, as well as is documented."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return 0
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(str(held).encode("utf-8", "surrogatepass"))
        case "N":
            digits = sum(letter.isdigit() for letter in str(held).lower().split("e")[0].strip("-+0."))
            return (digits + 1) // 2 + 1 + str(held).startswith("-")
        case "B":
            return len(held) * 3 // 4
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_size(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode("utf-8", "surrogatepass")) + value_size(one) for name, one in held.items())
        case _:
            return sum(value_size({_SETS.get(kind, "S"): one}) for one in held)
