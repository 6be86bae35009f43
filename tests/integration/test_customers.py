"""One customer over HTTP: made, changed, taken away."""

from collections.abc import Callable
from typing import Any

import pytest

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import recount
from retainstream.engine.schema.customer_id import address_of
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from tests.integration.base_of_customers import (
    FEATURES,
    customer_ids,
    fields_at_fault,
    prediction,
    problem_kind,
    storage_down,
    store_predictions,
    without_interval,
)
from tests.small_models import add_customers

type Call = Callable[..., Any]

HIGH_RISK = "/api/customers/high-risk"
SEGMENT = "/api/customers/segment"


def test_a_customer_is_made_changed_and_read(call: Call) -> None:
    made = call("customers", "PUT", "/api/customers/cust-1", {"features": FEATURES}, role="analyst")
    assert made.status == 200
    assert made.body["data"]["features"] == FEATURES
    assert made.body["data"]["group"] == "standard"
    assert made.body["data"]["churned"] is None
    assert made.body["data"]["prediction"] is None
    changed = call("customers", "PUT", "/api/customers/cust-1", {"features": {**FEATURES, "plan": "basic", "watch_time_hours": None}})
    assert changed.status == 200
    read = call("customers", "GET", "/api/customers/cust-1", role="viewer")
    assert read.body == changed.body
    assert read.body["data"]["group"] == "basic"
    assert "watch_time_hours" not in read.body["data"]["features"]


def test_a_customer_is_shown_with_its_prediction(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    shown = call("customers", "GET", "/api/customers/c1").body["data"]
    assert shown["prediction"]["probability"] == 0.9
    assert shown["prediction"]["reasons"][0]["label"] == "Failed payments"
    assert shown["prediction"]["interval"] == {"low": 0.87, "high": 0.93}
    assert (shown["prediction"]["confidence"], shown["prediction"]["confident"]) == (0.94, True)
    assert shown["features_changed"] is False
    call("customers", "PUT", "/api/customers/c1", {"features": {**FEATURES, "device_count": 9}})
    assert call("customers", "GET", "/api/customers/c1").body["data"]["features_changed"] is True


def test_a_prediction_of_an_earlier_release_has_no_interval_and_is_not_confident(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([without_interval(prediction("c1", 0.97))])
    shown = call("customers", "GET", "/api/customers/c1").body["data"]["prediction"]
    assert (shown["interval"], shown["confidence"], shown["confident"]) == (None, 0, False)
    Rollups().put_if_version("predictions", 0, recount(COUNT["predictions"], [without_interval(prediction("c1", 0.97))]))
    [at_risk] = call("customers", "GET", "/api/customers/high-risk", role="analyst").body["data"]
    assert (at_risk["interval"], at_risk["confidence"]) == (None, 0)


def test_deleting_removes_the_prediction_too_and_may_be_repeated(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    for _ in range(2):
        answer = call("customers", "DELETE", "/api/customers/c1", role="analyst")
        assert answer.status == 200
    assert Predictions().get("c1") is None
    assert call("customers", "GET", "/api/customers/c1").status == 404


FINE_IDS = [
    "a",
    "7",
    "Ab.c_d:e@f-9",
    "x" * 128,
    "-a",
    "KD/1",
    "KD 1",
    "a+1@x",
    "{4}",
    "#5",
    "50%",
    "a?b",
    "~2f",
    "ä~",
    "客户",
    "a\\b",
    '"q"',
]


@pytest.mark.parametrize("customer_id", FINE_IDS)
def test_ids_that_are_fine(call: Call, customer_id: str) -> None:
    path = f"/api/customers/{address_of(customer_id)}"
    assert call("customers", "PUT", path, {"features": FEATURES}).status == 200
    assert call("customers", "GET", path).body["data"]["customer_id"] == customer_id
    answer = call("customers", "POST", f"{path}/outcome", {"churned": True})
    assert (answer.status, answer.body["data"]["churned"]) == (200, True)


@pytest.mark.parametrize("decoded", [customer_id for customer_id in FINE_IDS if "~" not in customer_id])
def test_an_id_in_percent_codes_which_the_gateway_decodes_is_read_as_well(call: Call, decoded: str) -> None:
    assert call("customers", "PUT", f"/api/customers/{decoded}", {"features": FEATURES}).status == 200
    assert call("customers", "GET", f"/api/customers/{address_of(decoded)}").body["data"]["customer_id"] == decoded
    assert call("customers", "POST", f"/api/customers/{decoded}/outcome", {"churned": False}).status == 200


BAD_IDS = [
    "..",
    ".",
    "a~00",
    "~00",
    "a\x00b",
    "a~0a",
    "~20",
    "~c2~a0",
    "\ufffd",
    "a\ufffdb",
    "x" * 129,
    "x" * 10_000,
    "segment",
    "~73egment",
]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_ids_that_are_not(call: Call, subtests: pytest.Subtests, method: str) -> None:
    body = {"PUT": {"features": FEATURES}, "POST": {"churned": True}}.get(method)
    for customer_id in [*BAD_IDS, *(["high-risk"] if method != "GET" else [])]:
        with subtests.test(customer_id[:20]):
            answer = call("customers", method, f"/api/customers/{customer_id}" + ("/outcome" if method == "POST" else ""), body)
            assert answer.status in (404, 405, 422), answer.body
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(Customers().segment_pages()) == [[]]


@pytest.mark.parametrize(
    ("features", "named"),
    [
        ({**FEATURES, "plan": "gold"}, ["body.features.plan"]),
        ({**FEATURES, "payment_failures": -1}, ["body.features.payment_failures"]),
        ({**FEATURES, "device_count": 1.5}, ["body.features.device_count"]),
        ({**FEATURES, "watch_time_hours": "12"}, ["body.features.watch_time_hours"]),
        ({**FEATURES, "watch_time_hours": True}, ["body.features.watch_time_hours"]),
        ({**FEATURES, "watch_time_hours": 10**400}, ["body.features.watch_time_hours"]),
        ({**FEATURES, "watch_time_hours": [1]}, ["body.features.watch_time_hours"]),
        ({**FEATURES, "shoe_size": 42}, ["body.features.shoe_size"]),
        ({name: value for name, value in FEATURES.items() if name != "monthly_price"}, ["body.features.monthly_price"]),
        ({**FEATURES, "plan": None, "last_login_days": -1}, ["body.features.plan", "body.features.last_login_days"]),
    ],
)
def test_features_that_the_schema_refuses_are_named_and_not_written(call: Call, features: dict[str, Any], named: list[str]) -> None:
    answer = call("customers", "PUT", "/api/customers/c1", {"features": features})
    assert answer.status == 422
    assert fields_at_fault(answer) == named
    assert Customers().get("c1") is None


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"features": []}, {"features": None}, {"features": FEATURES, "churned": True}])
def test_bodies_of_the_wrong_shape(call: Call, body: Any) -> None:
    raw = "" if body is None else None
    answer = call("customers", "PUT", "/api/customers/c1", body, raw=raw)
    assert answer.status == 422
    assert Customers().get("c1") is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have(call: Call, number: str) -> None:
    answer = call("customers", "PUT", "/api/customers/c1", raw=f'{{"features": {{"watch_time_hours": {number}}}}}')
    assert (answer.status, problem_kind(answer)) == (400, "malformed-request")


