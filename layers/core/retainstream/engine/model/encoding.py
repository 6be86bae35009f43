"""Customers' columns as the array a model reads."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.schema import Column, FeatureSchema

type Rows = NDArray[np.float32]
"""Customers × the schema's features, in schema order; NaN where a value is missing."""


def feature_names(schema: FeatureSchema) -> list[str]:
    """The names of the model's inputs, in order."""
    return [column.name for column in schema.features]


def feature_types(schema: FeatureSchema) -> list[str]:
    """XGBoost's types of the model's inputs: "c" for a category, "q" for everything else."""
    return ["c" if column.kind == "category" else "q" for column in schema.features]


def encode(schema: FeatureSchema, customers: Iterable[Mapping[str, Any]]) -> Rows:
    """Features by name → float32 array (customers, features).

    A category becomes the index of its level, a boolean 0 or 1; a missing column becomes NaN, and so does a value that is no level,
    unless the column has a level for others.
    """
    given = customers if isinstance(customers, list) else list(customers)
    rows = np.full((len(given), len(schema.features)), np.nan, dtype=np.float32)
    for position, column in enumerate(schema.features):
        rows[:, position] = _column(column, [features.get(column.name) for features in given])
    return rows


def _column(column: Column, values: list[Any]) -> NDArray[np.float32]:
    if column.kind == "category":
        codes = {level: float(code) for code, level in enumerate(column.levels)}
        unlisted = codes.get(column.other, math.nan)
        numbers = [math.nan if value is None else codes.get(value, unlisted) for value in values]
    else:
        numbers = [math.nan if value is None else value for value in values]
    return np.array(numbers, dtype=np.float32)
