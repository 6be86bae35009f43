"""Performance by month: what a model version promised at its training, what was estimated of its predictions, and what was realised.

The history judges its rows after every run that scores or imports, and keeps the answer as one document, which requests read.
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


class RealisedView(BaseModel):
    """Figures of the probabilities, compared with the outcomes that are known now."""

    roc_auc: float | None
    roc_auc_interval: IntervalOfPeriod | None = Field(description="95%")
    log_loss: float
    brier: float
    ece: float
    expected: float = Field(description="The sum of the probabilities of the customers with a known outcome")
    observed: int = Field(description="The number of these customers who left")


class PeriodView(BaseModel):
    """The predictions of one model version that were made from features of one month."""

    period: str = Field(description="The month of the features", examples=["2026-09"])
    model_version: str
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
    waiting = next((view.period for view in views if view.realised is None), None)
    return PerformanceByPeriod(
        by_period=[view for view in views if view.period in newest],
        next_judged_on=_plus(last_day(month_of_name(waiting)), horizon) if waiting else None,
    )


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


def _plus(day: date | None, days: int | None) -> str | None:
    return (day + timedelta(days=days)).isoformat() if day and days is not None else None
