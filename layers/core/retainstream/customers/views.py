"""Customers in the API."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from retainstream.customers.records import Outcome
from retainstream.engine.lives import LONG_BEFORE, churned_of, outcome_day
from retainstream.engine.records import Customer, Life, Prediction, RiskLevel
from retainstream.predictions.views import (
    CONFIDENCE,
    INTERVAL,
    ActionView,
    FeatureValue,
    PredictionView,
    ProbabilityRange,
    ReasonView,
    confidence_of,
    prediction_view,
)


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


class OutcomeRequest(BaseModel):
    """Whether a customer left."""

    model_config = ConfigDict(extra="forbid")

    churned: StrictBool
    date: PastDate | None = Field(
        default=None,
        description="The day of leaving, or a day on which the customer was still one. Default: it became known today (UTC), so that "
        "leaving may have happened on any day since the customer was last seen",
    )
    left_after: PastDate | None = Field(
        default=None,
        description="Where the day of leaving is not known: the last day on which the customer was still one. `date` is then the last "
        "day on which leaving can have happened",
    )

    @model_validator(mode="after")
    def _range_has_days(self) -> Self:
        if self.left_after is not None:
            if not self.churned:
                raise PydanticCustomError("range", "left_after belongs to an outcome with churned: true")
            if self.left_after >= (self.date or datetime.now(UTC).date().isoformat()):
                raise PydanticCustomError("range", "left_after must be before date")
        return self

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.churned, self.date, self.left_after)


class LifeView(BaseModel):
    """The days of a customer with the business, from one beginning to one end. Days are ISO dates, in UTC."""

    began_on: str | None = Field(description="The day on which the customer became one; null where no file says it")
    first_seen_on: str | None = Field(description="The first day for which anything is stored")
    observed_until: str | None = Field(description="The last day on which the customer is known to have been one")
    left_on: str | None = Field(description="The day of leaving, or the last day on which leaving can have happened")
    left_on_exact: bool | None = Field(description="Whether `left_on` is the day of leaving itself; null for a customer who has not left")
    left_after: str | None = Field(description="Leaving happened after this day; null where `left_on` is exact, or no such day is known")


class CustomerSummary(BaseModel):
    """A customer without the prediction."""

    customer_id: str
    group: str = Field(description="The customer's value in the schema's group column, or all")
    features: dict[str, FeatureValue]
    churned: bool | None = Field(description="Whether the customer left; null while no outcome of the present life is recorded")
    outcome_at: str | None = Field(description="The day of the outcome: `left_on`, or the last day on which the customer stayed")
    life: LifeView = Field(description="The present time with the business, or the last one")
    earlier_lives: list[LifeView] = Field(description="Earlier times with the business, oldest first: the customer came back")
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
    interval: ProbabilityRange | None = INTERVAL
    confidence: float = CONFIDENCE
    change: float | None = Field(description="Probability minus the previous one; null for the first prediction")
    price: float | None = Field(description="The customer's price per month")
    value_at_risk: float = Field(
        description="probability * price * margin * months that a saved customer stays on average, in the schema's currency"
    )
    reasons: list[ReasonView]
    action: ActionView | None
    model_version: str
    scored_at: str = Field(description="ISO 8601, UTC")


Order = Literal["probability", "value"]


def customer_summary(customer: Customer) -> CustomerSummary:
    return CustomerSummary.model_validate({**customer, **_lives(customer)})


def customer_view(customer: Customer, prediction: Prediction | None, confidence_threshold: float) -> CustomerView:
    return CustomerView.model_validate(
        {
            **customer,
            **_lives(customer),
            "prediction": prediction_view(prediction, confidence_threshold) if prediction else None,
            "features_changed": prediction is not None and prediction["features"] != customer["features"],
        }
    )


def life_view(life: Life) -> LifeView:
    exact = "left_after" not in life if "left_on" in life else None
    after = life.get("left_after")
    return LifeView(
        began_on=life.get("began_on"),
        first_seen_on=life.get("first_seen_on"),
        observed_until=life.get("observed_until"),
        left_on=life.get("left_on"),
        left_on_exact=exact,
        left_after=None if after == LONG_BEFORE else after,
    )


def _lives(customer: Customer) -> dict[str, object]:
    return {
        "churned": churned_of(customer["life"]),
        "outcome_at": outcome_day(customer["life"]),
        "life": life_view(customer["life"]),
        "earlier_lives": [life_view(life) for life in customer.get("earlier_lives", ())],
    }


def at_risk_view(prediction: Prediction) -> AtRiskView:
    return AtRiskView.model_validate({"change": None, **prediction, "confidence": confidence_of(prediction)})
