"""The feature schema: one description of a business's columns that everything else reads."""

from retainstream.schema.feature_schema import ALL, Action, Column, FeatureSchema, Money, default_schema
from retainstream.schema.validation import FieldError, checked_features, group_of

__all__ = ["ALL", "Action", "Column", "FeatureSchema", "FieldError", "Money", "checked_features", "default_schema", "group_of"]
