"""Customers in the API."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from retainstream.engine.records import Customer, Prediction, RiskLevel
from retainstream.predictions.views import ActionView, FeatureValue, PredictionView, ReasonView, prediction_view


def _past_date(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date", "must be a date such as 2026-01-31") from None
    if day > datetime.now(UTC).date():
        raise PydanticCustomError("date", "must not be in the future (UTC)")
    return text


PastDate = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"}, examples=["2026-01-31"]), AfterValidator(_past_date)
]


class Features(BaseModel):
    """A customer's features, in the columns of the schema."""

    model_config = ConfigDict(extra="forbid")

    features: dict[Annotated[str, Field(max_length=63)], Any] = Field(
        max_length=500,
        description="Value by column. A column that may be missing can be left out or be null",
        examples=[
            {
                "plan": "standard",
                "watch_time_hours": 12.5,
                "subscription_age_months": 14,
                "device_count": 2,
                "last_login_days": 3,
                "payment_failures": 0,
                "tenure_months": 20,
                "monthly_price": 15.49,
            }
        ],
    )


class Outcome(BaseModel):
    """Whether a customer left."""

    model_config = ConfigDict(extra="forbid")

    churned: StrictBool
    date: PastDate | None = Field(default=None, description="The day on which it happened or became known. Default: today (UTC)")


class CustomerSummary(BaseModel):
    """A customer without the prediction."""

    customer_id: str
    group: str = Field(description="The customer's value in the schema's group column, or all")
    features: dict[str, FeatureValue]
    churned: bool | None = Field(description="Whether the customer left; null while it is not known")
    outcome_at: str | None = Field(description="The day of the outcome")
    source: str = Field(description="The customer's origin: synthetic, api or import")
    updated_at: str = Field(description="ISO 8601, UTC")


class CustomerView(CustomerSummary):
    """A customer with the latest prediction."""

    prediction: PredictionView | None = Field(description="The latest prediction; null before the first")
    features_changed: bool = Field(description="Whether the features have changed since that prediction")


class AtRiskView(BaseModel):
    """A customer at medium risk or above."""

    customer_id: str
    group: str = Field(description="The customer's value in the schema's group column, or all")
    probability: float
    level: RiskLevel
    confidence: float = Field(description="max(probability, 1 - probability)")
    change: float | None = Field(description="Probability minus the previous one; null for the first prediction")
    price: float | None = Field(description="The customer's price per month")
    value_at_risk: float = Field(description="probability * price * months, in the schema's currency")
    reasons: list[ReasonView]
    action: ActionView | None
    model_version: str
    scored_at: str = Field(description="ISO 8601, UTC")


Order = Literal["probability", "value"]


def customer_summary(customer: Customer) -> CustomerSummary:
    return CustomerSummary.model_validate({"churned": None, "outcome_at": None, **customer})


def customer_view(customer: Customer, prediction: Prediction | None, confidence_threshold: float) -> CustomerView:
    return CustomerView.model_validate(
        {
            "churned": None,
            "outcome_at": None,
            **customer,
            "prediction": prediction_view(prediction, confidence_threshold) if prediction else None,
            "features_changed": prediction is not None and prediction["features"] != customer["features"],
        }
    )


def at_risk_view(prediction: Prediction) -> AtRiskView:
    return AtRiskView.model_validate({"change": None, **prediction})
