"""The customers module over HTTP."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from retainstream.rollups.consume import COUNT
from retainstream.rollups.fold import recount
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from tests.integration.base_of_customers import FEATURES, prediction, storage_down, store_predictions
from tests.small_models import add_customers, put_in_service

type Call = Callable[..., Any]

HIGH_RISK = "/api/customers/high-risk"
SEGMENT = "/api/customers/segment"


def fields(answer: Any) -> list[str]:
    return [error["field"] for error in answer.body["errors"]]


def kind(answer: Any) -> str:
    return str(answer.body["type"]).rsplit(":", 1)[1]


def ids(answer: Any) -> list[str]:
    return [row["customer_id"] for row in answer.body["data"]]


def base(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Predictions of many customers, few probabilities among them, stored and counted."""
    order = random.Random(seed)
    rows = [
        prediction(
            f"c{number:04d}",
            order.choice([0.05, 0.2, 0.25, 0.45, 0.45, 0.71, 0.9, 1.0]),
            churned=order.random() < 0.1,
            plan=order.choice(["basic", "standard", "premium"]),
            monthly_price=order.choice([7.99, 12.99]),
            payment_failures=order.randint(0, 4),
        )
        for number in range(count)
    ]
    store_predictions(rows)
    Rollups().put_if_version("predictions", 0, recount(COUNT["predictions"], rows))
    return rows


def at_risk(rows: list[dict[str, Any]], rank: str = "probability_rank") -> list[str]:
    return [row["customer_id"] for row in sorted((row for row in rows if rank in row), key=lambda row: row[rank], reverse=True)]


def walk(call: Call, query: str, limit: int) -> list[str]:
    """All pages of the high-risk list by cursor."""
    found: list[str] = []
    cursor = ""
    for _ in range(200):
        answer = call("customers", "GET", HIGH_RISK, query="&".join(part for part in (query, f"limit={limit}", cursor) if part))
        assert answer.status == 200, answer.body
        found += ids(answer)
        if not answer.body["page"]["next"]:
            return found
        cursor = f"cursor={answer.body['page']['next']}"
    raise AssertionError("the list does not end")


# One customer


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
    assert shown["prediction"]["confident"] is True
    assert shown["features_changed"] is False
    call("customers", "PUT", "/api/customers/c1", {"features": {**FEATURES, "device_count": 9}})
    assert call("customers", "GET", "/api/customers/c1").body["data"]["features_changed"] is True


def test_deleting_removes_the_prediction_too_and_may_be_repeated(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    for _ in range(2):
        answer = call("customers", "DELETE", "/api/customers/c1", role="analyst")
        assert (answer.status, answer.body) == (204, "")
    assert Predictions().get("c1") is None
    assert call("customers", "GET", "/api/customers/c1").status == 404


@pytest.mark.parametrize("customer_id", ["a", "7", "Ab.c_d:e@f-9", "x" * 128])
def test_ids_that_are_fine(call: Call, customer_id: str) -> None:
    assert call("customers", "PUT", f"/api/customers/{customer_id}", {"features": FEATURES}).status == 200
    assert call("customers", "GET", f"/api/customers/{quote(customer_id, safe='')}").body["data"]["customer_id"] == customer_id


BAD_IDS = [
    "..",
    ".",
    "-a",
    "_a",
    "a b",
    "a/b",
    "a#b",
    "a%2Fb",
    "a%00",
    "%00",
    "a\x00b",
    "ä",
    "a%0a",
    "x" * 129,
    "x" * 10_000,
    "segment",
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
    assert fields(answer) == named
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
    assert (answer.status, kind(answer)) == (400, "malformed-request")


@pytest.mark.parametrize("number", ["1e400", "1e-200", "5e-324", "-0.0", "0.1000000000000000055511151231257827021181583404541015625"])
def test_no_number_breaks_the_storage(call: Call, number: str) -> None:
    features = {name: value for name, value in FEATURES.items() if name != "watch_time_hours"}
    raw = f'{{"features": {{"watch_time_hours": {number}, {str(features)[1:-1].replace(chr(39), chr(34))}}}}}'
    answer = call("customers", "PUT", "/api/customers/c1", raw=raw)
    assert answer.status in (200, 422), answer.body
    assert call("customers", "GET", "/api/customers/c1").status == (200 if answer.status == 200 else 404)


# Outcomes


def test_an_outcome_keeps_the_prediction_there_was_and_takes_the_customer_off_the_list(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9), prediction("c2", 0.8)])
    answer = call("customers", "POST", "/api/customers/c1/outcome", {"churned": True, "date": "2026-10-01"}, role="analyst")
    assert answer.status == 200
    assert answer.body["data"]["churned"] is True
    assert answer.body["data"]["outcome_at"] == "2026-10-01"
    assert answer.body["data"]["prediction"]["churned"] is True
    stored = Customers().get("c1") or {}
    assert stored["outcome_prediction"] == {
        "probability": 0.9,
        "level": "critical",
        "model_version": "m1",
        "scored_at": "2026-11-01T00:00:00.000+00:00",
    }
    assert not {"risk_shard", "probability_rank", "value_rank"} & set(Predictions().get("c1") or {})
    assert ids(call("customers", "GET", HIGH_RISK)) == ["c2"]


