"""Conditions on a customer's columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from retainstream.engine.records import Features
from retainstream.engine.schema import Column, FeatureSchema, FieldError

type Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "missing"]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, bound: value == bound,
    "ne": lambda value, bound: value != bound,
    "lt": lambda value, bound: value < bound,
    "le": lambda value, bound: value <= bound,
    "gt": lambda value, bound: value > bound,
    "ge": lambda value, bound: value >= bound,
    "in": lambda value, bounds: value in bounds,
}
_ORDERED = ("lt", "le", "gt", "ge")
_LARGEST_NUMBER = 2**53


class UnacceptableCriteria(ValueError):
    """Criteria that the schema does not allow. Each of `errors` is named criteria.<place>.<part>."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("unacceptable criteria")
        self.errors = tuple(errors)


@dataclass(frozen=True)
class Criterion:
    """One condition. A missing value meets only `missing` with the bound true."""

    column: Column
    operator: Operator
    bound: Any

    def holds(self, features: Features) -> bool:
        value = features.get(self.column.name)
        if self.operator == "missing":
            return (value is None) is self.bound
        if value is None:
            return False
        return _COMPARE[self.operator](_comparable(self.column, value), self.bound)


def criteria_of(schema: FeatureSchema, conditions: Sequence[tuple[str, Operator, Any]]) -> list[Criterion]:
    """Conditions as (column, operator, value).

    Raises:
        UnacceptableCriteria: the schema does not have a column, or an operator or value does not fit a column.
    """
    errors: list[FieldError] = []
    criteria = []
    for place, (name, operator, value) in enumerate(conditions):
        if name not in schema.names:
            errors.append(FieldError(f"criteria.{place}.column", "is not a column of the schema"))
            continue
        column = schema.column(name)
        if operator in _ORDERED and column.kind in ("category", "boolean"):
            errors.append(FieldError(f"criteria.{place}.op", f"does not apply to a {column.kind}"))
            continue
        problem = _problem(column, operator, value)
        if problem:
            errors.append(FieldError(f"criteria.{place}.value", problem))
            continue
        criteria.append(Criterion(column, operator, _bound(column, operator, value)))
    if errors:
        raise UnacceptableCriteria(errors)
    return criteria


def all_hold(criteria: Sequence[Criterion], features: Features) -> bool:
    return all(criterion.holds(features) for criterion in criteria)


def _problem(column: Column, operator: Operator, value: Any) -> str | None:
    if operator == "missing":
        return None if isinstance(value, bool) else "must be true or false"
    if operator == "in":
        if not isinstance(value, list) or not 1 <= len(value) <= 50:
            return "must be a list of 1 to 50 values"
        return next((problem for single in value if (problem := _single_problem(column, single))), None)
    return _single_problem(column, value)


def _single_problem(column: Column, value: Any) -> str | None:
    match column.kind:
        case "number" | "integer":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
            return None if fits else "must be a number"
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "category":
            return None if isinstance(value, str) and value in column.places else "must be one of the column's levels"
        case "date":
            return None if _day(value) else "must be a date such as 2026-01-31"


def _bound(column: Column, operator: Operator, value: Any) -> Any:
    if operator == "missing":
        return value
    return [_comparable(column, single) for single in value] if operator == "in" else _comparable(column, value)


def _comparable(column: Column, value: Any) -> Any:
    return _day(value) if column.kind == "date" else value


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
