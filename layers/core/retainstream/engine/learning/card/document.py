"""The model card as data. The page is made from this alone, so it holds every number of the page."""

from typing import Any, Literal

from pydantic import Field

from retainstream.engine.learning.card.figures import (
    Calibration,
    CardCrossFitted,
    CardFigure,
    CorpCurve,
    Curves,
    GroupFigures,
    Intervals,
    Profit,
    ReliabilityBin,
)
from retainstream.engine.learning.card.part import Part
from retainstream.engine.model.threshold_rule import Rule
from retainstream.engine.schema.feature_schema import Kind

FORMAT = 1
type Direction = Literal["increasing", "decreasing", "mixed"]


class Influence(Part):
    """How one column moves the scores of held-out customers, by the shap package."""

    feature: str
    label: str
    kind: Kind
    mean_abs: float = Field(description="Mean absolute SHAP value in log-odds")
    direction: Direction
    values: list[float] = Field(default=[], description="SHAP values of the sampled customers; for the strongest columns only")
    ranks: list[float | None] = Field(
        default=[], description="Rank of each sampled customer's value, 0 lowest and 1 highest; null where missing, empty for a category"
    )


class Explanation(Part):
    rows: int = Field(description="Held-out customers behind the means")
    sampled: int = Field(description="Held-out customers whose single values are listed")
    base: float = Field(description="Raw score of the average customer, in log-odds")
    columns: list[Influence] = Field(description="Strongest first")


class Parity(Part):
    """Whether reasons agree with the shap package."""

    rows: int
    to_shap: float = Field(description="Largest difference to a SHAP value, in log-odds")
    to_margin: float = Field(description="Largest difference of base plus contributions to the model's raw score")
    tolerance: float
    passed: bool


class ColumnFacts(Part):
    """A column of the schema, with its values among the customers with a known outcome."""

    name: str
    label: str
    kind: Kind
    meaning: str
    unit: str
    used: bool = Field(description="Whether the model may use it")
    monotone: Literal["increasing", "decreasing"] | None
    action: str = Field(description="What the business can do about it")
    allowed_min: float | None
    allowed_max: float | None
    missing_share: float | None = Field(description="null for a column the model does not use")
    low: float | None = Field(default=None, description="Smallest value; null unless the column is a number")
    first_percentile: float | None = None
    median: float | None = None
    last_percentile: float | None = Field(default=None, description="99th percentile")
    high: float | None = Field(default=None, description="Largest value")
    shares: dict[str, float] = Field(default={}, description="Share of each level, or of true, among the known values")


class DataFacts(Part):
    customers: int
    labelled: int = Field(description="Customers with a known outcome")
    churned: int
    churn_rate: float
    sources: dict[str, int]
    synthetic_share: float
    sha256: str = Field(description="Of the data set the version was trained on")
    rows: dict[str, int] = Field(description="Rows per part of the training: train, tune, calibrate, test")
    moments: dict[str, int] = Field(
        default={}, description="Rows by what is known of their moments: checked, stated (by a person) or assumed"
    )


class Span(Part):
    """Periods, such as 2026-08."""

    first: str
    last: str


class CardPeriod(Part):
    """One period, judged by a model with these settings that learned before it."""

    period: str
    rows: int
    churned: int
    roc_auc: float | None = Field(description="null where only one outcome is present")
    low: float | None = Field(description="Lower end of the interval of ROC AUC; null with too few churners")
    high: float | None
    log_loss: float
    ece: float
    expected: float = Field(description="Sum of the probabilities")
    observed: int = Field(description="Customers who left")
    observed_to_expected: float | None = Field(default=None, description="null in cards of earlier releases")
    observed_to_expected_low: float | None = None
    observed_to_expected_high: float | None = None
    learned: int = Field(description="Rows the model learned from; their outcomes were known before the period")


class OutOfFold(Part):
    """Figures by customers: each row scored by a model that learned from other customers of the same periods."""

    rows: int
    churned: int
    roc_auc: float
    log_loss: float
    ece: float


class Evaluation(Part):
    """The choice of the test rows, and what else the figures depend on."""

    by: Literal["time", "customers"] = "customers"
    period: str | None = Field(default=None, description="The first period of the test rows; null by customers")
    test_from: str | None = Field(default=None, description="The first anchor of the test rows")
    development: int | None = Field(default=None, description="Rows that the judged model was fitted to")
    refitted: bool = Field(default=False, description="Whether the settings were fitted to all rows after the model was judged")
    periods: Span | None = Field(default=None, description="Periods of the rows that the model in service was fitted to")
    calibrated_on: Span | None = Field(default=None, description="Periods of the rows behind the calibration and the threshold")
    by_customers: OutOfFold | None = Field(default=None, description="For comparison, where the test rows are chosen by time")
    by_period: list[CardPeriod] = Field(default=[], description="Oldest period first")


