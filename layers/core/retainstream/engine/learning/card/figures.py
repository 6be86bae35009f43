"""The figures and curves of a card."""

from typing import Literal

from pydantic import Field

from retainstream.engine.learning.card.part import Part


class CardFigure(Part):
    """One figure on the held-out customers."""

    name: str
    label: str
    meaning: str
    better: Literal["higher", "lower", ""] = Field(description="Empty where neither direction is better")
    value: float | None
    low: float | None = Field(default=None, description="Lower end of the interval")
    high: float | None = Field(default=None, description="Upper end of the interval")
    baseline: float | None = Field(default=None, description="The linear model's figure on the same customers")
    ceiling: float | None = Field(default=None, description="The figure of the true probabilities; for synthetic customers only")


class CrossFittedFigure(Part):
    name: str = Field(description="The name of a figure of the card")
    value: float | None
    low: float | None = Field(description="Lower end of the interval")
    high: float | None


class CardCrossFitted(Part):
    """Figures over all customers of a small table, each scored by a model that was not fitted to that customer."""

    rows: int
    churned: int
    figures: list[CrossFittedFigure]

    def figure(self, name: str) -> CrossFittedFigure:
        """Raises KeyError for a figure it does not have."""
        return {figure.name: figure for figure in self.figures}[name]


class Calibration(Part):
    """The check of the probabilities against the outcomes: observed to expected churners, and the slope."""

    passed: bool
    chance: float = Field(description="Chance of a deviation this large if the probabilities were calibrated (Cox's test)")
    sentences: list[str]


class Intervals(Part):
    """The method of the intervals."""

    level: float
    resamples: int = Field(description="Bootstrap resamples of the held-out customers, for the figures without a formula")
    fewest_churners: int = Field(default=10, description="Churners, and customers who stayed, that the interval of an AUC needs")
    calibration_error_by_chance: float | None = Field(
        description="The calibration error of a perfectly calibrated model stays below this in 99 of 100 draws"
    )


class RocCurve(Part):
    """At most 200 points of the full curve. The first threshold is null: no customer is called."""

    false_positive_rate: list[float]
    true_positive_rate: list[float]
    threshold: list[float | None]


class PrecisionRecallCurve(Part):
    """At most 200 points of the full curve. The last threshold is null: no customer is called."""

    recall: list[float]
    precision: list[float]
    threshold: list[float | None]


class GainPoint(Part):
    share: float = Field(description="Riskiest share of the customers")
    found: float = Field(description="Share of all churners among them")
    lift: float | None = Field(default=None, description="found divided by share; null for versions of earlier releases")


class ReliabilityBin(Part):
    """Customers of neighbouring probabilities; the bins have about equal numbers of customers."""

    start: float = Field(description="Lowest probability")
    end: float = Field(description="Highest probability")
    rows: int
    mean_probability: float
    churn_rate: float
    low: float = Field(description="Lower end of Wilson's 95 % interval of the churn rate")
    high: float


class CorpCurve(Part):
    """The churn rate of each probability by isotonic regression (CORP, Dimitriadis, Gneiting and Jordan 2021), at most 100 points."""

    probability: list[float]
    churn_rate: list[float]


class Curves(Part):
    roc: RocCurve
    precision_recall: PrecisionRecallCurve
    gain: list[GainPoint]


class ProfitPoint(Part):
    threshold: float
    offers: int = Field(description="Held-out customers at or above the threshold")
    profit: float = Field(description="Per held-out customer")


class ProfitMark(ProfitPoint):
    """A threshold with a meaning."""

    name: Literal["best", "stored", "confidence"] = Field(description="confidence in cards of earlier releases only")
    label: str


class ExpectedMaximumProfit(Part):
    """The profit at the best threshold for each save rate, averaged over a beta distribution around the schema's (EMP)."""

    profit: float = Field(description="Per held-out customer")
    contacted: float = Field(description="Share of the customers to contact")


class Profit(Part):
    """Profit of an offer to every held-out customer at or above a threshold. The profit of the mark `best` is cross-fitted."""

    currency: str
    months: float = Field(description="The longest time for which a saved customer is counted")
    margin: float = 1
    offer_cost: float
    contact_cost: float = 0
    save_rate: float
    points: list[ProfitPoint]
    marks: list[ProfitMark]
    expected_maximum: ExpectedMaximumProfit | None = Field(default=None, description="null on cards of earlier releases")


class GroupFigures(Part):
    """The figures of one group's held-out customers."""

    group: str
    rows: int
    churned: int
    churn_rate: float
    roc_auc: float | None = Field(description="null where only one outcome is present")
    low: float | None = Field(default=None, description="Lower end of the interval of ROC AUC; null with too few churners")
    high: float | None = None
    few: bool = Field(default=False, description="Whether the group has too few churners to judge it")
    expected: float | None = Field(default=None, description="Sum of the probabilities; null in cards of earlier releases")
    observed_to_expected: float | None = Field(
        default=None, description="Churners divided by expected churners, shrunk towards that of all customers where churners are few"
    )
    observed_to_expected_low: float | None = None
    observed_to_expected_high: float | None = None
    pr_auc: float | None
    log_loss: float
    ece: float
    called: int = Field(description="Customers at or above the stored threshold")
    precision: float | None = Field(description="null where no customer is called")
    recall: float
    top_decile_lift: float
