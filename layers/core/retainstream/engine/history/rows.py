"""A row of the history, as a function without DuckDB leaves it."""

from typing import Literal, NotRequired, TypedDict

from retainstream.engine.records import Features

ASSUMED = "assumed-"
"""How the run id of rows begins whose days nobody stated: of a first table that was taken for features of one horizon before today."""

Origin = Literal["scored", "import", "prepared"]


class ArrivingRow(TypedDict):
    """A customer's features on one day, and the score that they were given, where they were scored.

    `anchor` is the day that the features describe (2026-01-31). `moment` is ISO 8601 in UTC: a time before the customer was read, so that
    the removal of a customer after it also removes the row. `price` is per month. Margins and contributions are in log-odds;
    contributions are by feature, and half of a pair's is each of its features'. The fields from `probability` on are those of a scored
    row, which has all of them.
    """

    customer_id: str
    anchor: str
    moment: str
    origin: Origin
    group: str
    price: float | None
    features: Features
    probability: NotRequired[float]
    margin: NotRequired[float]
    base_margin: NotRequired[float]
    base_probability: NotRequired[float]
    model_version: NotRequired[str]
    contributions: NotRequired[dict[str, float]]
