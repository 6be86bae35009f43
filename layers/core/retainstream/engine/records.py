"""The records of customers and predictions.

At run time each is a plain dictionary, as DynamoDB keeps it. Moments are ISO 8601 in UTC; probabilities and shares are from 0 to 1.
"""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

type Value = str | float | int | bool

type Features = Mapping[str, Value | None]
"""Column of the feature schema → value; a missing value is absent or None."""

RiskLevel = Literal["low", "medium", "high", "critical"]
CustomerSource = Literal["synthetic", "api", "import"]
SYNTHETIC: CustomerSource = "synthetic"


class Reason(TypedDict):
    """One column's part in a score. `contribution` is in log-odds, `points` in percentage points of probability."""

    feature: str
    label: str
    value: Value | None
    text: str
    contribution: float
    points: float


class RecommendedAction(TypedDict):
    """The action with the highest expected value. `cost` and `expected_value` are in the schema's currency.

    `share_of_raise`: the column's share of the contributions that raise the customer's risk; earlier predictions lack it.
    """

    feature: str
    title: str
    cost: float
    expected_value: float
    share_of_raise: NotRequired[float]


class ProbabilityInterval(TypedDict):
    """The range in which the churn rate of customers with this raw score lies, at 95%."""

    low: float
    high: float


class Score(TypedDict):
    """A model's answer for one set of features.

    `average_probability` is the mean probability of the customers that the model learned from; a score by a model of an earlier version has
    none. Margins and contributions are in log-odds; `price` is per month and `value_at_risk` an amount, both in the schema's currency.
    `interval` is None for versions that have no intervals, and absent from scores of earlier releases. `confidence` is 1 minus its width;
    in scores of earlier releases it is max(probability, 1 - probability).
    """

    probability: float
    base_probability: float
    average_probability: NotRequired[float | None]
    margin: float
    base_margin: float
    level: RiskLevel
    interval: NotRequired[ProbabilityInterval | None]
    confidence: float
    price: float | None
    value_at_risk: float
    contributions: dict[str, float]
    reasons: list[Reason]
    action: RecommendedAction | None
    features: Features
    model_version: str


class PastPrediction(TypedDict):
    """The summary of an earlier prediction. Old summaries have no level. `features_on` is as in `Prediction`."""

    scored_at: str
    features_on: NotRequired[str]
    probability: float
    level: NotRequired[RiskLevel]
    model_version: str


class RiskKeys(TypedDict):
    """The attributes by which the indexes find a customer at medium risk or above."""

    risk_shard: str
    probability_rank: str
    value_rank: str


class PreviousPrediction(TypedDict):
    """The part of a stored prediction that the customer's next prediction is compared with."""

    customer_id: str
    run_id: str
    scored_at: str
    features_on: NotRequired[str]
    probability: float
    level: RiskLevel
    model_version: str
    model_chosen_at: NotRequired[str]
    history: list[PastPrediction]


class Prediction(Score):
    """The latest prediction of a customer, with at most 24 earlier ones in `history`, newest first.

    `features_on` is the day that the features describe, from which the horizon counts; it is absent where that is the day of `scored_at`.
    `change` is the probability minus the one before, and absent for the first prediction. `risk_shard` and the ranks, by which the indexes
    find a prediction, are present where the customer has not left and is at medium risk or above.
    """

    customer_id: str
    group: str
    churned: bool
    model_chosen_at: NotRequired[str]
    run_id: str
    scored_at: str
    features_on: NotRequired[str]
    history: list[PastPrediction]
    change: NotRequired[float]
    risk_shard: NotRequired[str]
    probability_rank: NotRequired[str]
    value_rank: NotRequired[str]


class Life(TypedDict, total=False):
    """The days of a person as a customer, from one beginning to one end. All are ISO days, in UTC.

    began_on: the day on which the life began, where it is known.
    first_seen_on: the first day for which any datum of this life exists.
    observed_until: the last day on which the person is known to have been a customer.
    stayed_on: the last day of a recorded outcome "stayed".
    left_on: the day of leaving. With `left_after` the last day on which leaving can have happened, in the range (left_after, left_on];
    `left_after` is `engine.lives.LONG_BEFORE` where no earlier day of the customer is known.
    gone_until: the last day on which the person is known to be no customer any more, after `left_on`.
    """

    began_on: str
    first_seen_on: str
    observed_until: str
    stayed_on: str
    left_on: str
    left_after: str
    gone_until: str


class NewCustomer(TypedDict):
    """A customer before it is written.

    `life` is the present or last time with the business, `earlier_lives` those before it, oldest first. `features_at` is the moment that
    the features describe (`updated_at` where it is absent). `outcome_source` distinguishes a recorded outcome of the life from one that
    came with the customer. `imported` is the import that last wrote the customer, as <import id>#<fate of the row>#<day of its features>.
    """

    customer_id: str
    group: str
    features: Features
    source: CustomerSource
    life: Life
    earlier_lives: NotRequired[list[Life]]
    outcome_source: NotRequired[CustomerSource]
    features_at: NotRequired[str]
    imported: NotRequired[str]


class Customer(NewCustomer):
    """A stored customer. Every write sets `updated_at`."""

    updated_at: str
