"""What moves the scores of the customers scored now."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from retainstream.dashboard.figures import PredictionFigures
from retainstream.dashboard.fold import Counters
from retainstream.registry.views import DIRECTION_IN_WORDS, Direction


class FactorView(BaseModel):
    """One column's part in the scores of the customers who have not left."""

    feature: str
    label: str
    mean_abs_contribution: float = Field(description="Mean |Shapley value| in log-odds")
    share: float = Field(description="Part of the sum over all columns, from 0 to 1")
    points: float = Field(description="How far it moves the probability on average, either way, in percentage points")
    mean_contribution: float = Field(description="Mean Shapley value in log-odds: above 0 it raises the risk of these customers on balance")
    direction: Direction
    meaning: str = Field(examples=["larger values raise the risk"])


def factor_views(counters: Counters, record: Mapping[str, Any] | None) -> list[FactorView]:
    """Columns by their mean |contribution|, strongest first; none while nobody is scored. `record` is that of the model in service."""
    known = {entry["feature"]: entry for entry in record.get("importance", ())} if record else {}
    found = PredictionFigures(counters).factors()
    total = sum(factor.strength for factor in found) or 1.0
    views = []
    for factor in found:
        told = known.get(factor.column, {})
        direction: Direction = told.get("direction", "mixed")
        views.append(
            FactorView(
                feature=factor.column,
                label=told.get("label", factor.column),
                mean_abs_contribution=round(factor.strength, 6),
                share=round(factor.strength / total, 6),
                points=round(factor.reach, 4),
                mean_contribution=round(factor.tilt, 6),
                direction=direction,
                meaning=DIRECTION_IN_WORDS[direction],
            )
        )
    return views
