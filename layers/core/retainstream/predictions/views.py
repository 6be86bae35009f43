"""Predictions in the API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from retainstream.engine.records import Prediction, RiskLevel, Score
from retainstream.telemetry.correlation import FOLLOWED

if TYPE_CHECKING:
    from retainstream.predictions.what_if import WhatIf

FeatureValue = str | bool | int | float | None


class ReasonView(BaseModel):
    """One column's part in a score."""

    feature: str
    label: str
    value: FeatureValue = Field(description="The customer's value; null for a missing value")
    text: str = Field(examples=["3 failed payments in 90 days: +18 points"])
    contribution: float = Field(description="Exact Shapley value in log-odds; over all columns these add up to margin - base_margin")
    points: float = Field(
        description="Percentage points of probability; over all columns these add up to 100 * (probability - base_probability)"
    )


class ActionView(BaseModel):
    """The recommended action, and its expected value."""

    feature: str = Field(description="The column that the action addresses")
    title: str
    cost: float = Field(description="Cost of one such offer, in the schema's currency")
    expected_value: float = Field(description="probability * save rate * price * months - cost, in the schema's currency")


class ScoreView(BaseModel):
    """A customer's churn probability within the schema's horizon, with reasons, value at risk and recommended action."""

    probability: float
    base_probability: float = Field(description="The probability without any feature of the customer")
    margin: float = Field(description="Raw score of the trees, in log-odds, before calibration")
    base_margin: float
    level: RiskLevel = Field(description="From the model's threshold t: medium from t/2, high from t, critical from t + (1-t)/2")
    confidence: float = Field(description="max(probability, 1 - probability)")
    confident: bool = Field(description="Whether the confidence reaches the stack's CONFIDENCE_THRESHOLD")
    price: float | None = Field(description="The customer's price per month")
    value_at_risk: float = Field(description="probability * price * months, in the schema's currency")
    features: dict[str, FeatureValue]
    contributions: dict[str, float] = Field(description="Log-odds by column")
    reasons: list[ReasonView] = Field(description="The strongest contributions either way, at most five, strongest first")
    action: ActionView | None = Field(description="The action with the highest expected value; null where no action pays")
    model_version: str


class EarlierPrediction(BaseModel):
    scored_at: str = Field(description="ISO 8601, UTC")
    probability: float
    model_version: str


class PredictionView(ScoreView):
    """The latest score of a stored customer."""

    customer_id: str
    group: str = Field(description="The customer's value in the schema's group column, or all")
    churned: bool = Field(description="Whether the customer is known to have left")
    scored_at: str = Field(description="ISO 8601, UTC")
    run_id: str
    change: float | None = Field(default=None, description="Probability minus the previous one; absent for the first prediction")
    history: list[EarlierPrediction] = Field(description="Earlier predictions, newest first, at most 24")


def score_view(score: Score, confidence_threshold: float) -> ScoreView:
    return ScoreView.model_validate({**score, "confident": score["confidence"] >= confidence_threshold})


def prediction_view(prediction: Prediction, confidence_threshold: float) -> PredictionView:
    return PredictionView.model_validate({**prediction, "confident": prediction["confidence"] >= confidence_threshold})


class GeneratedView(BaseModel):
    """Predictions of stored customers, in the order of the ids, or scores of rows, in the order of the rows."""

    predictions: list[PredictionView] | None = Field(default=None, description="For a request with customer_ids")
    scores: list[ScoreView] | None = Field(default=None, description="For a request with rows")


class ScoringStepView(BaseModel):
    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str = Field(description="ISO 8601, UTC")
    finished_at: str | None = None
    detail: dict[str, Any] | None = None


class ScoringRunView(BaseModel):
    """A run that scores every customer."""

    run_id: str
    kind: Literal["scoring"]
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    step: str | None = Field(default=None, description="The step in progress, or the last one")
    steps: list[ScoringStepView]
    started_at: str = Field(description="ISO 8601, UTC")
    finished_at: str | None = None
    started_by: str
    correlation_id: str | None = Field(default=None, description=FOLLOWED)
    reason: str | None = Field(default=None, description="Why it failed")
    counts: dict[str, int] | None = Field(default=None, description="Customers read, scored, left out because they have left, and refused")
    result: dict[str, Any] | None = None


class WhatIfView(BaseModel):
    """Scores before and after the change."""

    before: ScoreView
    after: ScoreView
    change: float = Field(description="Probability after minus probability before")
    changed: list[str] = Field(description="The columns whose values differ")


class ExportView(BaseModel):
    """A CSV file of every prediction that matches."""

    url: str = Field(description="Download link; it needs no token")
    expires_at: str = Field(description="When the link ends: ISO 8601, UTC")
    rows: int


class ExportRunView(BaseModel):
    """A run that makes a CSV file of every prediction that matches."""

    run_id: str
    kind: Literal["export"]
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    rows: int = Field(description="Rows written so far")
    examined: int = Field(description="Predictions read so far")
    predictions: int = Field(description="About how many predictions are to be read")
    started_at: str = Field(description="ISO 8601, UTC")
    correlation_id: str | None = Field(default=None, description=FOLLOWED)
    finished_at: str | None
    reason: str | None = Field(description="Why it failed, or why there is no link any more")
    url: str | None = Field(description="Download link, when the file is done; it needs no token. Each answer has a new one")
    expires_at: str | None = Field(description="When the link ends: ISO 8601, UTC")


def run_view(run: Mapping[str, Any]) -> ScoringRunView:
    return ScoringRunView.model_validate(run)


def what_if_view(comparison: "WhatIf", confidence_threshold: float) -> WhatIfView:
    before, after = score_view(comparison.before, confidence_threshold), score_view(comparison.after, confidence_threshold)
    return WhatIfView(before=before, after=after, change=comparison.change, changed=comparison.changed)
