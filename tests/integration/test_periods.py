"""Performance by month: promised, estimated and realised."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from retainstream.dashboard.performance import realised_by_month
from retainstream.dashboard.periods import first_judged_on, judgement, performance_by_period
from retainstream.engine.history.promise import newest_auc, outside_promise
from retainstream.storage.documents import Documents
from retainstream.storage.history import PERFORMANCE

BUCKET = "periods-bucket"
HORIZON = 30


@pytest.fixture
def documents() -> Iterator[Documents]:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield Documents(BUCKET)


def between(low: float, high: float) -> dict[str, float]:
    return {"low": low, "high": high}


def figures(
    period: str, version: str = "m1", realised: tuple[float, float] | None = None, promised: tuple[float, float] | None = (0.75, 0.85)
) -> Any:
    """The judge's figures of a month; `promised` and `realised` are intervals of the AUC."""
    promise = None
    if promised:
        promise = {"roc_auc": round(sum(promised) / 2, 6), "roc_auc_interval": between(*promised), "log_loss": 0.3}
    known = None
    if realised:
        known = {"roc_auc": sum(realised) / 2, "roc_auc_interval": between(*realised), "log_loss": 0.31, "brier": 0.1, "ece": 0.02}
        known |= {"expected": 51.5, "observed": 48}
        known |= {"at_threshold": {"threshold": 0.3, "called": 120, "left": 30, "precision": 0.25, "recall": 0.625}}
    return {
        "period": period,
        "model_version": version,
        "run_id": f"scoring-{period}",
        "horizon_days": HORIZON,
        "ends_on": f"{period}-15" if period else "2026-12-31",
        "rows": 500,
        "left": 48,
        "stayed": 450,
        "unknown": 2,
        "promised": promise,
        "estimated": {"churners": 52.5, "roc_auc": 0.79},
        "realised": known,
    }


def put(documents: Documents, months: list[Any]) -> None:
    documents.put_bytes(
        PERFORMANCE, json.dumps({"run_id": "r1", "horizon_days": HORIZON, "by_period": months}).encode(), "application/json"
    )


def test_each_month_has_the_promise_of_its_own_version(documents: Documents) -> None:
    judged = [figures("2026-09", "m2", (0.7, 0.8)), figures("2026-08", "m1", (0.72, 0.9), (0.6, 0.7)), figures("2026-10", "m2")]
    totals = [figures("", "m2", (0.7, 0.8)), figures("", "m1", (0.72, 0.9), (0.6, 0.7))]
    put(documents, [*judged, *totals])
    assert outside_promise([*judged, *totals]) == 0
    assert newest_auc([*judged, *totals]) == 0.75
    view = performance_by_period(judgement(documents), None, None)
    assert [(month.period, month.model_version) for month in view.by_period] == [("2026-08", "m1"), ("2026-09", "m2"), ("2026-10", "m2")]
    august, september, october = view.by_period
    assert [month.kept_promise for month in view.by_period] == [False, True, None]
    assert august.promised
    assert august.promised.model_dump() == {"roc_auc": 0.65, "roc_auc_interval": between(0.6, 0.7), "log_loss": 0.3}
    assert september.realised
    assert (september.realised.expected, september.realised.observed) == (51.5, 48)
    assert october.realised is None
    assert view.next_judged_on == "2026-10-15"
    assert (october.run_id, october.horizon_days, october.ends_on) == ("scoring-2026-10", 30, "2026-10-15")
    assert september.realised.at_threshold
    assert (september.realised.at_threshold.called, september.realised.at_threshold.precision) == (120, 0.25)


def test_figures_that_an_earlier_release_stored_are_read(documents: Documents) -> None:
    """It judged no single runs, and did not keep thresholds and days. It also stored months of all versions together."""
    judged = [
        figures("2026-09", "m2", (0.7, 0.8)),
        figures("2026-10", "m2"),
        figures("", "m2", (0.7, 0.8)),
        figures("2026-09", "", (0.7, 0.8)),
    ]
    for month in judged:
        for name in ("run_id", "horizon_days", "ends_on"):
            del month[name]
        if month["realised"]:
            del month["realised"]["at_threshold"]
    put(documents, judged)
    view = performance_by_period(judgement(documents), None, None)
    assert [(month.period, month.run_id) for month in view.by_period] == [("2026-09", None), ("2026-10", None)]
    assert view.next_judged_on == "2026-11-30"
    record: Any = {"version": "m2", "synthetic": False}
    total = realised_by_month(record, judgement(documents))
    assert total
    assert (total.roc_auc, total.precision, total.confusion) == (0.75, None, None)


