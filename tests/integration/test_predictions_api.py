"""The predictions module over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from retainstream.customers import records
from retainstream.engine.schema import default_schema
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from tests.small_models import AVERAGE, add_customers, put_in_service, some_features

type Call = Callable[..., Any]

GENERATE = "/api/predictions/generate"
RESULTS = "/api/predictions/results"
WHAT_IF = "/api/predictions/what-if"


@pytest.fixture
def in_service(aws: None) -> str:
    return put_in_service()


def fields(answer: Any) -> list[str]:
    return [error["field"] for error in answer.body["errors"]]


def test_customers_are_scored_and_their_predictions_stored(call: Call, in_service: str) -> None:
    ids = add_customers(5)
    answer = call("predictions", "POST", GENERATE, {"customer_ids": [ids[3], ids[1], ids[3]]}, role="analyst")
    assert answer.status == 200
    shown = answer.body["data"]["predictions"]
    assert [prediction["customer_id"] for prediction in shown] == [ids[3], ids[1]]
    assert {prediction["model_version"] for prediction in shown} == {in_service}
    stored = Predictions().get_many(ids)
    assert set(stored) == {ids[1], ids[3]}
    assert stored[ids[3]]["probability"] == shown[0]["probability"]
    assert stored[ids[3]]["reasons"] == shown[0]["reasons"]


def test_scoring_again_keeps_the_past(call: Call, in_service: str) -> None:
    [customer_id] = add_customers(1)
    first = call("predictions", "POST", GENERATE, {"customer_ids": [customer_id]}).body["data"]["predictions"][0]
    assert first["history"] == []
    assert first["change"] is None
    changed = {**some_features(1)[0], "payment_failures": 9, "last_login_days": 300}
    records.put(customer_id, changed, default_schema(), Customers(), Predictions())
    second = call("predictions", "POST", GENERATE, {"customer_ids": [customer_id]}).body["data"]["predictions"][0]
    assert [past["probability"] for past in second["history"]] == [first["probability"]]
    assert second["change"] == pytest.approx(second["probability"] - first["probability"], abs=1e-6)


def test_a_customer_who_left_is_scored_and_stays_out_of_the_lists(call: Call, in_service: str) -> None:
    [customer_id] = add_customers(1, churned=1)
    answer = call("predictions", "POST", GENERATE, {"customer_ids": [customer_id]})
    assert answer.body["data"]["predictions"][0]["churned"] is True
    assert "risk_shard" not in (Predictions().get(customer_id) or {})
    assert call("predictions", "GET", RESULTS).body["data"] == []


def test_unknown_customers_are_named_and_nothing_is_stored(call: Call, in_service: str) -> None:
    ids = add_customers(2)
    answer = call("predictions", "POST", GENERATE, {"customer_ids": [ids[0], "nobody", ids[1], "no-one"]})
    assert answer.status == 404
    assert fields(answer) == ["body.customer_ids.1", "body.customer_ids.3"]
    assert Predictions().get_many(ids) == {}


@pytest.mark.parametrize("customer_id", ["no\x07one", "..", "segment", "a" * 129, " "])
def test_an_id_that_no_customer_can_have_is_refused_as_it_is_elsewhere(call: Call, in_service: str, customer_id: str) -> None:
    generated = call("predictions", "POST", GENERATE, {"customer_ids": ["a" * 128, customer_id]})
    assert generated.status == 422
    assert {name.split(".")[1] for name in fields(generated)} == {"customer_ids"}
    asked = call("predictions", "POST", WHAT_IF, {"customer_id": customer_id, "changes": {"plan": "basic"}})
    assert asked.status == 422
    assert {name.split(".")[1] for name in fields(asked)} == {"customer_id"}


def test_rows_are_scored_and_not_stored(call: Call, in_service: str) -> None:
    rows = some_features(100, seed=4)
    answer = call("predictions", "POST", GENERATE, {"rows": rows}, role="analyst")
    assert answer.status == 200
    scores = answer.body["data"]["scores"]
    assert [score["features"] for score in scores] == rows
    for score in scores:
        assert score["average_probability"] == AVERAGE
        assert sum(score["contributions"].values()) == pytest.approx(score["margin"] - score["base_margin"], abs=1e-5)
    assert Predictions().page(10).items == []


ROW = some_features(1)[0] | {"watch_time_hours": 3.5, "device_count": 1}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"plan": "gold"}, "plan"),
        ({"payment_failures": -1}, "payment_failures"),
        ({"payment_failures": 1.5}, "payment_failures"),
        ({"payment_failures": "2"}, "payment_failures"),
        ({"payment_failures": True}, "payment_failures"),
        ({"payment_failures": None}, "payment_failures"),
        ({"payment_failures": [1]}, "payment_failures"),
        ({"payment_failures": 10**400}, "payment_failures"),
        ({"plan": 3}, "plan"),
        ({"shoe_size": 44}, "shoe_size"),
        ({"churned": True}, "churned"),
    ],
)
def test_rows_that_the_schema_refuses_are_named(call: Call, in_service: str, change: dict[str, Any], field: str) -> None:
    answer = call("predictions", "POST", GENERATE, {"rows": [ROW, {**ROW, **change}]})
    assert answer.status == 422
    assert fields(answer) == [f"body.rows.1.{field}"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_malformed(call: Call, in_service: str, number: str) -> None:
    answer = call("predictions", "POST", GENERATE, raw=f'{{"rows": [{{"watch_time_hours": {number}}}]}}')
    assert answer.status == 400


def test_a_number_beyond_every_float_is_not_finite(call: Call, in_service: str) -> None:
    answer = call("predictions", "POST", GENERATE, raw='{"rows": [{"watch_time_hours": 1e999}]}')
    assert answer.status == 422
    assert "body.rows.0.watch_time_hours" in fields(answer)


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        [],
        "all",
        {"customer_ids": []},
        {"rows": []},
        {"rows": [{}] * 101},
        {"rows": {}},
        {"rows": ["a"]},
        {"customer_ids": ["x"] * 101},
        {"customer_ids": [""]},
        {"customer_ids": ["x" * 10_000]},
        {"customer_ids": [7]},
        {"customer_ids": "x"},
        {"all": False},
        {"all": "true"},
        {"all": 1},
        {"all": True, "customer_ids": ["x"]},
        {"rows": [ROW], "customer_ids": ["x"]},
        {"everybody": True},
    ],
)
def test_requests_of_the_wrong_shape_are_refused(call: Call, in_service: str, body: Any) -> None:
    answer = call("predictions", "POST", GENERATE, body)
    assert answer.status == 422
    assert answer.body["type"] == "urn:retainstream:problem:invalid-request"


def test_a_lone_surrogate_is_refused(call: Call, in_service: str) -> None:
    for body in (r'{"customer_ids": ["\ud800"]}', r'{"rows": [{"\ud800": 1}]}', r'{"rows": [{"plan": "\ud800"}]}'):
        assert call("predictions", "POST", GENERATE, raw=body).status == 400


def test_without_a_model_there_is_a_problem_that_says_so(call: Call) -> None:
    [customer_id] = add_customers(1)
    for method, path, body in (
        ("POST", GENERATE, {"customer_ids": [customer_id]}),
        ("POST", GENERATE, {"rows": [ROW]}),
        ("POST", GENERATE, {"all": True}),
        ("POST", WHAT_IF, {"customer_id": customer_id, "changes": {"payment_failures": 0}}),
        ("GET", "/api/predictions/performance", None),
    ):
        answer = call("predictions", method, path, body)
        assert answer.status == 503
        assert answer.body["type"] == "urn:retainstream:problem:no-model"
    assert call("predictions", "GET", RESULTS).body["data"] == []


def test_roles(call: Call, in_service: str) -> None:
    assert call("predictions", "POST", GENERATE, {"rows": [ROW]}, role="viewer").status == 403
    assert call("predictions", "POST", GENERATE, {"rows": [ROW]}, role="analyst").status == 200
    for path, viewer in ((RESULTS, 403), ("/api/predictions/performance", 200)):
        assert call("predictions", "GET", path, role="viewer").status == viewer
        assert call("predictions", "GET", path, role="analyst").status == 200
        assert call("predictions", "GET", path, role=None).status == 401


def test_what_if_on_a_stored_customer(call: Call, in_service: str) -> None:
    [customer_id] = add_customers(1)
    call("predictions", "POST", GENERATE, {"customer_ids": [customer_id]})
    before = Predictions().get(customer_id)
    assert before
    answer = call(
        "predictions",
        "POST",
        WHAT_IF,
        {"customer_id": customer_id, "changes": {"payment_failures": 12, "device_count": None}},
        role="viewer",
    )
    assert answer.status == 200
    data = answer.body["data"]
    assert data["before"]["probability"] == before["probability"]
    assert data["before"]["reasons"] == before["reasons"]
    assert data["after"]["features"]["payment_failures"] == 12
    assert "device_count" not in data["after"]["features"]
    assert data["changed"] == [
        name for name in ("device_count", "payment_failures") if before["features"].get(name) != data["after"]["features"].get(name)
    ]
    assert data["change"] == pytest.approx(data["after"]["probability"] - data["before"]["probability"], abs=1e-6)
    assert data["after"]["probability"] > data["before"]["probability"]
    assert Predictions().get(customer_id) == before


def test_what_if_on_features(call: Call, in_service: str) -> None:
    answer = call("predictions", "POST", WHAT_IF, {"features": ROW, "changes": {"plan": "premium"}})
    assert answer.status == 200
    assert answer.body["data"]["after"]["features"]["plan"] == "premium"


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"customer_id": "nobody", "changes": {"plan": "basic"}}, 404, ["body.customer_id"]),
        ({"features": ROW, "changes": {"plan": "gold"}}, 422, ["body.changes.plan"]),
        ({"features": ROW, "changes": {"shoe_size": 1}}, 422, ["body.changes.shoe_size"]),
        ({"features": {**ROW, "plan": "gold"}, "changes": {"payment_failures": 1}}, 422, ["body.features.plan"]),
        ({"features": ROW, "changes": {"last_login_days": None}}, 422, ["body.changes.last_login_days"]),
        ({"features": ROW, "changes": {}}, 422, None),
        ({"features": ROW}, 422, None),
        ({"features": ROW, "customer_id": "C-000000", "changes": {"plan": "basic"}}, 422, None),
        ({"changes": {"plan": "basic"}}, 422, None),
    ],
)
def test_what_if_with_bad_input(call: Call, in_service: str, body: dict[str, Any], status: int, named: list[str] | None) -> None:
    answer = call("predictions", "POST", WHAT_IF, body)
    assert answer.status == status
    if named:
        assert fields(answer) == named


def test_held_out_figures_are_marked_synthetic_beside_their_ceiling(call: Call, in_service: str) -> None:
    data = call("predictions", "GET", "/api/predictions/performance").body["data"]
    assert data["held_out"] == {
        "basis": data["held_out"]["basis"],
        "customers": 2000,
        "model_version": in_service,
        "synthetic": True,
        "metrics": {"roc_auc": 0.8, "rows": 2000},
        "baseline": {"roc_auc": 0.78},
        "ceiling": {"roc_auc": 0.82},
    }
    assert data["realised"] is None
    assert data["estimate"] is None


def test_runs_that_are_not_there(call: Call) -> None:
    assert call("predictions", "GET", "/api/predictions/runs/nothing").status == 404
