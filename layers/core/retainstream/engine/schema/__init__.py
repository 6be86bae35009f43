"""The feature schema: the description of a business's columns, used everywhere else."""

from retainstream.engine.schema.documents import UnreadableSchema, read_schema, schema_from_text
from retainstream.engine.schema.feature_schema import (
    ALL,
    ANCHOR,
    MAX_COLUMNS,
    Action,
    Column,
    FeatureSchema,
    Id,
    Label,
    Moments,
    Money,
    default_schema,
)
from retainstream.engine.schema.sources import ANY, Churn, Events, NoEvent, Origin, Profile, Sources, SubscriptionEnded, Subscriptions
from retainstream.engine.schema.validation import (
    FieldError,
    UnacceptableFeatures,
    checked_features,
    group_of,
    readable_features,
    stands_for_missing,
    value_problem,
)

__all__ = [
    "ALL",
    "ANCHOR",
    "ANY",
    "MAX_COLUMNS",
    "Action",
    "Churn",
    "Column",
    "Events",
    "FeatureSchema",
    "FieldError",
    "Id",
    "Label",
    "Moments",
    "Money",
    "NoEvent",
    "Origin",
    "Profile",
    "Sources",
    "SubscriptionEnded",
    "Subscriptions",
    "UnacceptableFeatures",
    "UnreadableSchema",
    "checked_features",
    "default_schema",
    "group_of",
    "read_schema",
    "readable_features",
    "schema_from_text",
    "stands_for_missing",
    "value_problem",
]
