"""What the predictions module takes."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

MOST_AT_ONCE = 100

CustomerId = Annotated[str, Field(min_length=1, max_length=200, examples=["C-000042"])]
FeatureRow = Annotated[dict[str, Any], Field(max_length=1000, description="Column of the feature schema → value; null is unknown")]


def _one_of(**types: str) -> ConfigDict:
    """Says in the JSON Schema that exactly one of the fields, of these JSON types, is given."""
    choices: Any = [{"required": [name], "properties": {name: {"type": kind}}} for name, kind in types.items()]
    return ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"oneOf": choices})


class GenerateRequest(BaseModel):
    """What to score: exactly one of stored customers by id, rows of features, or everybody."""

    model_config = _one_of(customer_ids="array", rows="array", all="boolean")

    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = Field(
        default=None, description="Stored customers: scored as they are now, predictions stored"
    )
    rows: Annotated[list[FeatureRow], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = Field(
        default=None, description="Rows that belong to no stored customer: scored, nothing stored"
    )
    all: Annotated[StrictBool, Field(json_schema_extra={"const": True})] | None = Field(
        default=None, description="true: every customer, by a scoring run"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if self.all is False:
            raise ValueError("all can only be true")
        if sum(given is not None for given in (self.customer_ids, self.rows, self.all)) != 1:
            raise ValueError("give exactly one of customer_ids, rows and all")
        return self


class WhatIfRequest(BaseModel):
    """A customer, stored or given by features, and what to change."""

    model_config = _one_of(customer_id="string", features="object")

    customer_id: CustomerId | None = None
    features: FeatureRow | None = None
    changes: Annotated[FeatureRow, Field(min_length=1)] = Field(examples=[{"payment_failures": 0}])

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.customer_id is None) == (self.features is None):
            raise ValueError("give exactly one of customer_id and features")
        return self
