"""What customers look like to those who ask."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from retainstream.predictions.views import ActionView, FeatureValue, Level, PredictionView, ReasonView, prediction_view


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
    """What is known of a customer, in the columns of the schema."""

    model_config = ConfigDict(extra="forbid")

    features: dict[Annotated[str, Field(max_length=63)], Any] = Field(
        max_length=500,
        description="Value by column. A column that may be missing can be left out or null",
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
    date: PastDate | None = Field(default=None, description="The day it happened or was found out; today (UTC) when not given")


class CustomerSummary(BaseModel):
    """A customer without the prediction."""

    customer_id: str
    group: str = Field(description="The customer's value of the schema's group column, or all")
    features: dict[str, FeatureValue]
    churned: bool | None = Field(description="Whether the customer left; null while that is not known")
    outcome_at: str | None = Field(description="The day the outcome belongs to")
    source: str = Field(description="Where the customer comes from: synthetic, api or import")
    updated_at: str = Field(description="ISO 8601, UTC")


class CustomerView(CustomerSummary):
    """A customer with the latest prediction."""

    prediction: PredictionView | None = Field(description="The latest prediction; null while the customer was never scored")
    features_changed: bool = Field(description="Whether the features have changed since that prediction")


class AtRiskView(BaseModel):
    """A customer at medium risk or above."""

    customer_id: str
    group: str = Field(description="The customer's value of the schema's group column, or all")
    probability: float
    level: Level
    confidence: float = Field(description="max(probability, 1 - probability)")
    change: float | None = Field(description="Probability minus the one before; null for the first prediction")
    price: float | None = Field(description="What the customer pays a month")
    value_at_risk: float = Field(description="probability * price * months, in the schema's currency")
    reasons: list[ReasonView]
    action: ActionView | None
    model_version: str
    scored_at: str = Field(description="ISO 8601, UTC")


Order = Literal["probability", "value"]


def customer_summary(customer: Mapping[str, Any]) -> CustomerSummary:
    return CustomerSummary.model_validate(_known(customer))


def customer_view(customer: Mapping[str, Any], prediction: Mapping[str, Any] | None, confidence_threshold: float) -> CustomerView:
    return CustomerView.model_validate(
        {
            **_known(customer),
            "prediction": prediction_view(prediction, confidence_threshold) if prediction else None,
            "features_changed": prediction is not None and prediction["features"] != customer["features"],
        }
    )


def at_risk_view(prediction: Mapping[str, Any]) -> AtRiskView:
    return AtRiskView.model_validate({"change": None, **prediction})


def _known(customer: Mapping[str, Any]) -> dict[str, Any]:
    return {"churned": None, "outcome_at": None, **customer}
