"""What DynamoDB still tells although it is over: items whose time is up (which it removes within days), and indexes that lag behind."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from retainstream.dashboard.consume import take_in
from retainstream.engine.model.levels import ranks
from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS, settings
from retainstream.storage.changes import Change
from retainstream.storage.clients import dynamodb
from retainstream.storage.removals import Removals
from retainstream.storage.rollups import Rollups
from tests.integration.base_of_customers import at_risk, customer_ids, some_base
from tests.stored import stored_items

type Call = Callable[..., Any]

LONG_AGO = int(time.time()) - 3600
HIGH_RISK = "/api/customers/high-risk"


def plant(table: str, item: Mapping[str, Any]) -> None:
    dynamodb().put_item(TableName=table, Item={**item, "expires_at": {"N": str(LONG_AGO)}})


def window(ago: int) -> int:
    return int(time.time()) // RATE_LIMIT_WINDOW_SECONDS - ago


def test_requests_of_windows_that_are_over_do_not_count(call: Call) -> None:
    for ago in (1, 2, 96):
        for subject in ("user#ann@example.com", "ip#192.0.2.1"):
            plant(settings().rate_limits_table, {"key": {"S": f"{subject}#{window(ago)}"}, "hits": {"N": "1000000"}})
    assert call("dashboard", "GET", "/api/dashboard/metrics").headers["RateLimit-Remaining"] == "999"
    refused = call("auth", "GET", "/api/auth/me", role=None)
    assert (refused.status, refused.headers["RateLimit-Remaining"]) == (401, "99")


def test_what_was_revoked_in_windows_that_are_over_refuses_nobody_now(call: Call) -> None:
    key = {"key": {"S": f"user#ann@example.com#{window(1)}"}, "hits": {"N": "1"}, "tokens_valid_from": {"N": str(2**40)}}
    plant(settings().rate_limits_table, {**key, "revoked": {"SS": ["token-1"]}, "role": {"S": "viewer"}})
    assert call("model", "GET", "/api/model/versions", role="admin").status == 200


def test_wrong_passwords_that_are_forgotten_hold_up_nobody(call: Call) -> None:
    made = call("auth", "POST", "/api/auth/register", {"email": "b@example.com", "password": "an unrelated few words 77"}, role=None)
    assert made.status == 201

    def records() -> list[dict[str, Any]]:
        return [item for item in stored_items(settings().rate_limits_table) if "wait_until" in item]

    def sign_in(password: str) -> int:
        answer = call("auth", "POST", "/api/auth/login", {"email": "b@example.com", "password": password}, role=None)
        return int(answer.status)

    assert 429 in (sign_in("wrong") for _ in range(20))
    assert sign_in("an unrelated few words 77") == 429
    over = {name: {"N": str(LONG_AGO)} for name in ("wait_until", "forgotten_at", "known_until")}
    for item in records():
        plant(settings().rate_limits_table, {**item, **over})
    assert sign_in("an unrelated few words 77") == 200


def test_marks_whose_time_is_up_still_tell_a_change_that_was_taken_in(aws: None) -> None:
    new = {"group": "basic", "life": {}}
    change = Change("event", LONG_AGO, None, new)
    assert take_in("customers", [change], Rollups()) == 1
    for item in stored_items(settings().rollups_table):
        if "marks" in item:
            plant(settings().rollups_table, item)
    assert take_in("customers", [change], Rollups()) == 0
    assert Rollups().counters("customers").counters == {"customers/unknown/basic": 1}


def test_the_mark_of_somebody_removed_long_ago_lets_them_come_back(aws: None) -> None:
    removals = Removals()
    removed_at = removals.begin("c1")
    removals.done()
    plant(settings().removed_customers_table, {"mark": {"S": removals.mark_of("c1")}, "removed_at": {"S": removed_at}})
    assert removals.since("2020-01-01T00:00:00.000000+00:00", ["c1", "c2"]) == {"c1"}
    later = (datetime.fromisoformat(removed_at) + timedelta(seconds=1)).isoformat(timespec="microseconds")
    assert removals.since(later, ["c1", "c2"]) == set()


def test_a_token_given_back_stays_so_until_its_mark_goes(aws: None) -> None:
    from retainstream.storage.revoked_tokens import RevokedTokens

    plant(settings().revoked_tokens_table, {"jti": {"S": "t"}})
    assert RevokedTokens().contains("t"), "the token itself is over by then; a mark that is still there does no harm"
    assert not RevokedTokens().contains("u")


@contextmanager
def lagging(index: str, entries: list[dict[str, Any]]) -> Iterator[None]:
    """The first page of an index also holds entries of before."""

    def add(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        asked = context.get("index")
        if asked and not parsed.get("LastEvaluatedKey"):
            shard = asked["shard"]
            mine = [entry for entry in entries if entry["risk_shard"]["S"] == shard]
            parsed["Items"] = sorted([*parsed["Items"], *mine], key=lambda item: str(item["probability_rank"]["S"]), reverse=True)

    def note(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if params.get("IndexName") == index:
            asked = context.get("retainstream_request", params)
            context["index"] = {"shard": asked["ExpressionAttributeValues"][":shard"]["S"]}

    events: Any = dynamodb().meta.events
    events.register_first("before-parameter-build.dynamodb.Query", note)
    events.register("after-call.dynamodb.Query", add)
    try:
        yield
    finally:
        events.unregister("before-parameter-build.dynamodb.Query", note)
        events.unregister("after-call.dynamodb.Query", add)


@pytest.mark.usefixtures("tidy_answers")
@pytest.mark.parametrize("query", ["limit=100", "limit=100&min_probability=0.3"])
def test_an_index_that_lags_shows_nobody_twice_and_nobody_who_is_not_at_risk(call: Call, query: str) -> None:
    rows = some_base(40)
    ranked = [row for row in rows if "probability_rank" in row]
    calm = next(row for row in rows if "probability_rank" not in row)
    shard, other = ranked[0]["risk_shard"], ranked[-1]["risk_shard"]

    def entry(customer_id: str, shard: str, probability: float) -> dict[str, Any]:
        rank = ranks(customer_id, "basic", probability, 0)["probability_rank"]
        return {"customer_id": {"S": customer_id}, "risk_shard": {"S": shard}, "probability_rank": {"S": rank}}

    stale = [
        entry("gone", shard, 0.999999),
        entry(calm["customer_id"], shard, 0.999998),
        entry(ranked[0]["customer_id"], other, 0.999997),
        entry(ranked[1]["customer_id"], ranked[1]["risk_shard"], 0.300001),
    ]
    bound = 0.3 if "min" in query else 0
    expected = {
        customer for customer in at_risk(rows) if next(row for row in rows if row["customer_id"] == customer)["probability"] >= bound
    }
    with lagging("by-probability", stale):
        shown = customer_ids(call("customers", "GET", HIGH_RISK, query=query))
    assert sorted(shown) == sorted(expected)
