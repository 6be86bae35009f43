"""What a change of a customer's columns would do to the customer's risk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.predictions import scores
from retainstream.engine.records import Score
from retainstream.engine.schema import FieldError, checked_features
from retainstream.predictions.generate import UnacceptableFeatures, acceptable


@dataclass(frozen=True)
class WhatIf:
    """Scores before and after a change. Only what is asked about changes; nothing is stored."""

    before: Score
    after: Score

    @property
    def change(self) -> float:
        """Probability after minus probability before."""
        return round(float(self.after["probability"] - self.before["probability"]), 6)

    @property
    def changed(self) -> list[str]:
        """The columns whose values differ."""
        was, becomes = self.before["features"], self.after["features"]
        return [name for name in {**was, **becomes} if was.get(name) != becomes.get(name)]


def what_if(model: ScoringModel, features: Mapping[str, Any], changes: Mapping[str, Any], *, stored: bool) -> WhatIf:
    """Scores features as they are and with `changes` (column → new value, None for unknown) in one pass.

    Args:
        stored: the features are a stored customer's and were checked when they came in.

    Raises:
        UnacceptableFeatures: errors are named "features.<column>" or "changes.<column>".
    """
    before = dict(features) if stored else acceptable(model.schema, features, "features")
    after, errors = checked_features(model.schema, {**before, **changes})
    if errors:
        raise UnacceptableFeatures(
            [FieldError(f"{'changes' if error.field in changes else 'features'}.{error.field}", error.detail) for error in errors]
        )
    first, second = scores(model, [before, after])
    return WhatIf(first, second)
