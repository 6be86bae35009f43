"""Training rows of the history as a data set, and the reason where there are none."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from retainstream.engine.history.training_rows import AnchorCounts, TrainingTable
from retainstream.engine.learning.dataset import DataSet, Moments, Provenance, in_order, key_of
from retainstream.engine.lives import MOST_UNKNOWN, day_number, iso_day
from retainstream.engine.schema import FeatureSchema


class NothingLabelled(Exception):
    """The history has no row with a known outcome; the message says what is missing and what brings it."""


def data_set(table: TrainingTable, schema: FeatureSchema, customers: int) -> tuple[DataSet, Provenance]:
    """The rows by key and anchor, and where they come from: `customers` are those whose lives were read."""
    data = DataSet(
        schema,
        np.array([key_of(customer_id) for customer_id in table.customer_ids], dtype=np.uint64),
        table.rows,
        table.churned,
        table.groups,
        table.prices,
        table.synthetic,
        table.anchors,
    )
    sources = dict(sorted(Counter(table.sources).items()))
    assumed = int(table.assumed.sum())
    moments: Moments = {"checked": len(data) - assumed, "assumed": assumed} if assumed else {"checked": len(data)}
    return in_order(data), Provenance(customers, len(data), int(table.churned.sum()), sources, schema.name, moments)


def require_labelled(report: Sequence[AnchorCounts], horizon_days: int) -> None:
    """Accepts the anchors of a history of which at least one is used.

    Raises:
        NothingLabelled: none is.
    """
    if any(row["used"] for row in report):
        return
    known = [row for row in report if row["left"] + row["stayed"] + row["unknown"]]
    if not known:
        raise NothingLabelled(
            "The history has no features of customers yet. Import a table with the day of its features and the day on which its outcomes "
            "were known (--features-as-of, --outcomes-as-of), at least one horizon later, or monthly exports of the past."
        )
    labelled = [row for row in known if row["left"] and row["stayed"]]
    if labelled:
        row = labelled[0]
        there = row["left"] + row["stayed"] + row["unknown"]
        raise NothingLabelled(
            f"The outcomes of {row['unknown']:,} of {there:,} customers ({row['unknown'] / there:.0%}) of {row['anchor']} are not known. "
            f"A model may learn from a day of which at most {MOST_UNKNOWN:.0%} are not: customers whose outcome nobody wrote down may be "
            "those who left. Import their outcomes, or a file without these customers."
        )
    oldest = min(row["anchor"] for row in known)
    raise NothingLabelled(
        f"No outcome is known for the features in the history: the oldest are of {oldest}, and a horizon of {horizon_days} days ends on "
        f"{iso_day(day_number(oldest) + horizon_days)}. Import who has left and who is still a customer as of that day or later, "
        "or a table with older features."
    )
