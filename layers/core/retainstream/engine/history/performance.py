"""Performance by month: what was promised, estimated and realised of the predictions of one scoring run in each month and version."""

import math
from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.history.cohorts import Cohort, Terms, cohorts
from retainstream.engine.history.database import Files
from retainstream.engine.history.statements import counts_by_probability
from retainstream.engine.history.training_rows import show_history
from retainstream.engine.lives import MOST_UNKNOWN, Label, day_number, iso_day
from retainstream.engine.monitoring.binned_auc import Z, binned_auc, realised_error

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALL = ""
"""In place of a month: all of them."""

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


class AtThreshold(TypedDict):
    """The customers who were predicted to leave: with probabilities of at least the version's threshold.

    called: their number, of those with a known outcome. left: of these, the number who left. precision: left / called.
    recall: left / all who left.
    """

    threshold: float
    called: int
    left: int
    precision: float | None
    recall: float | None


class Realised(TypedDict):
    """The figures of the probabilities against the outcomes. `expected` and `observed` count customers who leave."""

    roc_auc: float | None
    roc_auc_interval: IntervalFigures | None
    log_loss: float
    brier: float
    ece: float
    expected: float
    observed: int
    at_threshold: AtThreshold | None


class PeriodFigures(TypedDict):
    """The predictions of one scoring run, on features of one calendar month (2026-09), by one model version; or those of all months ("").

    run_id: the run, "" for all months. horizon_days: of the version. ends_on: the day (ISO) on which the last horizon ends. `realised`
    counts months of which at most 20% of the outcomes are unknown, and is None where there is no such month.
    """

    period: str
    model_version: str
    run_id: str
    horizon_days: int
    ends_on: str
    rows: int
    left: int
    stayed: int
    unknown: int
    promised: Promised | None
    estimated: Estimated
    realised: Realised | None


@dataclass(frozen=True)
class Tallied:
    """The customers of a cohort, or of several cohorts of one version, by label and probability.

    millionths: int64 (m,), distinct and rising. left, stayed, unknown: int64 (m,), customers with that probability.
    """

    cohort: Cohort
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


def tallies(
    connection: "DuckDBPyConnection", history_files: Files, month: str, terms_of: Callable[[str], Terms], silence_days: int = 0
) -> list[Tallied]:
    """The cohorts of a month, by version. The files are at least those with anchors in the month.

    The connection has the lives (see `lives.load_lives`).
    """
    show_history(connection, history_files)
    return [_tallied(connection, cohort, silence_days) for cohort in cohorts(connection, *days_of(month), terms_of)]


def _tallied(connection: "DuckDBPyConnection", cohort: Cohort, silence_days: int) -> Tallied:
    statement = counts_by_probability(cohort.run_id, cohort.first_day, cohort.last_day, cohort.terms.horizon_days, silence_days)
    answer = connection.execute(statement).fetchnumpy()
    labels, customers = np.asarray(answer["label"]), np.asarray(answer["customers"])
    distinct, places = np.unique(np.asarray(answer["millionths"]).astype(np.int64), return_inverse=True)

    def counted(label: Label) -> Counts:
        of_label = np.where(labels == label, customers, 0)
        return np.bincount(places, weights=of_label, minlength=len(distinct)).astype(np.int64)

    return Tallied(cohort, distinct, counted(Label.LEFT), counted(Label.STAYED), counted(Label.UNKNOWN))


def figures(parts: Iterable[Tallied]) -> list[PeriodFigures]:
    """The figures of cohorts, and of each model version in all months."""
    cohorts = [part for part in parts if part.customers]
    versions = sorted({part.cohort.model_version for part in cohorts})
    months = [_figures(month_of(part.cohort.last_day), part.cohort.run_id, [part]) for part in cohorts]
    return [*months, *(_figures(ALL, "", [part for part in cohorts if part.cohort.model_version == version]) for version in versions)]


def month_of(day: int) -> str:
    """The calendar month (2026-09) of a day, counted from 1970-01-01."""
    return iso_day(day)[:7]


def days_of(month: str) -> tuple[int, int]:
    """The first and the last day of a calendar month."""
    year, number = (int(part) for part in month.split("-"))
    first = day_number(f"{month}-01")
    return first, first + monthrange(year, number)[1] - 1


def _figures(period: str, run_id: str, parts: Sequence[Tallied]) -> PeriodFigures:
    whole = _sum(parts)
    there = whole.left + whole.stayed + whole.unknown
    expected = there * whole.millionths / _MILLION
    known = [part for part in parts if part.is_known]
    terms = whole.cohort.terms
    return {
        "period": period,
        "model_version": whole.cohort.model_version,
        "run_id": run_id,
        "horizon_days": terms.horizon_days,
        "ends_on": iso_day(max(part.cohort.last_day for part in parts) + terms.horizon_days),
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


def _sum(parts: Sequence[Tallied]) -> Tallied:
    distinct, places = np.unique(np.concatenate([part.millionths for part in parts]), return_inverse=True)

    def added(name: str) -> Counts:
        values = np.concatenate([getattr(part, name) for part in parts])
        return np.bincount(places, weights=values, minlength=len(distinct)).astype(np.int64)

    return Tallied(parts[0].cohort, distinct, added("left"), added("stayed"), added("unknown"))


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
        "at_threshold": _at_threshold(known, known.cohort.terms.threshold),
    }


def _at_threshold(known: Tallied, threshold: float | None) -> AtThreshold | None:
    if threshold is None:
        return None
    is_called = known.millionths / _MILLION >= threshold
    hits, leavers = int(known.left[is_called].sum()), int(known.left.sum())
    called = hits + int(known.stayed[is_called].sum())
    return {
        "threshold": threshold,
        "called": called,
        "left": hits,
        "precision": round(hits / called, 6) if called else None,
        "recall": round(hits / leavers, 6) if leavers else None,
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
