"""Model versions in the API."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from retainstream.engine.model.levels import LevelsRecord, bounds_of
from retainstream.engine.model.threshold_rule import LevelMeanings, ThresholdRule, meanings
from retainstream.registry.champion import Champion, champion
from retainstream.registry.errors import NoModel
from retainstream.storage.models import Direction, Importance, Models, Version

DIRECTION_IN_WORDS: dict[Direction, str] = {
    "increasing": "larger values raise the risk",
    "decreasing": "larger values lower the risk",
    "mixed": "the effect depends on the value",
}
_DAYS_IN_WORDS: dict[Direction, str] = {
    "increasing": "more days since the date raise the risk",
    "decreasing": "more days since the date lower the risk",
    "mixed": "the effect depends on the days since the date",
}


def direction_in_words(column: Importance | None) -> str:
    """How the risk moves with the value of a column, or with the days since a date. Without a record it is not known."""
    if column is None:
        return DIRECTION_IN_WORDS["mixed"]
    return (_DAYS_IN_WORDS if column.get("kind") == "date" else DIRECTION_IN_WORDS)[column["direction"]]


class Interval(BaseModel):
    """The ends of a 95% interval."""

    low: float
    high: float


class CrossFitted(BaseModel):
    """Figures over all customers of a small table, each scored by a model that was not fitted to that customer."""

    model_config = ConfigDict(extra="allow")

    rows: int
    churned: int
    roc_auc: float | None
    intervals: dict[str, Interval] = Field(description="95% intervals, by the name of the figure")


class Figures(BaseModel):
    """Figures on customers that were not used for fitting, tuning, calibration or the choice of the threshold."""

    model_config = ConfigDict(extra="allow")

    rows: int
    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float = Field(description="Expected calibration error over ten equal bins")
    roc_auc_interval: Interval | None = Field(default=None, description="95%; null with fewer than ten churners")
    observed_to_expected: float | None = Field(
        default=None, description="Customers who left, divided by the sum of the probabilities; null for versions of earlier releases"
    )
    observed_to_expected_interval: Interval | None = None
    calibration_slope: float | None = Field(
        default=None,
        description="1 is best; below 1 the probabilities are too extreme, above 1 too alike; null where the rows determine none",
    )
    calibration_slope_interval: Interval | None = None
    cross_fitted: CrossFitted | None = Field(
        default=None, description="For tables of fewer than 5,000 rows that are split by customers; its intervals are narrower"
    )


class Ceiling(BaseModel):
    """The best figures that any model can reach on the same customers; known for synthetic customers only."""

    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float


class Gate(BaseModel):
    """The gate's decision about the version."""

    model_config = ConfigDict(extra="allow")

    passed: bool = Field(description="Whether the version may be put into service")
    reasons: list[str] = Field(description="The faults of a rejected version")
    held_back: list[str] = Field(default=[], description="Why a version without faults was not put into service by the training")
    doubts: list[str] = Field(default=[], description="Whether its ROC AUC is too good to be believed, or no better than chance")


class VersionView(BaseModel):
    version: str
    created_at: str
    status: Literal["registered", "rejected"]
    in_service: bool
    run_id: str
    schema_name: str
    threshold: float = Field(description="The probability at which high risk begins")
    levels: LevelsRecord = Field(description="The probabilities at which the risk levels begin")
    level_meanings: LevelMeanings = Field(description="What the levels mean for this version, in words")
    threshold_rule: ThresholdRule | None = Field(
        default=None, description="How the threshold was chosen; null for versions of earlier releases"
    )
    calibration: str = Field(
        description="The calibration from raw scores to probabilities: beta; none, platt or isotonic in versions of earlier releases"
    )
    synthetic: bool = Field(description="Whether synthetic customers were used to train or evaluate it")
    metrics: Figures
    baseline_metrics: dict[str, Any] = Field(description="The figures of a linear model on the same customers")
    ceiling: Ceiling | None = Field(description="The best figures that any model can reach; for synthetic customers only")
    rows: dict[str, int] = Field(description="The number of customers in each part of the data")
    gate: Gate


class Promotion(BaseModel):
    version: str
    promoted_at: str
    promoted_by: str


class StatusView(BaseModel):
    """The model in service, and the promotions that led to it."""

    model: VersionView | None = Field(description="null before the first promotion, and when the record cannot be read")
    promoted_at: str | None
    promoted_by: str | None
    previous: str | None = Field(description="The version that a rollback restores")
    history: list[Promotion] = Field(description="Newest first, at most 50")


class Factor(BaseModel):
    """A column's influence on the scores."""

    feature: str = Field(
        description='The column; of a pair of columns that act together, both: "fee & delivery"', examples=["payment_failures"]
    )
    label: str
    mean_abs_contribution: float = Field(description="Mean absolute contribution in log-odds over held-out customers")
    share: float = Field(description="Share of the sum over all columns, from 0 to 1")
    direction: Direction
    meaning: str = Field(examples=["larger values raise the risk"])


def version_view(record: Version, in_service: str | None) -> VersionView:
    bounds = bounds_of(record)
    words = meanings(bounds, record.get("threshold_rule"))
    derived = {"levels": bounds.document(), "level_meanings": words, "in_service": record["version"] == in_service}
    return VersionView.model_validate({**record, **derived})


def version_views(records: Iterable[Version], in_service: str | None) -> list[VersionView]:
    """Versions for the list, without records that somebody changed so that they cannot be read."""
    views = []
    for record in records:
        with suppress(ValueError):
            views.append(version_view(record, in_service))
    return views


def status_view(models: Models) -> StatusView:
    """The version in service with its figures."""
    pointer = champion(models)
    if pointer is None:
        return StatusView(model=None, promoted_at=None, promoted_by=None, previous=None, history=[])
    return promoted_view(models, pointer)


def promoted_view(models: Models, pointer: Champion) -> StatusView:
    """The version that a pointer points at."""
    record = pointer.record or models.version(pointer.version)
    try:
        model = version_view(record, pointer.version) if record else None
    except ValueError:
        model = None
    return StatusView(
        model=model,
        promoted_at=pointer.promoted_at,
        promoted_by=pointer.promoted_by,
        previous=pointer.previous,
        history=[Promotion.model_validate(entry) for entry in pointer.history],
    )


def factors(models: Models) -> list[Factor]:
    """The columns of the model in service, the strongest first.

    Raises:
        NoModel: no model is in service.
    """
    pointer = champion(models)
    if pointer is None:
        raise NoModel("No model is in service yet.")
    record = pointer.record or models.version(pointer.version)
    columns = record.get("importance", []) if record else []
    total = sum(column["mean_abs_contribution"] for column in columns) or 1.0
    return [
        Factor.model_validate({**column, "share": round(column["mean_abs_contribution"] / total, 6), "meaning": direction_in_words(column)})
        for column in columns
    ]
