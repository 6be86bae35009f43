"""What scoring a sample found, as the dashboard shows it."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from retainstream.engine.schema.whole import Whole
from retainstream.predictions.views import PredictionView, prediction_view

if TYPE_CHECKING:
    from retainstream.predictions.sample import SampleSummary


class SampleRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sample_size: Whole = Field(default=100, ge=1, le=1000, description="How many customers to score")


class SampleView(BaseModel):
    """A random sample of the customers who have not left, scored now. The predictions are stored."""

    scored: int = Field(description="Fewer than asked for when there are fewer")
    by_level: dict[str, int]
    mean_probability: float | None
    value_at_risk: float = Field(description="Of the customers at high risk or above, in the schema's currency")
    top: list[PredictionView] = Field(description="The riskiest, at most ten")
    model_version: str
    milliseconds: float = Field(description="How long scoring took, storage included")


def sample_view(summary: "SampleSummary", confidence_threshold: float) -> SampleView:
    return SampleView(
        scored=summary.scored,
        by_level=summary.by_level,
        mean_probability=summary.mean_probability,
        value_at_risk=summary.value_at_risk,
        top=[prediction_view(prediction, confidence_threshold) for prediction in summary.top],
        model_version=summary.model_version,
        milliseconds=summary.milliseconds,
    )