@pytest.mark.parametrize("body", [{"churned": True}, {"churned": True, "date": "2026-10-01"}, {"churned": False}])
def test_the_same_outcome_again_changes_nothing(call: Call, body: dict[str, Any]) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    call("customers", "POST", "/api/customers/c1/outcome", body)
    before = Customers().get("c1"), Predictions().get("c1")
    assert call("customers", "POST", "/api/customers/c1/outcome", body).status == 200
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": body["churned"]}).status == 200
    assert (Customers().get("c1"), Predictions().get("c1")) == before


def test_a_recording_that_was_interrupted_is_finished_by_the_next(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    Customers().record_outcome("c1", churned=True, outcome_at="2026-10-01", prediction=None)
    assert ids(call("customers", "GET", HIGH_RISK)) == ["c1"]
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert ids(call("customers", "GET", HIGH_RISK)) == []


def test_a_corrected_outcome_puts_the_customer_back_on_the_list(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    before = Predictions().get("c1")
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": False}).body["data"]["churned"] is False
    assert Predictions().get("c1") == before
    assert ids(call("customers", "GET", HIGH_RISK)) == ["c1"]


def test_only_the_day_of_an_outcome_is_changed(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    store_predictions([prediction("c1", 0.1, churned=True)])
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True, "date": "2026-10-02"})
    stored = Customers().get("c1") or {}
    assert (stored["outcome_at"], stored["outcome_prediction"]["probability"]) == ("2026-10-02", 0.9)


def test_an_outcome_without_a_prediction(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    answer = call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert answer.body["data"]["outcome_at"] <= datetime.now(UTC).date().isoformat()
    assert "outcome_prediction" not in (Customers().get("c1") or {})


def test_changing_features_keeps_a_known_outcome(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert call("customers", "PUT", "/api/customers/c1", {"features": FEATURES}).body["data"]["churned"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"churned": "true"},
        {"churned": 1},
        {"churned": None},
        {"churned": True, "date": 1},
        {"churned": True, "date": "yesterday"},
        {"churned": True, "date": "2026-02-30"},
        {"churned": True, "date": "2026-1-1"},
        {"churned": True, "date": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()},
        {"churned": True, "when": "2026-01-01"},
    ],
)
def test_outcomes_that_make_no_sense(call: Call, body: dict[str, Any]) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    assert call("customers", "POST", "/api/customers/c1/outcome", body).status == 422
    assert "churned" not in (Customers().get("c1") or {})


def test_the_outcome_of_nobody(call: Call) -> None:
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": True}).status == 404
    assert Customers().get("c1") is None


# All customers


def test_the_list_of_all_customers_tells_each_once(call: Call) -> None:
    stored = add_customers(23)
    found: list[str] = []
    cursor = ""
    while True:
        answer = call("customers", "GET", "/api/customers", role="analyst", query="&".join(part for part in ("limit=5", cursor) if part))
        found += ids(answer)
        if not answer.body["page"]["next"]:
            break
        cursor = f"cursor={answer.body['page']['next']}"
    assert sorted(found) == stored


# Who is about to leave


@pytest.mark.parametrize("sort", ["probability", "value"])
@pytest.mark.parametrize("limit", [2, 9, 100])
def test_pages_and_cursors_tell_everybody_once_and_in_order(call: Call, sort: str, limit: int) -> None:
    rows = base(30)
    expected = at_risk(rows, f"{sort}_rank")
    assert walk(call, f"sort={sort}", limit) == expected
    by_number: list[str] = []
    for number in range(1, len(expected) // limit + 2):
        answer = call("customers", "GET", HIGH_RISK, query=f"page={number}&limit={limit}&sort={sort}", role="viewer")
        assert answer.body["page"]["number"] == number
        assert answer.body["page"]["total"] == len(expected)
        by_number += ids(answer)
    assert by_number == expected


def test_a_plan_has_its_own_list(call: Call) -> None:
    rows = base(40)
    for plan in ("basic", "standard", "premium"):
        mine = [row for row in rows if row["group"] == plan]
        assert walk(call, f"plan={plan}", 4) == at_risk(mine)
        answer = call("customers", "GET", HIGH_RISK, query=f"plan={plan}&limit=1")
        assert answer.body["page"]["total"] == len(at_risk(mine))


@pytest.mark.parametrize("sort", ["probability", "value"])
def test_a_least_probability_is_kept_to(call: Call, sort: str) -> None:
    rows = base(30)
    for least in (0, 0.45, 0.46, 0.9, 1):
        passing = [row for row in rows if row["probability"] >= least]
        assert walk(call, f"sort={sort}&min_probability={least}", 5) == at_risk(passing, f"{sort}_rank")


def test_the_list_does_not_scan(call: Call) -> None:
    base(60)
    seen: list[str] = []
    dynamodb().meta.events.register("before-call.dynamodb", lambda model, **_: seen.append(model.name), unique_id="see")
    try:
        call("customers", "GET", HIGH_RISK, query="page=2&limit=5")
    finally:
        dynamodb().meta.events.unregister("before-call.dynamodb", unique_id="see")
    assert "Scan" not in seen
    assert "Query" in seen


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1000000000", "limit=x", "limit=1.5", "limit=", "limit=101"),
        *("page=0", "page=-1", "page=1000000000", "page=x", "page=10000&limit=100"),
        *("plan=gold", "plan=", f"plan={'x' * 1000}"),
        *("min_probability=-0.1", "min_probability=1.1", "min_probability=nan", "min_probability=inf", "min_probability=x"),
        *("sort=name", "sort="),
    ],
)
def test_queries_that_cannot_be_answered(call: Call, query: str) -> None:
    answer = call("customers", "GET", HIGH_RISK, query=query)
    assert (answer.status, kind(answer)) == (422, "invalid-request")
    assert fields(answer)[0].startswith("query.")