@pytest.mark.parametrize(
    ("realised", "outside"), [((0.5, 0.74), 1), ((0.5, 0.75), 0), ((0.7, 0.9), 0), ((0.85, 0.95), 0), ((0.86, 0.95), 1), (None, None)]
)
def test_a_promise_is_broken_where_the_intervals_do_not_overlap(realised: tuple[float, float] | None, outside: int | None) -> None:
    assert outside_promise([figures("2026-10"), figures("2026-09", realised=realised)]) == outside


def test_a_version_without_a_record_promised_nothing(documents: Documents) -> None:
    months = [figures("2026-09", realised=(0.7, 0.8), promised=None)]
    assert outside_promise(months) is None
    put(documents, months)
    [month] = performance_by_period(judgement(documents), None, None).by_period
    assert (month.promised, month.kept_promise) == (None, None)


@pytest.mark.parametrize(
    ("scored", "horizon", "judged"), [(None, 30, None), ("2026-10-05T01:00:00+00:00", 30, "2026-11-04"), ("2026-10-05T01:00", None, None)]
)
def test_before_the_history_it_says_when_the_first_month_can_be_judged(
    documents: Documents, scored: str | None, horizon: int | None, judged: str | None
) -> None:
    view = performance_by_period(judgement(documents), scored, horizon)
    assert (view.by_period, view.next_judged_on) == ([], judged)


def test_the_newest_24_months_are_shown(documents: Documents) -> None:
    months = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]
    put(documents, [figures(month, realised=(0.7, 0.8)) for month in months])
    view = performance_by_period(judgement(documents), None, None)
    assert [month.period for month in view.by_period] == months[-24:]
    assert view.next_judged_on is None


def test_the_realised_figures_of_a_version_are_those_of_its_judged_months(documents: Documents) -> None:
    record: Any = {"version": "m2", "synthetic": True}
    assert realised_by_month(record, judgement(documents)) is None
    months = [figures("2026-08", "m1", (0.6, 0.7)), figures("2026-09", "m2", (0.7, 0.8)), figures("2026-10", "m2")]
    put(documents, [*months, figures("", "m2", (0.7, 0.8)), figures("", "m1", (0.6, 0.7))])
    view = realised_by_month(record, judgement(documents))
    assert view
    assert (view.customers, view.churners, view.roc_auc, view.log_loss, view.synthetic) == (498, 48, 0.75, 0.31, True)
    assert view.churn_rate == 48 / 498
    assert view.confusion
    assert view.confusion.model_dump() == {"true_positives": 30, "false_positives": 90, "false_negatives": 18, "true_negatives": 360}
    assert (view.precision, view.recall, view.f1) == (30 / 120, 30 / 48, 2 * 30 / (120 + 48))
    assert "1 judged month of" in view.basis
    other: Any = {**record, "version": "m3"}
    assert realised_by_month(other, judgement(documents)) is None


@pytest.mark.parametrize(
    ("months", "scored", "day"),
    [
        ([], None, None),
        ([], "2026-10-05T01:00:00+00:00", "2026-11-04"),
        ([figures("2026-09", "m1", (0.7, 0.8))], "2026-10-05T01:00:00+00:00", "2026-11-04"),
        ([figures("2026-10", "m2"), figures("2026-09", "m2")], "2026-08-05T01:00:00+00:00", "2026-09-15"),
        ([figures("2026-10", "m2"), figures("2026-09", "m2", (0.7, 0.8))], "2026-08-05T01:00:00+00:00", None),
    ],
)
def test_a_version_without_a_judged_month_has_the_day_of_its_first_judgement(
    documents: Documents, months: list[Any], scored: str | None, day: str | None
) -> None:
    record: Any = {"version": "m2", "horizon_days": HORIZON}
    assert first_judged_on(record, None, None) is None
    put(documents, months)
    assert first_judged_on(record, judgement(documents), scored) == day
