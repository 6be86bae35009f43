"""A table's customers with a known outcome, as a data set for training."""

import re

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.business.truth import is_generated_for, truth_of
from retainstream.engine.learning.dataset import DataSet, Days, key_of, unknown_anchors
from retainstream.engine.learning.metrics import row_log_losses
from retainstream.engine.model.encoding import Rows
from retainstream.engine.tables.columnar import CustomerTable

_GENERATED_ID = re.compile(r"[bs]\d{7,}")
_MOST_DEVIATIONS = 5.0


def known_outcomes(table: CustomerTable) -> NDArray[np.bool_]:
    """The rows with an outcome that was known on a day, if the file says when, at least a horizon after the day of the features."""
    known: NDArray[np.bool_] = ~np.isnan(table.churned)
    if table.anchors is not None and table.outcome_days is not None:
        known &= table.outcome_days >= table.anchors + table.schema.horizon_days
    return known


def labelled(table: CustomerTable) -> DataSet:
    """The rows with a known outcome (see `known_outcomes`), in the order of the file."""
    known = known_outcomes(table)
    places = np.flatnonzero(known)
    ids, rows, churned = [table.ids[place] for place in places], table.rows[known], table.churned[known] == 1
    prices = table.prices[known] if table.prices is not None else np.full(len(places), np.nan)
    anchors = unknown_anchors(len(places)) if table.anchors is None else table.anchors[known]
    generated = is_generated_for(table.schema) and all(map(_GENERATED_ID.fullmatch, ids)) and _as_generated(table, rows, anchors, churned)
    return DataSet(
        schema=table.schema,
        keys=np.array([key_of(customer_id) for customer_id in ids], dtype=np.uint64),
        rows=rows,
        churned=churned,
        groups=table.groups[known],
        prices=prices,
        synthetic=np.full(len(places), generated),
        anchors=anchors,
    )


def _as_generated(table: CustomerTable, rows: Rows, anchors: Days, churned: NDArray[np.bool_]) -> bool:
    """Whether the outcomes agree with the generator's probabilities: their log loss is within chance of its expected value."""
    if np.isnan(rows[:, [column.kind == "category" for column in table.schema.features]]).any():
        return False
    truth = np.clip(truth_of(table.schema, rows, anchors, churned), 1e-9, 1 - 1e-9)
    expected = -(truth * np.log(truth) + (1 - truth) * np.log(1 - truth))
    variance = truth * (1 - truth) * np.log(truth / (1 - truth)) ** 2
    excess = float((row_log_losses(churned, truth) - expected).sum())
    return bool(np.isfinite(excess)) and abs(excess) <= _MOST_DEVIATIONS * float(np.sqrt(variance.sum()))
