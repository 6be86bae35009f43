"""Generated customers, column by column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.records import Value
from retainstream.engine.schema import default_schema

PLAN_SHARE = np.array([0.45, 0.35, 0.20])


@dataclass(frozen=True)
class GeneratedRows:
    """Customers, column by column, in the default schema's order. A missing number is NaN; `plan` holds level names."""

    ids: list[str]
    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.ids)

    def features(self) -> Iterator[dict[str, Value]]:
        """Each customer's features for the schema's validation; missing values are absent."""
        names = list(self.columns)
        for row in zip(*(_plain(name, values) for name, values in self.columns.items()), strict=True):
            yield {name: value for name, value in zip(names, row, strict=True) if value is not None}

    def rows(self) -> NDArray[np.float32]:
        """The features as a model reads them: float32 (n, features)."""
        levels = list(default_schema().column("plan").levels)
        numbers = [values.astype(np.float64) for name, values in self.columns.items() if name != "plan"]
        return np.column_stack([np.array([levels.index(level) for level in self.columns["plan"]]), *numbers]).astype(np.float32)


def _plain(name: str, values: NDArray[Any]) -> list[Value | None]:
    column = default_schema().column(name)
    if column.kind == "category":
        return [str(value) for value in values]
    convert: Mapping[str, type[int] | type[float]] = {"integer": int, "number": float}
    as_kind = convert[column.kind]
    return [None if value != value else as_kind(value) for value in values.tolist()]
