"""Performance by month: what was promised, estimated and realised of the predictions that were made in it."""

import math
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.history.database import Files
from retainstream.engine.history.statements import counts_by_probability
from retainstream.engine.history.training_rows import show_history
from retainstream.engine.lives import MOST_UNKNOWN, Label, day_number, iso_day
from retainstream.engine.monitoring.binned_auc import Z, binned_auc, realised_error

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALL = ""
"""In place of a month or of a model version: all of them."""

FEWEST_FOR_AN_INTERVAL = 10
"""Customers of each outcome from which an AUC has an interval: with fewer it would contain the true value too rarely."""

_ECE_BINS = 10
_MILLION = 1_000_000

type Counts = NDArray[np.int64]


class IntervalFigures(TypedDict):
    """A 95% interval."""

    low: float
    high: float


class Promised(TypedDict):
    """The figures of the version's model card, on the test rows of its training."""

    roc_auc: float | None
    roc_auc_interval: IntervalFigures | None
    log_loss: float | None


class Estimated(TypedDict):
    """The figures to be expected of the probabilities, without outcomes. `churners` counts customers."""

    churners: float
    roc_auc: float | None


class Realised(TypedDict):
    """The figures of the probabilities against the outcomes. `expected` and `observed` count customers who leave."""

    roc_auc: float | None
    roc_auc_interval: IntervalFigures | None
    log_loss: float
    brier: float
    ece: float
    expected: float
    observed: int


class PeriodFigures(TypedDict):
    """The predictions whose anchors are in one calendar month (2026-09), or in all months (""), by one model version, or by all ("").

    Of each customer the newest prediction of the month counts. `realised` counts months of which at most 20% of the outcomes are unknown,
    and is None where there is no such month.
    """

    period: str
    model_version: str
    rows: int
    left: int
    stayed: int
    unknown: int
    promised: Promised | None
    estimated: Estimated
    realised: Realised | None


@dataclass(frozen=True)
class Tallied:
    """The predictions of one month by one model version, or by all: customers by label and probability.

    millionths: int64 (m,), distinct and rising. left, stayed, unknown: int64 (m,), customers with that probability.
    """

    period: str
    model_version: str
    millionths: Counts
    left: Counts
    stayed: Counts
    unknown: Counts

    @property
    def customers(self) -> int:
        return int(self.left.sum() + self.stayed.sum() + self.unknown.sum())

    @property
    def is_known(self) -> bool:
        """Whether at most 20% of the outcomes are unknown, and some customers stayed: leavers are known earlier than the others."""
        return bool(self.stayed.any()) and int(self.unknown.sum()) <= MOST_UNKNOWN * self.customers


def by_period(connection: "DuckDBPyConnection", history_files: Files, horizon_days: int, silence_days: int = 0) -> list[PeriodFigures]:
    """The figures of each month, newest first, and of each model version in all months. `promised` is None here: it is in the cards.

    The connection has the lives (see `lives.load_lives`).
    """
    if not history_files:
        return []
    show_history(connection, history_files)
    days = [day for (day,) in connection.execute("SELECT DISTINCT anchor_day FROM history").fetchall()]
    months = sorted({month_of(day) for day in days}, reverse=True)
    return figures([part for month in months for part in tallies(connection, history_files, month, horizon_days, silence_days)])


def tallies(connection: "DuckDBPyConnection", history_files: Files, month: str, horizon_days: int, silence_days: int = 0) -> list[Tallied]:
    """The predictions of a month, by all versions together and by each. The files are at least those with anchors in the month."""
    show_history(connection, history_files)
    first, last = days_of(month)
    parts = []
    for by_version in (False, True):
        statement = counts_by_probability(first, last, horizon_days, silence_days, by_version=by_version)
        answer = connection.execute(statement).fetchnumpy()
        versions = np.array(answer["model_version"].tolist(), dtype=object)
        for version in sorted(set(versions.tolist())):
            rows = versions == version
            parts.append(_tallied(month, version, *(np.asarray(answer[name][rows]) for name in ("millionths", "label", "customers"))))
    return parts


