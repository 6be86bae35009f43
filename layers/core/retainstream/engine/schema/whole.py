"""Whole numbers as JSON has them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
"""A number without a fraction, however it is spelt: 88, 88.0 and 8.8e1 are one number to JSON. Text and true are none."""
