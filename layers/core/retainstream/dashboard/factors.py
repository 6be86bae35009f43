"""The columns' influence on the scores of the customers with a prediction."""

from pydantic import BaseModel, Field

from retainstream.dashboard.figures import PredictionFigures
from retainstream.dashboard.fold import Counters
from retainstream.registry.views import direction_in_words
from retainstream.storage.models import Direction, Version


class FactorView(BaseModel):
    """A column's influence on the scores of the customers who have not left."""

    feature: str = Field(
        description='The column; of a pair of columns that act together, both: "fee & delivery"', examples=["payment_failures"]
    )
    label: str
    mean_abs_contribution: float = Field(description="Mean |Shapley value| in log-odds")
    share: float = Field(description="Share of the sum over all columns, from 0 to 1")
    points: float = Field(
        description="How far the column moves a probability, up or down, on average over the customers; in percentage points"
    )
    mean_contribution: float = Field(description="Mean Shapley value in log-odds: above 0 it raises the risk of these customers on average")
    direction: Direction
    meaning: str = Field(examples=["larger values raise the risk"])


def factor_views(counters: Counters, record: Version | None) -> list[FactorView]:
    """Columns by their mean |contribution|, strongest first; empty without predictions. `record` is that of the model in service."""
    known = {entry["feature"]: entry for entry in record.get("importance", ())} if record else {}
    columns = PredictionFigures(counters).factors()
    total = sum(column.strength for column in columns) or 1.0
    views = []
    for factor in columns:
        entry = known.get(factor.column)
        direction: Direction = entry["direction"] if entry else "mixed"
        views.append(
            FactorView(
                feature=factor.column,
                label=entry["label"] if entry else factor.column,
                mean_abs_contribution=round(factor.strength, 6),
                share=round(factor.strength / total, 6),
                points=round(factor.reach, 4),
                mean_contribution=round(factor.tilt, 6),
                direction=direction,
                meaning=direction_in_words(entry),
            )
        )
    return views
