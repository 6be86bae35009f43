"""Training rows: what was known of a customer on a day, and whether the customer left within the horizon after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows
from retainstream.engine.schema import FeatureSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_UNKNOWN = 0.2
NEWEST_MONTHS = 24


class AnchorCounts(TypedDict):
    """The rows of one anchor (2026-01-31) by their label, and whether they are training rows.

    `absent` customers had left by the anchor, or came after it. An anchor is not used if more than MOST_UNKNOWN of its other rows are
    unknown.
    """

    anchor: str
    left: int
    stayed: int
    unknown: int
    absent: int
    used: bool


@dataclass(frozen=True)
class TrainingTable:
    """n labelled rows, of one customer and one anchor each, ordered by customer id and anchor.

    anchors: int32 (n,), days since 1970-01-01. rows: float32 (n, features) in schema order.
    churned: bool (n,), whether the customer left in (anchor, anchor + horizon].
    groups: int16 (n,), places in schema.groups, -1 without a group. prices: float64 (n,), NaN where not known.
    synthetic: bool (n,), true where the outcome comes from the generator.
    anchors_report: the anchors, newest first.
    """

    customer_ids: list[str]
    anchors: NDArray[np.int32]
    rows: Rows
    churned: NDArray[np.bool_]
    groups: NDArray[np.int16]
    prices: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    anchors_report: list[AnchorCounts]


def training_rows(
    connection: "DuckDBPyConnection",
    history_files: Sequence[Path],
    lives_table: str,
    schema: FeatureSchema,
    horizon_days: int,
    *,
    spacing_days: int | None = None,
    most_unknown: float = MOST_UNKNOWN,
    newest_months: int = NEWEST_MONTHS,
) -> TrainingTable:
    """The labelled rows of the newest months, at most one of a customer within `spacing_days` (default: 0.9 of the horizon, rounded up).

    `lives_table` names a table of the connection, see `engine.history.lives`.
    """
    raise NotImplementedError
