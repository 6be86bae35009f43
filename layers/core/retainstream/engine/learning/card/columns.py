"""What customers with a known outcome have in each column."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.schema import Column


def column_facts(data: DataSet) -> list[dict[str, Any]]:
    """Each column of the schema with its meaning, and for those the model uses the range, the levels' shares and the missing share."""
    values = {column.name: data.rows[:, place] for place, column in enumerate(data.schema.features)}
    unseen = {"missing_share": None}
    return [
        {**_described(column), **(_observed(column, values[column.name]) if column.feature else unseen)} for column in data.schema.columns
    ]


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "meaning": column.meaning,
        "unit": column.unit,
        "used": column.feature,
        "monotone": column.monotone,
        "action": column.action.title if column.action else "",
        "allowed_min": column.min,
        "allowed_max": column.max,
    }


def _observed(column: Column, values: NDArray[np.float32]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    found: dict[str, Any] = {"missing_share": round(1 - len(known) / max(1, len(values)), 6)}
    if not len(known):
        return found
    if column.kind == "category":
        counts = np.bincount(known.astype(int), minlength=len(column.levels))
        return {**found, "shares": {level: _share(count, known) for level, count in zip(column.levels, counts, strict=True)}}
    if column.kind == "boolean":
        return {**found, "shares": {"true": _share(known.sum(), known)}}
    names = ("low", "first_percentile", "median", "last_percentile", "high")
    return {**found, **dict(zip(names, map(_told, np.quantile(known, [0, 0.01, 0.5, 0.99, 1], method="inverted_cdf")), strict=True))}


def _share(count: Any, known: NDArray[np.float32]) -> float:
    return round(float(count) / len(known), 6)


def _told(value: float) -> float:
    """Without the digits that single precision adds."""
    return float(f"{value:.6g}")