@pytest.mark.parametrize("number", ["1e400", "1e-200", "5e-324", "-0.0", "0.1000000000000000055511151231257827021181583404541015625"])
def test_no_number_breaks_the_storage(call: Call, number: str) -> None:
    features = {name: value for name, value in FEATURES.items() if name != "watch_time_hours"}
    raw = f'{{"features": {{"watch_time_hours": {number}, {str(features)[1:-1].replace(chr(39), chr(34))}}}}}'
    answer = call("customers", "PUT", "/api/customers/c1", raw=raw)
    assert answer.status in (200, 422), answer.body
    assert call("customers", "GET", "/api/customers/c1").status == (200 if answer.status == 200 else 404)


def test_the_list_of_all_customers_tells_each_once(call: Call) -> None:
    stored = add_customers(23)
    found: list[str] = []
    cursor = ""
    while True:
        answer = call("customers", "GET", "/api/customers", role="analyst", query="&".join(part for part in ("limit=5", cursor) if part))
        found += customer_ids(answer)
        if not answer.body["page"]["next"]:
            break
        cursor = f"cursor={answer.body['page']['next']}"
    assert sorted(found) == stored


ROUTES: list[tuple[str, str, Any, str]] = [
    ("GET", HIGH_RISK, None, "viewer"),
    ("POST", SEGMENT, {}, "viewer"),
    ("GET", "/api/customers/c1", None, "viewer"),
    ("GET", "/api/customers", None, "analyst"),
    ("PUT", "/api/customers/c1", {"features": FEATURES}, "analyst"),
    ("POST", "/api/customers/c1/outcome", {"churned": True}, "analyst"),
    ("DELETE", "/api/customers/c1", None, "analyst"),
]


@pytest.mark.parametrize(("method", "path", "body", "least"), ROUTES)
def test_each_route_asks_for_its_role(call: Call, method: str, path: str, body: Any, least: str) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    assert call("customers", method, path, body, role=None).status == 401
    below = {"analyst": "viewer"}.get(least)
    if below:
        assert call("customers", method, path, body, role=below).status == 403
    assert call("customers", method, path, body, role=least).status < 300


@pytest.mark.parametrize(("method", "path", "body", "least"), ROUTES)
def test_when_storage_is_down_every_route_says_when_to_come_back(call: Call, method: str, path: str, body: Any, least: str) -> None:
    with storage_down():
        answer = call("customers", method, path, body)
    assert (answer.status, problem_kind(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_methods_that_a_path_does_not_take(call: Call) -> None:
    answer = call("customers", "PATCH", "/api/customers/c1", {})
    assert (answer.status, problem_kind(answer)) == (405, "method-not-allowed")
    assert call("customers", "GET", "/api/customers/c1/outcome").status == 405
    assert call("customers", "GET", "/api/customers/c1/x").status == 404
