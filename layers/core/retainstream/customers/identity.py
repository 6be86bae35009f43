"""What a customer's id may be."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

RESERVED = frozenset({"high-risk", "segment", "imports"})
"""Paths below /api/customers that are no customers."""


def _not_reserved(customer_id: str) -> str:
    if customer_id in RESERVED:
        raise PydanticCustomError("reserved", "is the name of a path and cannot be a customer's id")
    return customer_id


CustomerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$", examples=["cust-000042"]), AfterValidator(_not_reserved)]
"""1 to 128 of A-Z a-z 0-9 . _ : @ -, beginning with a letter or a digit."""

CustomerIdInPath = Annotated[CustomerId, BeforeValidator(lambda given: unquote(given) if isinstance(given, str) else given)]
"""A customer's id as a URL spells it."""
