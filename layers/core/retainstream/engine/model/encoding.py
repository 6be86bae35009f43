"""Customers' features as the array that a model reads."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

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


def encode(schema: FeatureSchema, customers: Iterable[Features]) -> Rows:
    """Features by name → float32 array (customers, features).

    A category becomes the index of its level, a boolean 0 or 1. A missing value becomes NaN, and so does a value that is not a level,
    unless the column has a level for all others.
    """
    listed = customers if isinstance(customers, list) else list(customers)
    rows = np.full((len(listed), len(schema.features)), np.nan, dtype=np.float32)
    for position, column in enumerate(schema.features):
        rows[:, position] = _column(column, [features.get(column.name) for features in listed])
    return rows


def _column(column: Column, values: Sequence[Value | None]) -> NDArray[np.float32]:
    if column.kind != "category":
        return np.array([math.nan if value is None else value for value in values], dtype=np.float32)
    codes: dict[Value, float] = {level: float(code) for code, level in enumerate(column.levels)}
    unlisted = codes.get(column.other, math.nan)
    return np.array([math.nan if value is None else codes.get(value, unlisted) for value in values], dtype=np.float32)