class CardFinding(Part):
    level: Literal["alarm", "warning"]
    code: str
    column: str
    detail: str


class Choice(Part):
    """How the model was chosen among the trials."""

    chosen: dict[str, Any]
    blend: list[dict[str, Any]] = Field(
        default=[], description="The members of the model, where it is the mean of several trials; `chosen` is the best of them"
    )
    why: str = Field(default="", description="The chosen model and the reason for the choice")
    trials: list[dict[str, Any]]
    folds: int
    seed: int
    seconds: float = Field(description="Seconds allowed for the search")
    stopped_by_clock: bool
    calibration: dict[str, Any] = Field(description="How raw scores become probabilities")
    calibrated_on: int = Field(
        description="Customers behind the calibration and the threshold; the trees that scored them were not trained on them"
    )


class CardDifference(Part):
    """Candidate minus champion."""

    difference: float
    standard_error: float
    chance: float = Field(description="Chance of a difference this bad if both models were equal")
    low: float | None = Field(default=None, description="Lower end of the 95% interval; null for versions of earlier releases")
    high: float | None = None


class CardComparison(Part):
    rows: int
    roc_auc: CardDifference
    log_loss: CardDifference


class CardVerdict(Part):
    """The gate's verdict on the version when it was made."""

    passed: bool
    reasons: list[str]
    held_back: list[str] = Field(default=[], description="Why the version was not put into service although it has no fault")
    doubts: list[str] = Field(default=[], description="Whether its ROC AUC is too good to be believed, or no better than chance")
    notes: list[str]
    target_auc: float = Field(description="0: there was no target")
    champion: str | None
    comparison: CardComparison | None


class FeatureBins(Part):
    """Customers per bin, of the customers the model was trained on. A number's bins lie between `edges`, a category's bins are `levels`."""

    feature: str
    label: str
    missing: int
    counts: list[int]
    edges: list[float] = Field(default=[])
    levels: list[str] = Field(default=[])


class ScoreBins(Part):
    rows: int
    edges: list[float]
    counts: list[int]


class DriftReference(Part):
    """The reference for the drift of later customers and scores."""

    rows: int
    features: list[FeatureBins]
    score: ScoreBins


class Card(Part):
    """The card of a model version."""

    format: int = FORMAT
    version: str
    run_id: str
    created_at: str
    made_by: str = Field(description="The program and its version")
    status: Literal["registered", "rejected"]
    synthetic: bool = Field(description="Whether synthetic customers are among the training or the held-out customers")
    schema_name: str
    schema_title: str
    outcome: str = Field(description="What is predicted")
    horizon_days: int
    group: str | None = Field(description="Label of the group column")
    threshold: float
    threshold_by: Rule | None = Field(default=None, description="The term that decided the threshold; null in cards of earlier releases")
    confidence_threshold: float | None = Field(default=None, description="In cards of earlier releases only")
    baseline_method: str
    figures: list[CardFigure]
    cross_fitted: CardCrossFitted | None = Field(
        default=None, description="For tables of fewer than 5,000 rows that are split by customers"
    )
    evaluation: Evaluation = Evaluation()
    intervals: Intervals
    model: Curves
    baseline: Curves
    calibration: Calibration | None = Field(default=None, description="null in cards of earlier releases")
    reliability: list[ReliabilityBin]
    reliability_scale: Literal["linear", "log"] = Field(default="linear", description="Logarithmic where churn is rare")
    corp: CorpCurve | None = Field(default=None, description="null in cards of earlier releases")
    profit: Profit | None
    groups: list[GroupFigures]
    explanation: Explanation
    parity: Parity
    columns: list[ColumnFacts]
    data: DataFacts
    findings: list[CardFinding]
    choice: Choice
    gate: CardVerdict
    intended_use: list[str]
    limits: list[str]
    drift_reference: DriftReference

    def figure(self, name: str) -> CardFigure:
        """Raises KeyError for a figure the card does not have."""
        return {figure.name: figure for figure in self.figures}[name]


class CardView(Card):
    """The card, with a link to its page."""

    html_url: str = Field(description="Opens the page in a browser without a token; expires after 15 minutes")
