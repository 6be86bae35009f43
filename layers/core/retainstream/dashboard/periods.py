"""Performance by month: what a model version promised at its training, what was estimated of its predictions, and what was realised.

The history judges its cohorts (see `engine.history.cohorts`) after every run that scores or imports, and keeps the answer as one document,
which requests read.
"""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypedDict

from pydantic import BaseModel, Field

from retainstream.engine.history.promise import kept_promise
from retainstream.engine.lives.months import NEWEST, last_day, month_of_name
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.history import PERFORMANCE
from retainstream.storage.models import Version

if TYPE_CHECKING:
    from retainstream.engine.history.performance import PeriodFigures, Realised


class IntervalOfPeriod(BaseModel):
    low: float
    high: float


class PromisedView(BaseModel):
    """Figures of the version's model card, on the test rows of its training."""

    roc_auc: float | None
    roc_auc_interval: IntervalOfPeriod | None = Field(description="95%")
    log_loss: float | None


class EstimatedView(BaseModel):
    """Figures that the probabilities themselves lead to expect, without outcomes."""

    churners: float = Field(description="The sum of the probabilities")
    roc_auc: float | None


class AtThresholdView(BaseModel):
    """The customers who were predicted to leave, at the threshold of the version."""

    threshold: float
    called: int = Field(description="Customers with at least this probability and a known outcome")
    left: int = Field(description="The number of these customers who left")
    precision: float | None = Field(description="left / called")
    recall: float | None = Field(description="left / all customers who left")


class RealisedView(BaseModel):
    """Figures of the probabilities, compared with the outcomes that are known now."""

    roc_auc: float | None
    roc_auc_interval: IntervalOfPeriod | None = Field(description="95%")
    log_loss: float
    brier: float
    ece: float
    expected: float = Field(description="The sum of the probabilities of the customers with a known outcome")
    observed: int = Field(description="The number of these customers who left")
    at_threshold: AtThresholdView | None = Field(default=None, description="null where the version has no record")


class PeriodView(BaseModel):
    """A cohort: the predictions of one scoring run, by one model version, from features of one month."""

    period: str = Field(description="The month of the features", examples=["2026-09"])
    model_version: str
    run_id: str | None = Field(
        default=None,
        description="The scoring run: the first one of the version on features of this month that scored at least half as many customers "
        "as its largest one. null where an earlier release judged the month",
    )
    horizon_days: int | None = Field(default=None, description="The horizon of the version, with which its predictions are judged")
    ends_on: str | None = Field(default=None, description="The day on which the last horizon of these predictions ends")
    rows: int = Field(description="Customers")
    left: int = Field(description="Customers who left within the horizon")
    stayed: int = Field(description="Customers who were still customers at its end")
    unknown: int = Field(description="Customers of whom neither is known")
    promised: PromisedView | None = Field(description="null where the version has no figures")
    estimated: EstimatedView
    realised: RealisedView | None = Field(description="null while more than 20% of the outcomes are unknown")
    kept_promise: bool | None = Field(
        description="Whether the intervals of the promised and of the realised AUC overlap; null where one of them is absent"
    )


class PerformanceByPeriod(BaseModel):
    by_period: list[PeriodView] = Field(description="One entry for each month and model version, oldest month first; the newest 24 months")
    next_judged_on: str | None = Field(
        description="The day through which outcomes must be known to judge the oldest month that is not judged; null without such a month",
        examples=["2026-10-30"],
    )


class Judgement(TypedDict):
    """What the judge of the history kept: the horizon of its labels, and the figures by month and in total, with their promises."""

    horizon_days: int
    by_period: "list[PeriodFigures]"


def judgement(documents: Documents) -> Judgement | None:
    """The latest judgement; None before the first."""
    try:
        stored: Judgement = json.loads(documents.get_bytes(PERFORMANCE))
    except NotStored:
        return None
    return stored


def performance_by_period(stored: Judgement | None, first_scored_at: str | None, horizon_days: int | None) -> PerformanceByPeriod:
    """The newest 24 months.

    `first_scored_at` is the moment (ISO 8601) of the first scoring run, and `horizon_days` that of the model in service: they tell when the
    first month can be judged before the history holds one.
    """
    views = _views(stored["by_period"]) if stored else []
    horizon = stored["horizon_days"] if stored else horizon_days
    if not views:
        first = date.fromisoformat(first_scored_at[:10]) if first_scored_at else None
        return PerformanceByPeriod(by_period=[], next_judged_on=_plus(first, horizon))
    newest = sorted({view.period for view in views})[-NEWEST:]
    waiting = next((view for view in views if view.realised is None), None)
    return PerformanceByPeriod(
        by_period=[view for view in views if view.period in newest],
        next_judged_on=_ends_on(waiting, horizon) if waiting else None,
    )


def first_judged_on(record: Version, stored: Judgement | None, first_scored_at: str | None) -> str | None:
    """The day on which the first horizon of this version's predictions ends; None once it has a judged month, or before it has scored.

    `first_scored_at` is the moment (ISO 8601) of its first scoring run, which counts until the history has judged once more.
    """
    months = [view for view in (_views(stored["by_period"]) if stored else ()) if view.model_version == record["version"]]
    if any(view.realised for view in months):
        return None
    if months:
        return min(_ends_on(view, record.get("horizon_days")) for view in months)
    return _plus(date.fromisoformat(first_scored_at[:10]) if first_scored_at else None, record.get("horizon_days"))


def months_judged(stored: Judgement | None, version: str) -> "tuple[Realised, list[PeriodFigures]] | None":
    """The realised figures of a version in all its judged months, and these months; None before the first."""
    of_version = [
        figures for figures in (stored["by_period"] if stored else ()) if figures["model_version"] == version and figures["realised"]
    ]
    total = next((figures["realised"] for figures in of_version if not figures["period"]), None)
    return (total, [figures for figures in of_version if figures["period"]]) if total else None


def _views(months: "Iterable[PeriodFigures]") -> list[PeriodView]:
    """The entries of one month and one version, oldest first."""
    ordered = sorted((month["period"], month["model_version"], month) for month in months if month["period"] and month["model_version"])
    return [PeriodView.model_validate({**month, "kept_promise": kept_promise(month)}) for _, _, month in ordered]


def _ends_on(view: PeriodView, horizon_days: int | None) -> str:
    """The day on which the last horizon of a month ends; an earlier release did not store it."""
    return view.ends_on or (last_day(month_of_name(view.period)) + timedelta(days=horizon_days or 0)).isoformat()


def _plus(day: date | None, days: int | None) -> str | None:
    return (day + timedelta(days=days)).isoformat() if day and days is not None else None
