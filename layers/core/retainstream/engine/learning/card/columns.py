"""The values of customers with a known outcome, column by column."""

from typing import Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.schema import Column
from retainstream.engine.schema.feature_schema import Kind


class Observed(TypedDict):
    """Values of a column. missing_share is None for a column that the model does not use; numbers have quantiles, others have shares."""

    missing_share: float | None
    shares: NotRequired[dict[str, float]]
    low: NotRequired[float]
    first_percentile: NotRequired[float]
    median: NotRequired[float]
    last_percentile: NotRequired[float]
    high: NotRequired[float]


class ColumnDocument(Observed):
    """A column of the schema with its values, for `card.document.ColumnFacts`."""

    name: str
    label: str
    kind: Kind
    meaning: str
    unit: str
    used: bool
    monotone: Literal["increasing", "decreasing"] | None
    action: str
    allowed_min: float | None
    allowed_max: float | None


def column_facts(data: DataSet) -> list[ColumnDocument]:
    """Each column of the schema; for columns that the model uses also the range, the levels' shares and the missing share."""
    values = {column.name: data.rows[:, place] for place, column in enumerate(data.schema.features)}
    return [
        _document(column, _observed(column, values[column.name]) if column.feature else {"missing_share": None})
        for column in data.schema.columns
    ]


def _document(column: Column, observed: Observed) -> ColumnDocument:
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "meaning": column.meaning,
        "unit": column.unit_of_input if column.feature else column.unit,
        "used": column.feature,
        "monotone": column.monotone,
        "action": column.action.title if column.action else "",
        "allowed_min": column.min,
        "allowed_max": column.max,
        **observed,
    }


def _observed(column: Column, values: NDArray[np.float32]) -> Observed:
    known = values[~np.isnan(values)]
    missing_share = round(1 - len(known) / max(1, len(values)), 6)
    if not len(known):
        return {"missing_share": missing_share}
    if column.kind == "category":
        counts = np.bincount(known.astype(int), minlength=len(column.levels)).tolist()
        shares = {level: _share(count, known) for level, count in zip(column.levels, counts, strict=True)}
        return {"missing_share": missing_share, "shares": shares}
    if column.kind == "boolean":
        return {"missing_share": missing_share, "shares": {"true": _share(float(known.sum()), known)}}
    low, first, median, last, high = map(_short, np.quantile(known, [0, 0.01, 0.5, 0.99, 1], method="inverted_cdf"))
    return {
        "missing_share": missing_share,
        "low": low,
        "first_percentile": first,
        "median": median,
        "last_percentile": last,
        "high": high,
    }


def _share(count: float, known: NDArray[np.float32]) -> float:
    return round(count / len(known), 6)


def _short(value: float) -> float:
    """The value without the digits that single precision adds."""
    return float(f"{value:.6g}")
