"""Customers at several month ends, for tests: the values of the default schema, with a base rate that differs by month."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from retainstream.engine.business.truth import true_probability
from retainstream.engine.learning.dataset import DataSet, in_order
from retainstream.engine.model.calibration import sigmoid
from tests.generated_months import data_set

FOUR_MONTHS = ("2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30")


def day(text: str) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(text, "D").astype(int))


def at_month_ends(days: Sequence[str], customers: int = 500, *, levels: Sequence[float] | None = None, seed: int = 5) -> DataSet:
    """The same customers at each day, with new values each time. `levels`: log-odds added to the churn of a day."""
    data = data_set(customers * len(days), seed)
    truth = np.clip(true_probability(data.schema, data.rows), 1e-9, 1 - 1e-9)
    moved = np.log(truth / (1 - truth)) + np.repeat(levels or [0.0] * len(days), customers)
    keys = np.tile(np.random.default_rng(1).integers(0, 2**64, customers, dtype=np.uint64), len(days))
    anchors = np.repeat([day(text) for text in days], customers).astype(np.int32)
    churned = np.random.default_rng([seed, 1]).random(len(data)) < sigmoid(moved)
    return in_order(replace(data, keys=keys, anchors=anchors, churned=churned))
