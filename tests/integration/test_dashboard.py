"""The dashboard module over HTTP: its figures are those of the customers behind them, to the unit."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retainstream.engine.lives import churned_of
from retainstream.engine.model.levels import bounds_of_threshold
from retainstream.engine.model.threshold_rule import meanings
from retainstream.registry.champion import promote, rollback
from retainstream.registry.versions import register
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from tests.counted_lives import count_of_lives
from tests.integration.base_of_customers import (
    prediction,
    replay_streams,
    storage_down,
    storage_requests,
    store_predictions,
    watch_streams,
)
from tests.integration.conftest import FUNCTIONS
from tests.small_models import THRESHOLD, add_customers, put_in_service, some_features

type Call = Callable[..., Any]
type Row = Any

METRICS = "/api/dashboard/metrics"
DISTRIBUTION = "/api/dashboard/distribution"
FEATURES = "/api/dashboard/features"
PREDICT = "/api/dashboard/predict"
RISK_LEVELS = ("low", "medium", "high", "critical")

RECORD: Any = {
    "status": "registered",
    "created_at": "2026-11-01T04:00:00.000+00:00",
    "run_id": "run-1",
    "threshold": THRESHOLD,
    "metrics": {"roc_auc": 0.84, "roc_auc_interval": {"low": 0.82, "high": 0.86}, "rows": 700},
    "ceiling": {"roc_auc": 0.86},
    "synthetic": True,
    "horizon_days": 30,
    "money": {"currency": "USD", "months": 12.0},
    "importance": [
        {"feature": "payment_failures", "label": "Failed payments", "mean_abs_contribution": 0.6, "direction": "increasing"},
        {"feature": "watch_time_hours", "label": "Watch time", "mean_abs_contribution": 0.2, "direction": "decreasing"},
    ],
}


@pytest.fixture
def in_service(aws: None) -> str:
    register(Models(), RECORD | {"version": "m1"})
    promote(Models(), "m1", "test")
    return "m1"


def data(answer: Any) -> Any:
    assert answer.status == 200, answer.body
    return answer.body["data"]


def life_of(order: random.Random) -> Any:
    began, seen = order.choice(["2026-07-20", "2026-09-01", "2026-09-02"]), order.choice(["2026-10-31", "2026-11-02"])
    left = {"left_on": order.choice(["2026-09-30", *["2026-10-01", "2026-10-31"] * 3])} if order.random() < 0.2 else {}
    stayed = {"stayed_on": seen} if order.random() < 0.15 else {}
    return {"first_seen_on": began, "observed_until": seen, **stayed, **left}


def lived(call: Call, seed: int) -> None:
    """Customers come, are scored, change, leave, return and go, through the repositories and routes that do so."""
    order = random.Random(seed)
    features = some_features(80, seed)
    names = [f"c{number:03d}" for number in range(80)]
    customers: Iterator[Any] = (
        {
            "customer_id": name,
            "group": given["plan"],
            "features": given,
            "source": "import",
            "life": life_of(order),
        }
        for name, given in zip(names, features, strict=True)
    )
    Customers().put_many(customers)
    for _ in range(2):
        stored: dict[str, Any] = dict(Customers().get_many(names))
        store_predictions(
            [
                prediction(name, order.randint(0, 1_000_000) / 1_000_000, **stored[name]["features"])
                | {"contributions": {column: round(order.uniform(-2, 2), 6) for column in ("plan", "watch_time_hours", "payment_failures")}}
                for name in names
                if name in stored and "left_on" not in stored[name]["life"] and order.random() < 0.9
            ]
        )
        for name in order.sample(names, 15):
            body = {"churned": order.random() < 0.6}
            call("customers", "POST", f"/api/customers/{name}/outcome", body)
        for name in order.sample(names, 5):
            call("customers", "DELETE", f"/api/customers/{name}")
        for name in order.sample(names, 5):
            call("customers", "PUT", f"/api/customers/{name}", {"features": order.choice(features)})


def rows() -> tuple[list[Row], list[Row]]:
    """All customers, and the predictions of those who have not left."""
    customers: list[Row] = [customer for page in Customers().segment_pages() for customer in page]
    return customers, [row for page in Predictions().segment_pages() for row in page if not row["churned"]]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_is_that_of_the_customers_behind_it(call: Call, in_service: str, seed: int) -> None:
    watch_streams()
    lived(call, seed)
    replay_streams(random.Random(seed))
    customers, scored = rows()
    churned = [customer for customer in customers if churned_of(customer["life"]) is True]
    stayed = [customer for customer in customers if churned_of(customer["life"]) is False]
    assert len(churned) > 5
    assert len(stayed) > 5
    assert len(scored) > 40

    figures = data(call("dashboard", "GET", METRICS, role="viewer"))
    assert figures["customers"] == {
        "total": len(customers),
        "active": len(customers) - len(churned),
        "churned": len(churned),
        "scored": len(scored),
    }
    lives = [life for customer in customers if "life" in customer for life in (customer["life"], *customer.get("earlier_lives", ()))]
    left, active, unknown = count_of_lives(lives, 2026, 10)
    assert left > 5
    rate = {"rate": round(left / active, 6), "left": left, "active_at_start": active, "unknown": unknown}
    assert figures["churn_rate"] == {**rate, "period": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"}
    assert figures["churn_by_month"][-1 if figures["churn_by_month"][-1]["month"] == "2026-10" else -2] == {**rate, "month": "2026-10"}
    assert figures["known_outcomes"] == len(churned) + len(stayed)
    called = [row for row in scored if row["probability"] >= THRESHOLD]
    assert figures["predicted_churners"] == {
        "count": len(called),
        "expected": sum(round(row["probability"] * 1_000_000) for row in scored) / 1_000_000,
        "expected_interval": None,  # no run has scored all customers
        "horizon_days": 30,
        "threshold": THRESHOLD,
        "level_meanings": meanings(bounds_of_threshold(THRESHOLD), None),
    }
    cents = sum(round(row["value_at_risk"] * 100) for row in scored)
    assert figures["revenue_at_risk"] == {
        "currency": "USD",
        "months": 12,
        "total": cents / 100,
        "per_month": round(cents / 1200, 2),
        "of_predicted_churners": sum(round(row["value_at_risk"] * 100) for row in called) / 100,
    }
    for shown in figures["levels"]:
        at_level = [row for row in scored if row["level"] == shown["level"]]
        assert shown["customers"] == len(at_level)
        assert shown["value_at_risk"] == sum(round(row["value_at_risk"] * 100) for row in at_level) / 100
    assert [shown["level"] for shown in figures["levels"]] == list(RISK_LEVELS)

    spread = data(call("dashboard", "GET", DISTRIBUTION, role="viewer"))
    assert [histogram["group"] for histogram in spread["groups"]] == ["basic", "standard", "premium"]
    edges = spread["edges"]
    for histogram in spread["groups"]:
        mine = [row["probability"] for row in scored if row["group"] == histogram["group"]]
        assert histogram["customers"] == len(mine)
        assert histogram["counts"] == [
            sum(edges[place] <= chance < edges[place + 1] or (place == 19 and chance == 1) for chance in mine) for place in range(20)
        ]
        alone = data(call("dashboard", "GET", DISTRIBUTION, query=f"plan={histogram['group']}"))
        assert alone["groups"] == [histogram]
        assert alone["counts"] == histogram["counts"]
    assert sum(spread["counts"]) == spread["customers"] == len(scored)

    factors = data(call("dashboard", "GET", FEATURES, role="viewer"))
    for factor in factors:
        amounts = [row["contributions"][factor["feature"]] for row in scored if factor["feature"] in row["contributions"]]
        assert factor["mean_abs_contribution"] == round(sum(round(abs(amount) * 10**6) for amount in amounts) / 10**6 / len(scored), 6)
    strengths = [factor["mean_abs_contribution"] for factor in factors]
    assert strengths == sorted(strengths, reverse=True)
    assert sum(factor["share"] for factor in factors) == pytest.approx(1, abs=1e-5)

    total = call("customers", "GET", "/api/customers/high-risk").body["page"]["total"]
    assert total == sum(row["level"] != "low" for row in scored)
    whole = data(call("customers", "POST", "/api/customers/segment", {}))
    assert (whole["count"], whole["value_at_risk"]) == (len(scored), cents / 100)


def test_the_model_in_service_is_shown_with_its_ceiling(call: Call, in_service: str) -> None:
    assert data(call("dashboard", "GET", METRICS))["model"] == {
        "version": "m1",
        "created_at": "2026-11-01T04:00:00.000+00:00",
        "roc_auc": 0.84,
        "roc_auc_interval": {"low": 0.82, "high": 0.86},
        "synthetic": True,
        "ceiling_roc_auc": 0.86,
    }
    register(Models(), RECORD | {"version": "m2", "synthetic": False, "ceiling": None, "money": None})
    promote(Models(), "m2", "test")
    figures = data(call("dashboard", "GET", METRICS))
    assert (figures["model"]["version"], figures["model"]["synthetic"], figures["model"]["ceiling_roc_auc"]) == ("m2", False, None)
    assert figures["revenue_at_risk"] is None
    rollback(Models(), "test")
    assert data(call("dashboard", "GET", METRICS))["model"]["version"] == "m1"


def test_an_empty_stack_has_a_dashboard(call: Call) -> None:
    figures = data(call("dashboard", "GET", METRICS))
    assert figures["customers"] == {"total": 0, "active": 0, "churned": 0, "scored": 0}
    assert (figures["churn_rate"], figures["model"], figures["revenue_at_risk"], figures["trend"]) == (None, None, None, [])
    assert figures["churn_by_month"] == []
    assert (figures["days"], figures["changes"]) == ([], {"since_last_run": None, "in_last_run": None})
    assert figures["freshness"] == {"model_version": None, "scored_at": None}
    assert data(call("dashboard", "GET", DISTRIBUTION))["customers"] == 0
    assert data(call("dashboard", "GET", FEATURES)) == []


def test_the_trend_and_the_freshness_are_those_of_the_scoring_runs(call: Call, in_service: str) -> None:
    before: Any = {"run_id": "r1", "at": "2026-11-01T00:00:00.000+00:00", "model_version": "m1", "scored": 100, "high_risk": 25}
    before |= {"predicted_churners": 17.5, "value_at_risk": 1000.0, "value_at_risk_of_all": 1500.0}
    before |= {"churned": 30, "stayed": 90}  # of a version whose rate was a share of all outcomes
    last: Any = {"run_id": "r2", "at": "2026-11-02T00:00:00.000+00:00", "model_version": "m2", "scored": 101, "high_risk": 20}
    last |= {"predicted_churners": 17.25, "value_at_risk": 1234.5, "value_at_risk_of_all": 2000.25}
    Rollups().add_trend(before)
    figures = data(call("dashboard", "GET", METRICS))
    assert figures["changes"]["in_last_run"] is None
    Rollups().add_trend(
        last | {"churn_rate": 0.25, "churn_period": "2026-10", "roc_auc": 0.8, "features_on": "2026-10-31", "expected_ends": [11.5, 24]}
    )
    figures = data(call("dashboard", "GET", METRICS))
    assert [(point["scored"], point["churn_rate"]) for point in figures["trend"]] == [(100, None), (101, 0.25)]
    assert (figures["trend"][0]["features_on"], figures["trend"][0]["expected_interval"]) == (None, None)
    assert figures["trend"][1] == {
        "run_id": "r2",
        "expected_interval": {"low": 11.5, "high": 24.0},
        "features_on": "2026-10-31",
        "at": "2026-11-02T00:00:00.000+00:00",
        "model_version": "m2",
        "roc_auc": 0.8,
        "scored": 101,
        "churn_rate": 0.25,
        "churn_period": "2026-10",
        "predicted_churners": 20,
        "expected_churners": 17.25,
        "revenue_at_risk": 2000.25,
        "revenue_of_predicted_churners": 1234.5,
    }
    assert figures["changes"] == {
        "since_last_run": {
            "churn_rate": None,  # no life is known now
            "predicted_churners": -20,
            "expected_churners": -17.25,
            "revenue_at_risk": -2000.25,
            "revenue_of_predicted_churners": -1234.5,
            "roc_auc": 0.04,
        },
        "in_last_run": {
            "churn_rate": None,
            "predicted_churners": -5,
            "expected_churners": -0.25,
            "revenue_at_risk": 500.25,
            "revenue_of_predicted_churners": 234.5,
            "roc_auc": None,
        },
    }
    assert figures["freshness"] == {"model_version": "m2", "scored_at": "2026-11-02T00:00:00.000+00:00"}


def test_factors_are_told_in_plain_words(call: Call, in_service: str) -> None:
    watch_streams()
    store_predictions([prediction("c1", 0.7), prediction("c2", 0.9)])
    replay_streams(random.Random(0))
    first, second = data(call("dashboard", "GET", FEATURES))
    assert first == {
        "feature": "payment_failures",
        "label": "Failed payments",
        "mean_abs_contribution": 0.75,
        "share": 0.75,
        "points": 45.0,
        "mean_contribution": 0.75,
        "direction": "increasing",
        "meaning": "larger values raise the risk",
    }
    assert (second["label"], second["points"], second["meaning"]) == ("Watch time", 15.0, "larger values lower the risk")


@pytest.mark.parametrize("path", [METRICS, DISTRIBUTION, FEATURES])
@pytest.mark.parametrize("customers", [3, 300])
def test_a_read_costs_at_most_two_requests_to_storage(call: Call, in_service: str, path: str, customers: int) -> None:
    watch_streams()
    store_predictions([prediction(f"c{number}", number / 300) for number in range(customers)])
    replay_streams(random.Random(0))
    with storage_requests() as requests:
        data(call("dashboard", "GET", path))
    assert len(requests) <= 2, requests


@pytest.mark.parametrize("query", ["plan=gold", "plan=", f"plan={'x' * 1000}", "plan=BASIC"])
def test_plans_that_there_are_not(call: Call, query: str) -> None:
    answer = call("dashboard", "GET", DISTRIBUTION, query=query)
    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "query.plan"


def test_a_sample_is_scored_and_stored(call: Call) -> None:
    version = put_in_service()
    names = add_customers(30, churned=5)
    found = data(call("dashboard", "POST", PREDICT, {"sample_size": 10}, role="analyst"))
    assert (found["scored"], found["model_version"]) == (10, version)
    assert sum(found["by_level"].values()) == 10
    stored = Predictions().get_many(names)
    assert len(stored) == 10
    assert not set(stored) & set(names[:5])
    assert {row["customer_id"]: row["probability"] for row in found["top"]} == {name: row["probability"] for name, row in stored.items()}
    assert data(call("dashboard", "POST", PREDICT, {"sample_size": 1000}))["scored"] == 25
    assert data(call("dashboard", "POST", PREDICT, {}))["scored"] == 25


def test_a_sample_of_nobody(call: Call) -> None:
    put_in_service()
    found = data(call("dashboard", "POST", PREDICT, {"sample_size": 10}))
    assert (found["scored"], found["mean_probability"], found["top"]) == (0, None, [])


def test_a_sample_without_a_model(call: Call) -> None:
    add_customers(3)
    answer = call("dashboard", "POST", PREDICT, {"sample_size": 10})
    assert (answer.status, answer.body["type"]) == (503, "urn:retainstream:problem:no-model")
    assert answer.headers["Retry-After"]
    assert list(Predictions().segment_pages()) == [[]]


@pytest.mark.parametrize("size", [0, -1, 10**9, "10", 1.5, True, None, [1]])
def test_sizes_that_make_no_sense(call: Call, size: Any) -> None:
    answer = call("dashboard", "POST", PREDICT, {"sample_size": size})
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == ["body.sample_size"]


@pytest.mark.parametrize("raw", ["", "[]", "3", '"x"', '{"sample_size": 3, "x": 1}', "{", '{"sample_size": NaN}', '{"sample_size": 1e999}'])
def test_bodies_that_make_no_sense(call: Call, raw: str) -> None:
    assert call("dashboard", "POST", PREDICT, raw=raw).status in (400, 422)


ROUTES: list[tuple[str, str, Any]] = [("GET", METRICS, None), ("GET", DISTRIBUTION, None), ("GET", FEATURES, None), ("POST", PREDICT, {})]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_each_route_asks_for_its_role(call: Call, method: str, path: str, body: Any) -> None:
    put_in_service()
    assert call("dashboard", method, path, body, role=None).status == 401
    assert call("dashboard", method, path, body, role="viewer").status == (200 if method == "GET" else 403)
    assert call("dashboard", method, path, body, role="analyst").status == 200


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_when_storage_is_down_every_route_says_when_to_come_back(call: Call, method: str, path: str, body: Any) -> None:
    with storage_down():
        answer = call("dashboard", method, path, body)
    assert (answer.status, answer.body["type"]) == (503, "urn:retainstream:problem:unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("function", ["customers", "dashboard", "rollups", "recount"])
def test_a_function_starts_without_numpy(function: str) -> None:
    settings()  # the environment the new process inherits
    load = (
        "import importlib.util, sys; "
        f"spec = importlib.util.spec_from_file_location('app', {str(FUNCTIONS / function / 'app.py')!r}); "
        "module = sys.modules['app'] = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "print(sorted({'numpy', 'scipy', 'xgboost', 'pandas', 'sklearn', 'shap'} & set(sys.modules)))"
    )
    core = str(Path(__file__).parents[2] / "layers/core")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {core!r}); {load}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
