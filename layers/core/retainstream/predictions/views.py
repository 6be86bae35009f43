"""Predictions in the API."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from retainstream.engine.model.past import features_day
from retainstream.engine.records import Prediction, RiskLevel, Score

if TYPE_CHECKING:
    from retainstream.predictions.what_if import WhatIf

FeatureValue = str | bool | int | float | None


class ReasonView(BaseModel):
    """One column's part in a score."""

    feature: str = Field(
        description='The column; of a pair of columns that act together, both: "fee & delivery"', examples=["payment_failures"]
    )
    label: str
    value: FeatureValue = Field(
        description='The customer\'s value; null for a missing value. Of a pair, both values in words: "7.98 with 7Day"'
    )
    text: str = Field(examples=["3 failed payments in 90 days: +18 points"])
    contribution: float = Field(description="Exact Shapley value in log-odds; over all columns these add up to margin - base_margin")
    points: float = Field(
        description="Percentage points of probability; over all columns these add up to 100 * (probability - base_probability)"
    )


class ActionView(BaseModel):
    """The recommended action, and its expected value."""

    feature: str = Field(description="The column that the action addresses")
    title: str
    cost: float = Field(description="Cost of the action for a customer who takes it, in the schema's currency")
    expected_value: float = Field(
        description="probability * save rate * share_of_raise * (price * margin * months that a saved customer stays - cost) "
        "- (1 - probability) * cost - contact cost"
    )
    share_of_raise: float | None = Field(
        default=None,
        description="The column's share of the contributions that raise the customer's risk, with half of what its pairs raise; "
        "null for earlier predictions",
    )


class ProbabilityRange(BaseModel):
    """The range in which the churn rate of all customers with this raw score lies, at 95%."""

    low: float
    high: float


INTERVAL = Field(
    default=None,
    description="The range in which the churn rate of all customers with this raw score lies, at 95%; it contains the probability. null "
    "for versions of earlier releases",
)
CONFIDENCE = Field(description="1 minus the width of the interval; 0 where there is none")


class ScoreView(BaseModel):
    """A customer's churn probability within the schema's horizon, with reasons, value at risk and recommended action."""

    probability: float
    base_probability: float = Field(
        description="The probability of the average customer, whose raw score is the mean over the training customers"
    )
    average_probability: float | None = Field(
        default=None, description="The mean probability of the training customers; null where a model of an earlier version scored"
    )
    margin: float = Field(description="Raw score of the trees, in log-odds, before calibration")
    base_margin: float
    level: RiskLevel = Field(description="By the levels of the model version that scored the customer, which GET /api/model/versions has")
    interval: ProbabilityRange | None = INTERVAL
    confidence: float = CONFIDENCE
    confident: bool = Field(
        description="Whether the confidence reaches the stack's CONFIDENCE_THRESHOLD: with 0.9 the interval has at most 10 points"
    )
    price: float | None = Field(description="The customer's price per month")
    value_at_risk: float = Field(
        description="probability * price * margin * months that a saved customer stays on average, in the schema's currency"
    )
    features: dict[str, FeatureValue]
    contributions: dict[str, float] = Field(
        description='Log-odds by column; a pair of columns that act together has its own, as "fee & delivery"'
    )
    reasons: list[ReasonView] = Field(description="The strongest contributions either way, at most five, strongest first")
    action: ActionView | None = Field(
        description="The action with the highest expected value; null where no action for at least a tenth of the raise pays"
    )
    model_version: str


_FEATURES_ON = "The day that the features describe, from which the horizon counts"


class EarlierPrediction(BaseModel):
    scored_at: str = Field(description="ISO 8601, UTC")
    features_on: str = Field(description=_FEATURES_ON, examples=["2026-01-31"])
    probability: float
    model_version: str


class PredictionView(ScoreView):
    """The latest score of a stored customer."""

    customer_id: str
    group: str = Field(description="The customer's value in the schema's group column, or all")
    churned: bool = Field(description="Whether the customer is known to have left")
    scored_at: str = Field(description="ISO 8601, UTC")
    features_on: str = Field(description=_FEATURES_ON, examples=["2026-01-31"])
    run_id: str
    change: float | None = Field(default=None, description="Probability minus the previous one; absent for the first prediction")
    history: list[EarlierPrediction] = Field(description="Earlier predictions, newest first, at most 24")


def score_view(score: Score, confidence_threshold: float) -> ScoreView:
    return ScoreView.model_validate({**score, **_sureness(score, confidence_threshold)})


def prediction_view(prediction: Prediction, confidence_threshold: float) -> PredictionView:
    days = {
        "features_on": features_day(prediction),
        "history": [{**earlier, "features_on": features_day(earlier)} for earlier in prediction["history"]],
    }
    return PredictionView.model_validate({**prediction, **days, **_sureness(prediction, confidence_threshold)})


def confidence_of(score: Score) -> float:
    """The confidence of a stored score. One of an earlier release has no interval, and a confidence of another meaning."""
    return score["confidence"] if score.get("interval") else 0.0


def _sureness(score: Score, confidence_threshold: float) -> dict[str, object]:
    confidence = confidence_of(score)
    return {"confidence": confidence, "confident": bool(score.get("interval")) and confidence >= confidence_threshold}


class GeneratedView(BaseModel):
    """Predictions of stored customers, in the order of the ids, or scores of rows, in the order of the rows."""

    predictions: list[PredictionView] | None = Field(default=None, description="For a request with customer_ids")
    scores: list[ScoreView] | None = Field(default=None, description="For a request with rows")


class WhatIfView(BaseModel):
    """Scores before and after the change."""

    before: ScoreView
    after: ScoreView
    change: float = Field(description="Probability after minus probability before")
    changed: list[str] = Field(description="The columns whose values differ")


def what_if_view(comparison: "WhatIf", confidence_threshold: float) -> WhatIfView:
    before, after = score_view(comparison.before, confidence_threshold), score_view(comparison.after, confidence_threshold)
    return WhatIfView(before=before, after=after, change=comparison.change, changed=comparison.changed)
