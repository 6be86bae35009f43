"""Integers in JSON."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
"""A number without a fraction in any spelling: 88, 88.0 and 8.8e1 are the same JSON number. Texts and booleans are refused."""
