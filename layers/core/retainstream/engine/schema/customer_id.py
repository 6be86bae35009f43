"""The rule for a customer's id, and its form in addresses."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from retainstream.engine.schema.spelling import cleaned

RESERVED = frozenset({"high-risk", "segment", "imports"})
"""Names of paths below /api/customers."""

LONGEST = 128
PATTERN = r"^[^\x00-\x1f\x7f-\x9f]{1,128}$"
_PATTERN_OF_SENT = r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]+$"
"""The same before white space, such as a tab, is `cleaned` to a blank."""
PATTERN_IN_WORDS = "must be 1 to 128 printable characters"
_NOT_PRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_IS_RESERVED = "is the name of a path and cannot be a customer's id"

ADDRESS_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]+$"
"""The form of an id in an address, in which clients should write it as `address_of` does."""
ADDRESS_IN_WORDS = (
    "must be an id of 1 to 128 characters, in which ~ and two hexadecimal digits stand for each byte outside A-Z a-z 0-9 . _ : @ -"
)
_LONGEST_ADDRESS = 3 * 4 * LONGEST
_ESCAPED = re.compile(r"(?:~[0-9A-Fa-f]{2})+")
_TO_ESCAPE = re.compile(r"[^A-Za-z0-9._:@-]+")


class ImpossibleId(LookupError):
    """No customer can have the id of an address."""


def id_problem(customer_id: str) -> str | None:
    """The fault of an id (which is `cleaned`), in a sentence that does not repeat it; None for an id that may be used."""
    if not customer_id:
        return "is missing"
    if customer_id in RESERVED or customer_id in (".", ".."):
        return _IS_RESERVED
    if len(customer_id) > LONGEST or _NOT_PRINTABLE.search(customer_id):
        return PATTERN_IN_WORDS
    return None


def address_of(customer_id: str) -> str:
    """An id as a part of an address: each byte (UTF-8) outside A-Z a-z 0-9 . _ : @ - is a tilde and two hexadecimal digits.

    Percent codes do not do: API Gateway decodes them before it looks for the route, so that %2F would divide the path and %3F end it.
    """
    return _TO_ESCAPE.sub(lambda part: "".join(f"~{byte:02x}" for byte in part[0].encode()), customer_id)


def id_in_address(address: str) -> str:
    """The id of a part of an address. Bytes that are no text stay as they are."""
    try:
        return _ESCAPED.sub(lambda part: bytes.fromhex(part[0].replace("~", "")).decode(), address)
    except UnicodeDecodeError:
        return address


def _cleaned(value: object) -> object:
    return cleaned(value) if isinstance(value, str) else value


def _usable(customer_id: str) -> str:
    problem = id_problem(customer_id)
    if problem == _IS_RESERVED:
        raise PydanticCustomError("reserved", _IS_RESERVED)
    if problem:
        raise PydanticCustomError("customer_id", PATTERN_IN_WORDS)
    return customer_id


def _addressed(address: str) -> str:
    customer_id = id_in_address(address)
    if cleaned(customer_id) != customer_id or id_problem(customer_id):
        raise ImpossibleId
    return customer_id


CustomerId = Annotated[
    str,
    BeforeValidator(_cleaned),
    Field(
        min_length=1,
        max_length=LONGEST,
        examples=["cust-000042"],
        description="Printable text",
        json_schema_extra={"pattern": _PATTERN_OF_SENT},
    ),
    AfterValidator(_usable),
]
"""1 to 128 printable characters."""

AddressedId = Annotated[
    str,
    Field(
        pattern=ADDRESS_PATTERN,
        max_length=_LONGEST_ADDRESS,
        examples=["cust-000042", "KD~2f42"],
        description="The customer's id; each byte (UTF-8) outside A-Z a-z 0-9 . _ : @ - is written as ~ and two hexadecimal digits",
    ),
    AfterValidator(_addressed),
]
"""A `CustomerId` as a part of an address."""