@pytest.mark.parametrize("path", [HIGH_RISK, "/api/customers"])
@pytest.mark.parametrize("cursor", ["x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%00", "é"])
def test_cursors_that_were_made_up(call: Call, path: str, cursor: str) -> None:
    answer = call("customers", "GET", path, query=f"cursor={cursor}")
    assert (answer.status, kind(answer)) == (400, "bad-cursor")


def test_a_cursor_does_for_its_own_list_only(call: Call) -> None:
    base(30)
    cursor = call("customers", "GET", HIGH_RISK, query="limit=2").body["page"]["next"]
    for query in ("plan=basic", "sort=value", "min_probability=0.5"):
        assert call("customers", "GET", HIGH_RISK, query=f"{query}&cursor={cursor}").status == 400
    assert call("customers", "GET", "/api/customers", query=f"cursor={cursor}").status == 400
    assert call("customers", "POST", SEGMENT, {"cursor": cursor}).status == 400
    assert call("customers", "GET", HIGH_RISK, query=f"page=2&cursor={cursor}").status == 422
    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert call("customers", "GET", HIGH_RISK, query=f"cursor={flipped}").status == 400


# Segments


def brute(rows: list[dict[str, Any]], passes: Callable[[dict[str, Any]], bool], levels: list[str]) -> dict[str, Any]:
    inside = [row for row in rows if not row["churned"] and passes(row["features"]) and (not levels or row["level"] in levels)]
    return {
        "count": len(inside),
        "value_at_risk": pytest.approx(sum(row["value_at_risk"] for row in inside), abs=1e-6),
        "expected_churners": pytest.approx(sum(row["probability"] for row in inside), abs=1e-6),
        "customers": [row["customer_id"] for row in sorted(inside, key=lambda row: (row["probability"], row["customer_id"]), reverse=True)],
    }


