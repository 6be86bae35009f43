"""Segments of customers over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.base_of_customers import (
    at_risk,
    fields_at_fault,
    some_base,
)
from tests.small_models import put_in_service

type Call = Callable[..., Any]

SEGMENT = "/api/customers/segment"


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
    rows = some_base(60)
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
    rows = some_base(60)
    figures, found = segment_pages(call, {"criteria": criteria, "levels": levels})
    expected = brute(rows, lambda given: given["plan"] in plans, levels)
    low = {row["customer_id"] for row in rows if row["level"] == "low"}
    assert found == [customer_id for customer_id in expected.pop("customers") if customer_id not in low]
    assert {name: figures[name] for name in expected} == expected
    assert (figures["estimated"], figures["examined"]) == (False, 0)


def test_a_segment_may_be_sorted_by_value(call: Call) -> None:
    rows = some_base(40)
    for criteria in ([], [{"column": "payment_failures", "op": "ge", "value": 0}]):
        answer = call("customers", "POST", SEGMENT, {"criteria": criteria, "levels": ["high", "critical"], "sort": "value", "limit": 100})
        passing = [row for row in rows if row["level"] in ("high", "critical")]
        assert [row["customer_id"] for row in answer.body["data"]["customers"]] == at_risk(passing, "value_rank")


def test_a_large_base_is_estimated_and_says_so(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainstream.customers.segment.EXAMINED_MOST", 20)
    rows = some_base(80)
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
    assert named in fields_at_fault(answer)


def test_a_number_beyond_every_float_is_refused(call: Call) -> None:
    raw = '{"criteria": [{"column": "device_count", "op": "lt", "value": 1e999}]}'
    assert fields_at_fault(call("customers", "POST", SEGMENT, raw=raw)) == ["body.criteria.0.value"]
