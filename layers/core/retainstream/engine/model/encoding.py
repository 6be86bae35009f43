"""Customers' features as the array that a model reads."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.lives import day_number
from retainstream.engine.records import Features, Value
from retainstream.engine.schema import Column, FeatureSchema

type Rows = NDArray[np.float32]
"""Customers × the schema's features, in schema order; NaN where a value is missing."""


def feature_names(columns: Sequence[Column]) -> list[str]:
    """The names of a model's inputs, in order."""
    return [column.name for column in columns]


def feature_types(columns: Sequence[Column]) -> list[str]:
    """XGBoost's types of a model's inputs: "c" for a category, "q" for any other kind."""
    return ["c" if column.kind == "category" else "q" for column in columns]


def has_dates(schema: FeatureSchema) -> bool:
    """Whether the model reads dates, and so needs the day that a customer's features describe."""
    return any(column.kind == "date" for column in schema.features)


def encode(schema: FeatureSchema, customers: Iterable[Features], days: Sequence[int] | None = None) -> Rows:
    """Features by name → float32 array (customers, features).

    A category becomes the index of its level, a boolean 0 or 1, a date the days from it to the day that the features describe. A missing
    value becomes NaN, and so does a value that is not a level, unless the column has a level for all others.

    Args:
        days: the day that each customer's features describe (see `past.described_day`), in days since 1970-01-01.

    Raises:
        ValueError: a text is no date, or the schema has dates among its features and the days are not there.
    """
    listed = customers if isinstance(customers, list) else list(customers)
    rows = np.full((len(listed), len(schema.features)), np.nan, dtype=np.float32)
    for position, column in enumerate(schema.features):
        values = [features.get(column.name) for features in listed]
        rows[:, position] = _days_before(values, days) if column.kind == "date" else _column(column, values)
    return rows


def day_numbers(dates: Sequence[Value | None]) -> NDArray[np.float64]:
    """ISO dates as days since 1970-01-01 (n,), NaN for None.

    Raises:
        ValueError, TypeError: one of them is no date.
    """
    numbers = {text: _day_number(text) for text in set(dates)}
    return np.array([numbers[text] for text in dates], dtype=np.float64)


def _day_number(date: Value | None) -> float:
    if date is None:
        return math.nan
    if not isinstance(date, str):
        raise TypeError("a date is no text")
    return float(day_number(date))


def days_before(dates: NDArray[np.float64], days: NDArray[np.int32] | Sequence[int] | int) -> NDArray[np.float64]:
    """The model's value of dates (n,): the days from each date to the day that its row describes, negative for a date after it.

    dates, days: days since 1970-01-01; `days` are those of the rows (n,), or of all rows.
    """
    return np.asarray(days, dtype=np.float64) - dates


def _days_before(values: Sequence[Value | None], days: Sequence[int] | None) -> NDArray[np.float64]:
    if days is None:
        raise ValueError("the day that the features describe is needed for dates")
    return days_before(day_numbers(values), days)


def _column(column: Column, values: Sequence[Value | None]) -> NDArray[np.float32]:
    if column.kind != "category":
        return np.array([math.nan if value is None else value for value in values], dtype=np.float32)
    places, unlisted = column.places, column.places.get(column.other, math.nan)

    def code(value: Value | None) -> float:
        if value is None:
            return math.nan
        return places.get(value, unlisted) if isinstance(value, str) else unlisted

    return np.array([code(value) for value in values], dtype=np.float32)
