"""The rule for a customer's id."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

RESERVED = frozenset({"high-risk", "segment", "imports"})
"""Names of paths below /api/customers."""

PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"
PATTERN_IN_WORDS = "must be 1 to 128 of A-Z a-z 0-9 . _ : @ -, beginning with a letter or a digit"
_IS_RESERVED = "is the name of a path and cannot be a customer's id"


def id_problem(customer_id: str) -> str | None:
    """The fault of an id, in a sentence that does not repeat it; None for an id that may be used."""
    if not customer_id:
        return "is missing"
    if customer_id in RESERVED:
        return _IS_RESERVED
    if not re.fullmatch(PATTERN, customer_id):
        return PATTERN_IN_WORDS
    return None


def _not_reserved(customer_id: str) -> str:
    if customer_id in RESERVED:
        raise PydanticCustomError("reserved", _IS_RESERVED)
    return customer_id


CustomerId = Annotated[str, Field(pattern=PATTERN, examples=["cust-000042"]), AfterValidator(_not_reserved)]
"""1 to 128 of A-Z a-z 0-9 . _ : @ -, beginning with a letter or a digit."""
