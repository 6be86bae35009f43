"""Requests to the predictions module."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic.json_schema import SkipJsonSchema

from retainstream.engine.schema.customer_id import CustomerId

MOST_AT_ONCE = 100

FeatureRow = Annotated[dict[str, Any], Field(max_length=1000, description="Column of the feature schema → value; null is unknown")]
_LeftOut = SkipJsonSchema[None]


def _fields(number: int) -> ConfigDict:
    """A request with exactly so many fields, none of them null."""
    return ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"minProperties": number, "maxProperties": number})


class GenerateRequest(BaseModel):
    """What to score: exactly one of customer ids, rows of features, or all customers."""

    model_config = _fields(1)

    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MOST_AT_ONCE)] | _LeftOut = Field(
        default=None, description="Stored customers: scored as they are now; their predictions are stored"
    )
    rows: Annotated[list[FeatureRow], Field(min_length=1, max_length=MOST_AT_ONCE)] | _LeftOut = Field(
        default=None, description="Rows that belong to no stored customer: scored; nothing is stored"
    )
    all: Annotated[StrictBool, Field(json_schema_extra={"const": True})] | _LeftOut = Field(
        default=None, description="true: all customers, by a scoring run"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if self.all is False:
            raise ValueError("all can only be true")
        given = [getattr(self, name) for name in self.model_fields_set]
        if len(given) != 1 or None in given:
            raise ValueError("give exactly one of customer_ids, rows and all")
        return self


class WhatIfRequest(BaseModel):
    """A customer, by id or by features, and the columns to change."""

    model_config = _fields(2)

    customer_id: CustomerId | _LeftOut = None
    features: FeatureRow | _LeftOut = None
    changes: Annotated[FeatureRow, Field(min_length=1)] = Field(examples=[{"payment_failures": 0}])

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 2 or (self.customer_id is None) == (self.features is None):
            raise ValueError("give exactly one of customer_id and features")
        return self
