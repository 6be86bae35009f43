"""The list of customers at risk over HTTP."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from retainstream.engine.model.levels import shards_of
from retainstream.storage.clients import dynamodb
from retainstream.storage.predictions import Predictions
from tests.integration.base_of_customers import (
    at_risk,
    customer_ids,
    fields_at_fault,
    problem_kind,
    some_base,
)

type Call = Callable[..., Any]

HIGH_RISK = "/api/customers/high-risk"
SEGMENT = "/api/customers/segment"


def walk(call: Call, query: str, limit: int) -> list[str]:
    """All pages of the high-risk list by cursor."""
    found: list[str] = []
    cursor = ""
    for _ in range(200):
        answer = call("customers", "GET", HIGH_RISK, query="&".join(part for part in (query, f"limit={limit}", cursor) if part))
        assert answer.status == 200, answer.body
        found += customer_ids(answer)
        if not answer.body["page"]["next"]:
            return found
        cursor = f"cursor={answer.body['page']['next']}"
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("sort", ["probability", "value"])
@pytest.mark.parametrize("limit", [2, 9, 100])
def test_pages_and_cursors_tell_everybody_once_and_in_order(call: Call, sort: str, limit: int) -> None:
    rows = some_base(30)
    expected = at_risk(rows, f"{sort}_rank")
    assert walk(call, f"sort={sort}", limit) == expected
    by_number: list[str] = []
    for number in range(1, len(expected) // limit + 2):
        answer = call("customers", "GET", HIGH_RISK, query=f"page={number}&limit={limit}&sort={sort}", role="viewer")
        assert answer.body["page"]["number"] == number
        assert answer.body["page"]["total"] == len(expected)
        by_number += customer_ids(answer)
    assert by_number == expected


def test_a_plan_has_its_own_list(call: Call) -> None:
    rows = some_base(40)
    for plan in ("basic", "standard", "premium"):
        mine = [row for row in rows if row["group"] == plan]
        assert walk(call, f"plan={plan}", 4) == at_risk(mine)
        answer = call("customers", "GET", HIGH_RISK, query=f"plan={plan}&limit=1")
        assert answer.body["page"]["total"] == len(at_risk(mine))


@pytest.mark.parametrize("sort", ["probability", "value"])
def test_a_least_probability_is_kept_to(call: Call, sort: str) -> None:
    rows = some_base(30)
    for least in (0, 0.45, 0.46, 0.9, 1):
        passing = [row for row in rows if row["probability"] >= least]
        assert walk(call, f"sort={sort}&min_probability={least}", 5) == at_risk(passing, f"{sort}_rank")


def test_the_list_does_not_scan(call: Call) -> None:
    some_base(60)
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
    assert (answer.status, problem_kind(answer)) == (422, "invalid-request")
    assert fields_at_fault(answer)[0].startswith("query.")


@pytest.mark.parametrize("path", [HIGH_RISK, "/api/customers"])
@pytest.mark.parametrize("cursor", ["x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%00", "é"])
def test_cursors_that_were_made_up(call: Call, path: str, cursor: str) -> None:
    answer = call("customers", "GET", path, query=f"cursor={cursor}")
    assert (answer.status, problem_kind(answer)) == (400, "bad-cursor")


def test_a_cursor_does_for_its_own_list_only(call: Call) -> None:
    some_base(30)
    cursor = call("customers", "GET", HIGH_RISK, query="limit=2").body["page"]["next"]
    for query in ("plan=basic", "sort=value", "min_probability=0.5"):
        assert call("customers", "GET", HIGH_RISK, query=f"{query}&cursor={cursor}").status == 400
    assert call("customers", "GET", "/api/customers", query=f"cursor={cursor}").status == 400
    assert call("customers", "POST", SEGMENT, {"cursor": cursor}).status == 400
    assert call("customers", "GET", HIGH_RISK, query=f"page=2&cursor={cursor}").status == 422
    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert call("customers", "GET", HIGH_RISK, query=f"cursor={flipped}").status == 400


def test_the_partitions_of_a_page_are_asked_side_by_side(aws: None) -> None:
    rows = some_base(60)
    together = threading.Barrier(4)

    def meet(**_: object) -> None:
        together.wait(timeout=20)  # breaks, and fails the request, where fewer than four are ever under way

    dynamodb().meta.events.register("before-call.dynamodb.Query", meet, unique_id="meet")
    try:
        found = Predictions().at_risk(shards_of(["basic", "standard", "premium"]), limit=10)
    finally:
        dynamodb().meta.events.unregister("before-call.dynamodb.Query", unique_id="meet")
    assert [key.customer_id for key in found.keys] == at_risk(rows)[:10]
