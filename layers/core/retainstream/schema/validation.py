"""A customer's columns against the schema."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from retainstream.schema.feature_schema import ALL, Column, FeatureSchema, Value

_LARGEST = 2**53


@dataclass(frozen=True)
class FieldError:
    """A column at fault, and what is wrong with it in a sentence that does not repeat the value."""

    field: str
    detail: str


def checked_features(schema: FeatureSchema, given: Mapping[str, Any]) -> tuple[dict[str, Value], list[FieldError]]:
    """The columns of one customer as the schema wants them, and everything that is wrong with them.

    A column that is None counts as missing. Whole floats are taken for integers; nothing else is converted.
    """
    known = {column.name for column in schema.columns}
    errors = [FieldError(name, "is not a column of the schema") for name in given if name not in known]
    features: dict[str, Value] = {}
    for column in schema.columns:
        value = given.get(column.name)
        if value is None:
            if not column.missing:
                errors.append(FieldError(column.name, "is required"))
            continue
        problem = _problem(column, value)
        if problem:
            errors.append(FieldError(column.name, problem))
        else:
            features[column.name] = int(value) if column.kind == "integer" else value
    return features, errors


def group_of(schema: FeatureSchema, features: Mapping[str, Value]) -> str:
    """The group a customer belongs to: the value of the group column, or ALL."""
    return str(features.get(schema.group, ALL)) if schema.group else ALL


def _problem(column: Column, value: Any) -> str | None:
    match column.kind:
        case "number" | "integer":
            return _number_problem(column, value)
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "category":
            return None if isinstance(value, str) and value in column.levels else f"must be one of {', '.join(column.levels)}"
        case "date":
            return None if isinstance(value, str) and _is_date(value) else "must be a date such as 2026-01-31"


def _number_problem(column: Column, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if abs(value) > _LARGEST:
        return "is too large"
    if column.kind == "integer" and value != int(value):
        return "must be a whole number"
    if column.min is not None and value < column.min:
        return f"must not be below {column.min:g}"
    if column.max is not None and value > column.max:
        return f"must not be above {column.max:g}"
    return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
