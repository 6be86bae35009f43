"""E-mail addresses in one spelling each, so that no address has two accounts and none imitates another."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+(?!\d+$){_LABEL})")


def normalised(address: str) -> str:
    """The normal spelling of an address: trimmed, NFKC, lower case. The syntax is RFC 5321's dot-string at a domain of two labels or more.

    Letters outside ASCII that remain after NFKC are refused, since they allow look-alikes.

    Raises:
        ValueError: the text is not an e-mail address.
    """
    text = unicodedata.normalize("NFKC", address).strip() if len(address) <= LONGEST_ADDRESS else ""
    spelling = text.casefold() if text.isascii() and len(text) <= LONGEST_ADDRESS else ""
    match = _ADDRESS.fullmatch(spelling)
    if match is None or len(match["local"]) > _LONGEST_LOCAL_PART:
        raise ValueError("is not an e-mail address")
    return spelling


def domain_of(address: str) -> str:
    """The domain of a normalised address."""
    return address.rpartition("@")[2]


EmailAddress = Annotated[
    str,
    Field(max_length=LONGEST_ADDRESS, examples=["ann@example.com"], json_schema_extra={"format": "email"}),
    AfterValidator(normalised),
]
"""A field of this type accepts an address in any spelling and holds the normal one."""
