"""Validation of a customer's features by the schema."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from retainstream.engine.records import Value
from retainstream.engine.schema.feature_schema import ALL, Column, FeatureSchema

_LARGEST = 2**53
_SMALLEST = 1e-100  # DynamoDB takes numbers from 1e-130


class UnusableSchema(ValueError):
    """The active feature schema is not usable; the message says what to do."""


@dataclass(frozen=True)
class FieldError:
    """A column with a fault, and a sentence about the fault that does not repeat the value."""

    field: str
    detail: str


class UnacceptableFeatures(ValueError):
    """Features that the schema does not accept. Each of `errors` names its place."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("unacceptable features")
        self.errors = tuple(errors)


def checked_features(schema: FeatureSchema, values: Mapping[str, Any]) -> tuple[dict[str, Value], list[FieldError]]:
    """The columns of one customer as the schema wants them, and everything that is wrong with them.

    A column that is None, or one of its missing_values, counts as missing. Whole floats are taken for integers, and a value that a
    category does not list for its `other` level if it has one; nothing else is converted.
    """
    errors = [FieldError(name, "is not a column of the schema") for name in values if name not in schema.names]
    features: dict[str, Value] = {}
    for column in schema.columns:
        value = values.get(column.name)
        if value is None or (column.missing_values and stands_for_missing(column, value)):
            if not column.missing:
                errors.append(FieldError(column.name, "is required"))
            continue
        if column.other and isinstance(value, str) and value not in column.places:
            value = column.other
        problem = value_problem(column, value)
        if problem:
            errors.append(FieldError(column.name, problem))
        else:
            features[column.name] = int(value) if column.kind == "integer" else value
    return features, errors


def readable_features(schema: FeatureSchema, values: Mapping[str, Any]) -> dict[str, Value]:
    """The columns of one stored customer as a schema reads them: a value that it does not allow is missing."""
    return checked_features(schema, {name: value for name, value in values.items() if name in schema.names})[0]


def stands_for_missing(column: Column, value: Any) -> bool:
    """Whether a value is one of the column's missing_values; numbers are compared as numbers, so -999 equals -999.0."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return any(_same_number(text, value) for text in column.missing_values)
    return value in column.missing_values


def group_of(schema: FeatureSchema, features: Mapping[str, Value]) -> str:
    """The group of a customer: the value of the group column, or ALL."""
    return str(features.get(schema.group, ALL)) if schema.group else ALL


def value_problem(column: Column, value: Any) -> str | None:
    """The fault of a value that is not missing, in a sentence that does not repeat the value; None if it is valid."""
    match column.kind:
        case "number" | "integer":
            return _number_problem(column, value)
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "category":
            return None if isinstance(value, str) and value in column.places else f"must be one of {_listed(column.levels)}"
        case "date":
            return None if isinstance(value, str) and is_date(value) else "must be a date such as 2026-01-31"


def _number_problem(column: Column, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if abs(value) > _LARGEST:
        return "is too large"
    if 0 < abs(value) < _SMALLEST:
        return "is too close to zero"
    if column.kind == "integer" and value != int(value):
        return "must be a whole number"
    if column.min is not None and value < column.min:
        return f"must not be below {column.min:g}"
    if column.max is not None and value > column.max:
        return f"must not be above {column.max:g}"
    return None


def _listed(levels: tuple[str, ...], most: int = 12) -> str:
    more = len(levels) - most
    return ", ".join(levels) if more <= 0 else f"{', '.join(levels[:most])} and {more} more"


def _same_number(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False


def is_date(text: str) -> bool:
    """Whether a text is an ISO date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
