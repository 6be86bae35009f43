"""Performance by month: what a model version promised at its training, what was estimated of its predictions, and what was realised.

The history judges its rows after every run that scores or imports, and `put_performance` keeps the answer as one document, which requests
read.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, TypedDict

from pydantic import BaseModel, Field

from retainstream.engine.lives.months import NEWEST, last_day, month_of_name
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored

if TYPE_CHECKING:
    from retainstream.engine.history.performance import PeriodFigures, Promised
    from retainstream.storage.models import Version

KEY: Final = "history/performance.json"


class Judgement(TypedDict):
    """The judge's answer. `outside_promise` is 1 where the realised AUC of the newest judged month is outside what its version promised,
    0 where it is not, and None where that cannot be said. `months` counts judged months."""

    months: int
    outside_promise: int | None


class StoredPerformance(TypedDict):
    """`horizon_days` is that of the predictions. Months and versions as in `PeriodFigures`, with the promises."""

    horizon_days: int
    periods: "list[PeriodFigures]"


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


def put_performance(
    documents: Documents, periods: "Iterable[PeriodFigures]", horizon_days: int, versions: "Mapping[str, Version | None]"
) -> Judgement:
    """Adds the promises of the versions' records to the figures, keeps both, and says whether the newest judged month kept its promise."""
    promised: list[PeriodFigures] = [{**figures, "promised": promise_of(versions.get(figures["model_version"]))} for figures in periods]
    stored = StoredPerformance(horizon_days=horizon_days, periods=promised)
    documents.put_bytes(KEY, json.dumps(stored, separators=(",", ":"), allow_nan=False).encode(), "application/json")
    judged = [view for view in _views(stored["periods"]) if view.realised]
    kept = judged[-1].kept_promise if judged else None
    return {"months": len({view.period for view in judged}), "outside_promise": None if kept is None else int(not kept)}


def performance_by_period(documents: Documents, first_scored_at: str | None, horizon_days: int | None) -> PerformanceByPeriod:
    """The newest 24 months, in one read.

    `first_scored_at` is the moment (ISO 8601) of the first scoring run, and `horizon_days` that of the model in service: they tell when the
    first month can be judged before the history holds one.
    """
    try:
        stored = json.loads(documents.get_bytes(KEY))
    except NotStored:
        stored = {"horizon_days": horizon_days, "periods": []}
    views = _views(stored["periods"])
    horizon = stored["horizon_days"]
    if not views:
        first = date.fromisoformat(first_scored_at[:10]) if first_scored_at else None
        return PerformanceByPeriod(by_period=[], next_judged_on=_plus(first, horizon))
    newest = sorted({view.period for view in views})[-NEWEST:]
    waiting = next((view.period for view in views if view.realised is None), None)
    return PerformanceByPeriod(
        by_period=[view for view in views if view.period in newest],
        next_judged_on=_plus(last_day(month_of_name(waiting)), horizon) if waiting else None,
    )


def promise_of(record: "Version | None") -> "Promised | None":
    """The figures of a version's record on the test rows of its training."""
    if record is None:
        return None
    figures = record["metrics"]
    return {
        "roc_auc": figures.get("roc_auc"),
        "roc_auc_interval": figures.get("roc_auc_interval"),
        "log_loss": figures.get("log_loss"),
    }


def _views(periods: Iterable[Mapping[str, object]]) -> list[PeriodView]:
    """The entries of one month and one version, oldest first."""
    views = [_view(figures) for figures in periods if figures["period"] and figures["model_version"]]
    return sorted(views, key=lambda view: (view.period, view.model_version))


def _view(figures: Mapping[str, object]) -> PeriodView:
    view = PeriodView.model_validate({**figures, "kept_promise": None})
    promised = view.promised.roc_auc_interval if view.promised else None
    realised = view.realised.roc_auc_interval if view.realised else None
    if promised and realised:
        view.kept_promise = promised.low <= realised.high and realised.low <= promised.high
    return view


def _plus(day: date | None, days: int | None) -> str | None:
    return (day + timedelta(days=days)).isoformat() if day and days is not None else None
