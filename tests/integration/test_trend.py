"""The trend: a snapshot a run and a day, none lost, in one item that has an end."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.dashboard.daily import keep_day
from retainstream.dashboard.trend import snapshot_of_day
from retainstream.registry.champion import promote
from retainstream.registry.versions import register
from retainstream.settings import settings as environment
from retainstream.storage.models import Models
from retainstream.storage.rollups import Dashboard, Rollups
from tests.integration.conftest import lambda_context, load_function
from tests.integration.test_dashboard import METRICS, RECORD, Call, data
from tests.interleaving import interleave
from tests.stored import stored_items

LONGEST_TREND = 250_000  # bytes; with the counters of the largest schema, two items of at most 400 kB, it fits into one page of 1 MB
COUNTERS = {
    "customers": {
        "customers/churned/a": 30,
        "customers/stayed/a": 60,
        "customers/stayed/b": 30,
        "customers/unknown/b": 7,
        "life/first:2026-08/": 127,
        "life/seen:2026-08/": 127,
        "life/left:2026-09/": 27,
        "life/left:2026-10/": 25,
        "life/covered:2026-10/": 75,
    },
    "predictions": {
        "level/low/a": 80,
        "probability/low/a": 4_000_000,
        "value/low/a": 100_00,
        "level/high/b": 17,
        "probability/high/b": 12_250_000,
        "value/high/b": 900_50,
    },
}


@pytest.fixture
def counted(aws: None) -> None:
    register(Models(), RECORD | {"version": "m1"})
    promote(Models(), "m1", "test")
    Rollups().put_if_version("customers", 0, COUNTERS["customers"])
    Rollups().put_if_version("predictions", 0, COUNTERS["predictions"])


def of_run(number: int) -> Any:
    return {"run_id": f"r{number}", "at": f"2026-01-01T00:{number:06d}", "scored": number}


def of_day(day: str, hour: int) -> Any:
    return {"day": day, "at": f"{day}T{hour:02d}:00", "scored": hour}


def test_one_snapshot_of_a_run_is_kept_and_the_oldest_forgotten(aws: None) -> None:
    rollups = Rollups()
    for number in range(202):
        rollups.add_trend(of_run(number))
    rollups.add_trend(of_run(201) | {"scored": 7})
    trend = rollups.dashboard().trend
    assert len(trend) == 200
    assert [trend[0]["run_id"], trend[-1]["run_id"], trend[-1]["scored"]] == ["r2", "r201", 7]
    assert rollups.trend() == trend


def test_of_a_day_the_latest_snapshot_is_kept_whichever_is_written_last(aws: None) -> None:
    rollups = Rollups()
    rollups.add_trend(of_run(1))
    for hour in (8, 23, 12):
        rollups.add_day(of_day("2026-01-31", hour))
    found = rollups.dashboard()
    assert [(one["day"], one["scored"]) for one in found.days] == [("2026-01-31", 23)]
    assert [one["run_id"] for one in found.trend] == ["r1"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_writers_at_the_same_moment_lose_no_snapshot(aws: None, data: st.DataObject) -> None:
    rollups = Rollups()
    rollups._table.delete({"pk": "dashboard", "sk": "trend"})
    writers = [
        lambda: rollups.add_trend(of_run(1)),
        lambda: rollups.add_trend(of_run(2)),
        lambda: rollups.add_day(of_day("2026-01-01", 1)),
    ]
    interleave(writers, lambda waiting: data.draw(st.sampled_from(waiting)))
    found = rollups.dashboard()
    assert [one["run_id"] for one in found.trend] == ["r1", "r2"]
    assert [one["day"] for one in found.days] == ["2026-01-01"]


def test_the_longest_trend_fits_into_one_read(aws: None) -> None:
    rollups = Rollups()
    money = 10**13 + 0.25
    figures = {"model_version": "20261121T090000Z-7d0c2f6e", "roc_auc": 0.8437219384721, "scored": 10**9}
    figures |= {"churn_rate": 0.123456, "churn_period": "2026-10"}
    figures |= {"predicted_churners": 10**9 + 0.25, "high_risk": 10**9, "value_at_risk": money, "value_at_risk_of_all": money}
    of_runs = {"by_level": dict.fromkeys(("low", "medium", "high", "critical"), 10**9), "mean_probability": 0.123456, "drift": "strong"}
    of_runs |= {"expected_ends": [10**9 + 0.5, 10**9 + 1.5]}
    runs: list[Any] = [
        {"run_id": f"{number:080d}", "at": f"2026-11-21T09:00:00.{number:06d}+00:00", **figures, **of_runs} for number in range(200)
    ]
    days: list[Any] = [{"day": f"{number:010d}", "at": f"2026-11-21T09:00:00.{number:06d}+00:00", **figures} for number in range(400)]
    full = {"pk": "dashboard", "sk": "trend", "version": 1, "snapshots": json.dumps(runs[:-1]), "days": json.dumps(days[:-1])}
    rollups._table.put(full)
    rollups.add_trend(runs[-1])
    rollups.add_day(days[-1])
    found = rollups.dashboard()
    assert (len(found.trend), len(found.days)) == (200, 400)
    [stored] = stored_items(environment().rollups_table)
    assert sum(len(name) + len(value.get("S", value.get("N", "")).encode()) for name, value in stored.items()) < LONGEST_TREND


def test_a_day_is_what_the_counters_say_at_its_end(call: Call, counted: None) -> None:
    event = {"task": "keep-day", "scheduled_at": "2026-11-20T23:50:00Z"}
    for _ in range(2):
        load_function("rollups").handler(event, lambda_context("rollups"))
    figures = data(call("dashboard", "GET", METRICS))
    [day] = figures["days"]
    assert day == {
        "day": "2026-11-20",
        "at": day["at"],
        "model_version": "m1",
        "roc_auc": 0.84,
        "scored": 97,
        "churn_rate": 0.25,
        "churn_period": "2026-10",
        "predicted_churners": 17,
        "expected_churners": 16.25,
        "revenue_at_risk": 1000.5,
        "revenue_of_predicted_churners": 900.5,
    }
    shown = {
        "churn_rate": figures["churn_rate"]["rate"],
        "churn_period": figures["churn_rate"]["period"],
        "predicted_churners": figures["predicted_churners"]["count"],
        "expected_churners": figures["predicted_churners"]["expected"],
        "revenue_at_risk": figures["revenue_at_risk"]["total"],
        "roc_auc": figures["model"]["roc_auc"],
    }
    assert {name: day[name] for name in shown} == shown


def test_without_a_time_it_is_today(counted: None) -> None:
    kept = keep_day(Rollups(), Models())
    assert kept
    assert kept["day"] == datetime.now(UTC).date().isoformat() == kept["at"][:10]


def test_a_day_without_customers_leaves_no_point(aws: None) -> None:
    assert keep_day(Rollups(), Models()) is None
    assert Rollups().dashboard().days == []


def test_a_day_without_a_model_has_no_figures_of_one() -> None:
    kept = snapshot_of_day(Dashboard(COUNTERS["customers"], {}, [], []), None, day="2026-11-20", at="2026-11-20T23:50")
    assert kept
    assert (kept["model_version"], kept["roc_auc"], kept["scored"], kept["churn_rate"]) == (None, None, 0, 0.25)
