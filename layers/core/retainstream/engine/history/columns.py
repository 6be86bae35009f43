"""The columns of the history: those of every row, one for each feature of the schema, and for a scored row one for each contribution."""

from retainstream.engine.schema import Column, FeatureSchema

TYPES = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "category": "VARCHAR", "date": "VARCHAR"}
"""The type of a feature by its kind. A date is an ISO day."""

ROW = {
    "customer_id": "VARCHAR",
    "anchor_day": "INTEGER",
    "moment": "VARCHAR",
    "origin": "VARCHAR",
    "run_id": "VARCHAR",
    "group": "VARCHAR",
    "price": "DOUBLE",
    "probability": "DOUBLE",
    "margin": "DOUBLE",
    "base_margin": "DOUBLE",
    "base_probability": "DOUBLE",
    "model_version": "VARCHAR",
    "treated": "BOOLEAN",
}
"""The columns of every row; those from `probability` on are empty where the row was not scored. `anchor_day` counts from 1970-01-01.
`treated` is for customers under treatment in a campaign, and empty so far."""


def feature_column(column: Column) -> str:
    return f"f_{column.name}"


def contribution_column(column: Column) -> str:
    return f"c_{column.name}"


def columns_of(schema: FeatureSchema) -> dict[str, str]:
    """The columns of the history under this schema, with their types."""
    features = {feature_column(column): TYPES[column.kind] for column in schema.features}
    return {**ROW, **features, **{contribution_column(column): "REAL" for column in schema.features}}
