"""What a feature schema document may say."""

from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

type Value = str | float | int | bool
type Kind = Literal["number", "integer", "boolean", "category", "date"]
type ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]

ALL = "all"
"""The group of every customer when the schema names no group column."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Action(_Document):
    """What the business can do when this column drives a customer's risk."""

    title: str = Field(min_length=1, max_length=120, description="The action in a few words, as an instruction")
    cost: float | None = Field(default=None, ge=0, description="Cost of one offer, in the currency; the schema's offer cost when absent")
    save_rate: float | None = Field(
        default=None, gt=0, le=1, description="Share of would-be churners this action keeps; the schema's save rate when absent"
    )


class Column(_Document):
    """One column of a customer."""

    name: ColumnName
    kind: Kind
    label: str = Field(min_length=1, max_length=80, description="What people call it")
    meaning: str = Field(default="", max_length=300, description="What it measures, over which period")
    phrase: str = Field(
        default="",
        max_length=120,
        description="A value in a sentence: '{value} failed payment{s} in 90 days', where {s} is an s unless the value is 1",
    )
    unit: str = Field(default="", max_length=30)
    min: float | None = None
    max: float | None = None
    levels: tuple[str, ...] = Field(default=(), description="The values of a category, in the order people list them")
    missing: bool = Field(default=False, description="Whether a customer may lack it")
    feature: bool = Field(default=True, description="Whether the model may use it")
    monotone: Literal["increasing", "decreasing"] | None = Field(default=None, description="How churn must move when the value grows")
    action: Action | None = None

    @model_validator(mode="after")
    def _agrees_with_kind(self) -> Self:
        if self.kind == "category" and not self.levels:
            raise ValueError(f"column {self.name}: a category needs its levels")
        if self.kind != "category" and self.levels:
            raise ValueError(f"column {self.name}: only a category has levels")
        if len(set(self.levels)) != len(self.levels):
            raise ValueError(f"column {self.name}: a level is listed twice")
        if self.kind in ("category", "date", "boolean") and (self.min is not None or self.max is not None):
            raise ValueError(f"column {self.name}: only a number or an integer has a range")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"column {self.name}: min is above max")
        if self.kind == "category" and self.monotone:
            raise ValueError(f"column {self.name}: a category has no monotone direction")
        if self.kind == "date" and self.feature:
            raise ValueError(f"column {self.name}: a date is not a feature; give its age in days as a number, or set feature to false")
        return self


class Id(_Document):
    column: ColumnName
    label: str = "Customer"


class Label(_Document):
    column: ColumnName
    positive: Value = Field(description="The value that means the customer left")
    meaning: str = ""


class Money(_Document):
    """What a customer is worth and what keeping one costs."""

    price: ColumnName = Field(description="The column with what a customer pays a month")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    months: float = Field(default=12, gt=0, description="Months of revenue a saved customer is counted for")
    offer_cost: float = Field(ge=0, description="Cost of one retention offer, in the currency")
    save_rate: float = Field(gt=0, le=1, description="Share of would-be churners an offer keeps")


class FeatureSchema(_Document):
    """A business's columns, their meaning, and its money."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    title: str = Field(min_length=1, max_length=80)
    id: Id
    label: Label
    group: ColumnName | None = Field(default=None, description="The category column results are shown by, such as the plan")
    horizon_days: int = Field(ge=1, le=730, description="Days within which leaving counts as churn")
    money: Money | None = None
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [column.name for column in self.columns]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"columns listed twice: {', '.join(sorted(repeated))}")
        for role, name in (("id", self.id.column), ("label", self.label.column)):
            if name in names:
                raise ValueError(f"the {role} column {name} must not be among the columns")
        if not self.features:
            raise ValueError("no column is a feature")
        if self.group is not None and (self.group not in names or self.column(self.group).kind != "category"):
            raise ValueError(f"the group column {self.group} must be a category among the columns")
        if self.money and (self.money.price not in names or self.column(self.money.price).kind not in ("number", "integer")):
            raise ValueError(f"the price column {self.money.price} must be a number among the columns")
        return self

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The columns the model may use, in the order of the model's input."""
        return tuple(column for column in self.columns if column.feature)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The values of the group column, or ALL alone when there is none."""
        return self.column(self.group).levels if self.group else (ALL,)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """Raises KeyError for a column the schema does not have."""
        return self._by_name[name]


@cache
def default_schema() -> FeatureSchema:
    """The schema a new stack starts with; generated from examples/schemas/streaming.yaml."""
    return FeatureSchema.model_validate_json(Path(__file__).with_name("default.json").read_bytes())
