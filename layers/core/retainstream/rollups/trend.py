"""What each scoring run found, run after run."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field


class TrendPoint(BaseModel):
    """The sums of one scoring run over the customers it scored: those not known to have left."""

    run_id: str
    at: str = Field(description="When the run ended; ISO 8601, UTC")
    model_version: str
    scored: int
    predicted_churners: int = Field(description="Customers at or above the model's threshold")
    expected_churners: float = Field(description="The sum of the probabilities")
    revenue_of_predicted_churners: float = Field(description="Expected revenue lost with them over the schema's months, in the currency")


def trend_point(snapshot: Mapping[str, Any]) -> TrendPoint:
    """A snapshot as the scoring run stored it."""
    return TrendPoint(
        run_id=snapshot["run_id"],
        at=snapshot["at"],
        model_version=snapshot["model_version"],
        scored=snapshot["scored"],
        predicted_churners=snapshot["high_risk"],
        expected_churners=snapshot["predicted_churners"],
        revenue_of_predicted_churners=snapshot["value_at_risk"],
    )
