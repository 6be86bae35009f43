"""A part of a feature schema document."""

from functools import cached_property

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part that refuses unknown fields and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,), validate_by_name=True, serialize_by_alias=True)