def _tallied(month: str, version: str, millionths: Counts, labels: Counts, customers: Counts) -> Tallied:
    distinct, places = np.unique(millionths.astype(np.int64), return_inverse=True)

    def counted(label: Label) -> Counts:
        of_label = np.where(labels == label, customers, 0)
        return np.bincount(places, weights=of_label, minlength=len(distinct)).astype(np.int64)

    return Tallied(month, version, distinct, counted(Label.LEFT), counted(Label.STAYED), counted(Label.UNKNOWN))


def figures(parts: Sequence[Tallied]) -> list[PeriodFigures]:
    """The figures of months, and of each model version in all of them."""
    versions = sorted({part.model_version for part in parts} - {ALL})
    months = [_figures(part.period, part.model_version, [part]) for part in parts]
    totals = [_figures(ALL, version, [part for part in parts if part.model_version == version]) for version in versions]
    return [*(row for row in months if row["rows"]), *(row for row in totals if row["rows"])]


def month_of(day: int) -> str:
    """The calendar month (2026-09) of a day, counted from 1970-01-01."""
    return iso_day(day)[:7]


def days_of(month: str) -> tuple[int, int]:
    """The first and the last day of a calendar month."""
    year, number = (int(part) for part in month.split("-"))
    first = day_number(f"{month}-01")
    return first, first + monthrange(year, number)[1] - 1


def _figures(period: str, version: str, parts: Sequence[Tallied]) -> PeriodFigures:
    whole = _sum(parts)
    there = whole.left + whole.stayed + whole.unknown
    expected = there * whole.millionths / _MILLION
    known = [part for part in parts if part.is_known]
    return {
        "period": period,
        "model_version": version,
        "rows": whole.customers,
        "left": int(whole.left.sum()),
        "stayed": int(whole.stayed.sum()),
        "unknown": int(whole.unknown.sum()),
        "promised": None,
        "estimated": {
            "churners": round(float(expected.sum()), 2),
            "roc_auc": _rounded(binned_auc(expected.tolist(), (there - expected).tolist())),
        },
        "realised": _realised(_sum(known)) if known else None,
    }


def _sum(parts: Iterable[Tallied]) -> Tallied:
    listed = list(parts)
    distinct, places = np.unique(np.concatenate([part.millionths for part in listed]), return_inverse=True)

    def added(name: str) -> Counts:
        values = np.concatenate([getattr(part, name) for part in listed])
        return np.bincount(places, weights=values, minlength=len(distinct)).astype(np.int64)

    return Tallied(ALL, ALL, distinct, added("left"), added("stayed"), added("unknown"))


def _realised(known: Tallied) -> Realised:
    left, stayed = known.left.astype(np.float64), known.stayed.astype(np.float64)
    rows, chance = left + stayed, known.millionths / _MILLION
    total = float(rows.sum())
    bounded = np.clip(chance, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    auc = binned_auc(left.tolist(), stayed.tolist())
    bins = np.minimum((chance * _ECE_BINS).astype(int), _ECE_BINS - 1)
    gaps = np.bincount(bins, weights=rows * chance - left, minlength=_ECE_BINS)
    return {
        "roc_auc": _rounded(auc),
        "roc_auc_interval": _interval(auc, left, stayed),
        "log_loss": round(float(-(left * np.log(bounded) + stayed * np.log(1 - bounded)).sum()) / total, 6),
        "brier": round(float((left * (1 - chance) ** 2 + stayed * chance**2).sum()) / total, 6),
        "ece": round(float(np.abs(gaps).sum()) / total, 6),
        "expected": round(float((rows * chance).sum()), 2),
        "observed": int(known.left.sum()),
    }


def _interval(auc: float | None, left: NDArray[np.float64], stayed: NDArray[np.float64]) -> IntervalFigures | None:
    """The 95% interval of an AUC: DeLong's standard error, normal in the log-odds of the AUC, so that it stays within 0 and 1.

    Customers count as independent. In a total of several months a customer appears several times, which makes the interval a little narrow.
    """
    error = realised_error(left.tolist(), stayed.tolist())
    if auc is None or error is None or not 0 < auc < 1 or min(left.sum(), stayed.sum()) < FEWEST_FOR_AN_INTERVAL:
        return None
    logit, spread = math.log(auc / (1 - auc)), Z * error / (auc * (1 - auc))
    low, high = (1 / (1 + math.exp(-value)) for value in (logit - spread, logit + spread))
    return {"low": round(low, 6), "high": round(high, 6)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