def segment_pages(call: Call, body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The figures of a segment, the same on every page, and its customers from all pages."""
    figures: dict[str, Any] | None = None
    found: list[str] = []
    cursor = None
    while True:
        answer = call("customers", "POST", SEGMENT, {**body, "limit": 7, "cursor": cursor}, role="viewer")
        assert answer.status == 200, answer.body
        data = answer.body["data"]
        found += [row["customer_id"] for row in data.pop("customers")]
        assert figures in (None, data)
        figures = data
        cursor = answer.body["page"]["next"]
        if cursor is None:
            return data, found


@pytest.mark.parametrize(
    ("criteria", "passes"),
    [
        ([("payment_failures", "ge", 2)], lambda given: given["payment_failures"] >= 2),
        ([("payment_failures", "in", [0, 4])], lambda given: given["payment_failures"] in (0, 4)),
        ([("payment_failures", "ne", 0), ("plan", "eq", "basic")], lambda given: given["payment_failures"] and given["plan"] == "basic"),
        ([("monthly_price", "lt", 12.99)], lambda given: given["monthly_price"] < 12.99),
        ([("watch_time_hours", "missing", True)], lambda given: "watch_time_hours" not in given),
        ([("device_count", "missing", False), ("payment_failures", "le", 1)], lambda given: given["payment_failures"] <= 1),
        ([("payment_failures", "gt", 99)], lambda given: False),
    ],
)
@pytest.mark.parametrize("levels", [[], ["high", "critical"], ["medium"], ["low"]])
def test_a_segment_by_criteria_is_exact(call: Call, criteria: list[Any], passes: Any, levels: list[str]) -> None:
    rows = base(60)
    body = {"criteria": [{"column": name, "op": op, "value": value} for name, op, value in criteria], "levels": levels}
    figures, found = segment_pages(call, body)
    expected = brute(rows, passes, levels)
    assert found == expected.pop("customers")
    assert {name: figures[name] for name in expected} == expected
    assert figures["estimated"] is False
    assert figures["examined"] == figures["of"] == sum(not row["churned"] for row in rows)
    assert sum(level["customers"] for level in figures["levels"]) == figures["count"]


@pytest.mark.parametrize("levels", [[], ["high", "critical"], ["medium"], ["critical"], ["low", "high"]])
@pytest.mark.parametrize(
    ("criteria", "plans"),
    [
        ([], {"basic", "standard", "premium"}),
        ([{"column": "plan", "op": "eq", "value": "basic"}], {"basic"}),
        ([{"column": "plan", "op": "in", "value": ["basic", "premium"]}], {"basic", "premium"}),
        ([{"column": "plan", "op": "missing"}], set()),
    ],
)
def test_a_segment_by_level_and_plan_comes_from_the_counters(call: Call, levels: list[str], criteria: Any, plans: set[str]) -> None:
    put_in_service()
    rows = base(60)
    figures, found = segment_pages(call, {"criteria": criteria, "levels": levels})
    expected = brute(rows, lambda given: given["plan"] in plans, levels)
    low = {row["customer_id"] for row in rows if row["level"] == "low"}
    assert found == [customer_id for customer_id in expected.pop("customers") if customer_id not in low]
    assert {name: figures[name] for name in expected} == expected
    assert (figures["estimated"], figures["examined"]) == (False, 0)


def test_a_segment_may_be_sorted_by_value(call: Call) -> None:
    rows = base(40)
    for criteria in ([], [{"column": "payment_failures", "op": "ge", "value": 0}]):
        answer = call("customers", "POST", SEGMENT, {"criteria": criteria, "levels": ["high", "critical"], "sort": "value", "limit": 100})
        passing = [row for row in rows if row["level"] in ("high", "critical")]
        assert [row["customer_id"] for row in answer.body["data"]["customers"]] == at_risk(passing, "value_rank")


def test_a_large_base_is_estimated_and_says_so(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainstream.customers.segment.EXAMINED_MOST", 20)
    rows = base(80)
    criteria = [{"column": "device_count", "op": "eq", "value": 2}]
    figures, _ = segment_pages(call, {"criteria": criteria})
    scored = sum(not row["churned"] for row in rows)
    assert figures["estimated"] is True
    assert figures["of"] == scored
    assert figures["examined"] <= 20
    assert figures["count"] == pytest.approx(scored, abs=4)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"criteria": [{"column": "shoe_size", "op": "eq", "value": 1}]}, "body.criteria.0.column"),
        ({"criteria": [{"column": "plan", "op": "lt", "value": "basic"}]}, "body.criteria.0.op"),
        ({"criteria": [{"column": "plan", "op": "eq", "value": "gold"}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "plan", "op": "in", "value": "basic"}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "plan", "op": "in", "value": []}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "device_count", "op": "eq", "value": "2"}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "device_count", "op": "eq", "value": True}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "device_count", "op": "eq"}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "device_count", "op": "missing", "value": 1}]}, "body.criteria.0.value"),
        ({"criteria": [{"column": "device_count", "op": "like", "value": 1}]}, "body.criteria.0.op"),
        ({"criteria": [{"column": "device_count", "op": "eq", "value": 1, "x": 1}]}, "body.criteria.0.x"),
        ({"criteria": [{"op": "eq", "value": 1}]}, "body.criteria.0.column"),
        ({"criteria": [{"column": "plan", "op": "missing"}] * 21}, "body.criteria"),
        ({"criteria": "plan"}, "body.criteria"),
        ({"levels": ["huge"]}, "body.levels.0"),
        ({"levels": ["low"] * 5}, "body.levels"),
        ({"limit": 0}, "body.limit"),
        ({"limit": -1}, "body.limit"),
        ({"limit": 10**9}, "body.limit"),
        ({"limit": "10"}, "body.limit"),
        ({"limit": True}, "body.limit"),
        ({"sort": "name"}, "body.sort"),
        ({"plan": "basic"}, "body.plan"),
    ],
)
def test_segments_that_make_no_sense(call: Call, body: dict[str, Any], named: str) -> None:
    answer = call("customers", "POST", SEGMENT, body)
    assert answer.status == 422
    assert named in fields(answer)


def test_a_number_beyond_every_float_is_refused(call: Call) -> None:
    raw = '{"criteria": [{"column": "device_count", "op": "lt", "value": 1e999}]}'
    assert fields(call("customers", "POST", SEGMENT, raw=raw)) == ["body.criteria.0.value"]


# For every route

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
    assert (answer.status, kind(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_methods_that_a_path_does_not_take(call: Call) -> None:
    answer = call("customers", "PATCH", "/api/customers/c1", {})
    assert (answer.status, kind(answer)) == (405, "method-not-allowed")
    assert call("customers", "GET", "/api/customers/c1/outcome").status == 405
    assert call("customers", "GET", "/api/customers/c1/x").status == 404
