"""The effect of changed columns on a customer's risk."""

from collections.abc import Mapping
from dataclasses import dataclass

from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.predictions import scores
from retainstream.engine.records import Score
from retainstream.engine.schema import FieldError, UnacceptableFeatures, checked_features, readable_features
from retainstream.predictions.generate import acceptable


@dataclass(frozen=True)
class WhatIf:
    """Scores before and after a change of columns. Nothing is stored."""

    before: Score
    after: Score
    changed: list[str]
    """The columns whose values differ, in the order of the schema."""

    @property
    def change(self) -> float:
        """Probability after minus probability before."""
        return round(float(self.after["probability"] - self.before["probability"]), 6)


def what_if(
    model: ScoringModel, features: Mapping[str, object], changes: Mapping[str, object], day: int | None = None, *, stored: bool
) -> WhatIf:
    """Scores features as they are and with `changes` (column → new value, None for unknown) in one pass.

    Args:
        day: the day that the features describe, in days since 1970-01-01; a schema with dates among its features needs it.
        stored: the features are those of a stored customer. What it lacks, or what the model's schema does not allow, is unknown, and
            stays so unless it is changed.

    Raises:
        UnacceptableFeatures: errors are named "features.<column>" or "changes.<column>".
    """
    schema = model.schema
    before = readable_features(schema, features) if stored else acceptable(schema, features, "features")
    after, errors = checked_features(schema, {**before, **changes})
    if stored:
        lacking = schema.names - before.keys()
        errors = [error for error in errors if error.field not in lacking or changes.get(error.field) is not None]
    if errors:
        raise UnacceptableFeatures(
            [FieldError(f"{'changes' if error.field in changes else 'features'}.{error.field}", error.detail) for error in errors]
        )
    first, second = scores(model, [before, after], None if day is None else [day, day])
    was, becomes = first["features"], second["features"]
    return WhatIf(first, second, [column.name for column in schema.columns if was.get(column.name) != becomes.get(column.name)])
