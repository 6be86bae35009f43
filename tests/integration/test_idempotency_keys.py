"""An idempotency key means one request: with another body it is refused, by every route that takes a key."""

import json
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import boto3
import pytest

from retainstream.registry.champion import champion, promote, rollback
from retainstream.settings import settings
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from tests.integration.conftest import Answer
from tests.small_models import add_customers, put_in_service, some_features

type Call = Callable[..., Answer]

OLDER, NEWER, NEWEST = (f"2026010{month}T000000Z-aaaaaaaa" for month in (1, 2, 3))
FILE = {"file_name": "a.csv", "size": 9}
SOURCE = {"kind": "events", **FILE}
BODIES: dict[str, list[Any]] = {
    "POST /api/predictions/generate": [
        {"customer_ids": ["C-000000"]},
        {"customer_ids": ["C-000001"]},
        {"rows": some_features(1)},
        {"all": True},
    ],
    "POST /api/dashboard/recount": [{"repair": False}, {"repair": True}],
    "POST /api/customers/sources/deliveries": [SOURCE, {**SOURCE, "size": 10}, {**SOURCE, "kind": "profile"}, {**SOURCE, "gzip": True}],
    "POST /api/customers/imports": [FILE, {**FILE, "size": 10}, {**FILE, "gzip": True}, {**FILE, "as_of": "2026-01-31"}],
}
"""Bodies of each route that takes a key and a body; each is another request."""
KEYED = {"idempotency-key": "monday"}


@pytest.fixture(autouse=True)
def machines(aws: None) -> None:
    done = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    for name in ("scoring", "recount"):
        boto3.client("stepfunctions").create_state_machine(
            name=f"test-{name}", definition=done, roleArn="arn:aws:iam::123456789012:role/states"
        )
    put_in_service(0, OLDER)
    add_customers(2)


def sent(call: Call, route: str, body: Any, **options: Any) -> Answer:
    method, path = route.split()
    return call(path.split("/")[2], method, path, body, headers=KEYED, **options)


def test_every_route_that_takes_a_key_and_a_body_is_in_the_table() -> None:
    paths = json.loads(files("retainstream.http").joinpath("openapi.json").read_text("utf-8"))["paths"]
    keyed = {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if any(parameter["name"].lower() == "idempotency-key" for parameter in operation.get("parameters", ()))
    }
    assert {route for route, operation in keyed.items() if "requestBody" in operation} == set(BODIES)
    assert {route for route, operation in keyed.items() if "409" not in operation["responses"]} <= {"POST /api/model/train"}


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize("place", range(4))
def test_a_key_with_another_body_is_refused_and_with_the_same_body_answered(call: Call, route: str, place: int) -> None:
    body = BODIES[route][place % len(BODIES[route])]
    first = sent(call, route, body)
    assert first.status in (200, 202), first.body
    for other in BODIES[route]:
        if other != body:
            refused = sent(call, route, other)
            assert (refused.status, refused.body["type"]) == (409, "urn:retainstream:problem:conflict"), other
            assert "Idempotency-Key" in refused.body["detail"]
    again = sent(call, route, body)
    assert again.status == first.status
    for name in ("run_id", "import_id"):
        assert again.body["data"].get(name) == first.body["data"].get(name)


@pytest.mark.parametrize("route", BODIES)
def test_a_request_that_is_refused_does_not_use_its_key_up(call: Call, route: str) -> None:
    assert sent(call, route, {"nonsense": 1}).status == 422
    assert sent(call, route, BODIES[route][0]).status in (200, 202)


@pytest.mark.parametrize("route", BODIES)
def test_a_key_is_of_one_person(call: Call, route: str) -> None:
    assert sent(call, route, BODIES[route][0]).status in (200, 202)
    if route == "POST /api/dashboard/recount":
        Runs().finish(sent(call, route, BODIES[route][0]).body["data"]["run_id"])
    assert sent(call, route, BODIES[route][1], user="bob@example.com").status in (200, 202)


def test_a_key_may_be_used_again_after_a_day(call: Call) -> None:
    route = "POST /api/customers/imports"
    first = sent(call, route, FILE).body["data"]["import_id"]
    for item in boto3.client("dynamodb").scan(TableName=settings().runs_table)["Items"]:
        if item["kind"]["S"] == "key":
            boto3.client("dynamodb").put_item(
                TableName=settings().runs_table, Item={**item, "expires_at": {"N": str(int(time.time()) - 1)}}
            )
    other = sent(call, route, {**FILE, "size": 10})
    assert other.status == 202
    assert other.body["data"]["import_id"] != first


# -------------------------------------------------------------------------------------------------------------------- rollback


def rolled_back(call: Call, key: str | None = "k") -> Answer:
    return call("model", "POST", "/api/model/rollback", headers={"idempotency-key": key} if key else {})


def test_a_rollback_is_answered_again_after_another_promotion_and_not_done_again(call: Call) -> None:
    for version in (NEWER, NEWEST):
        put_in_service(1 + (version == NEWEST), version)
    first = rolled_back(call)
    assert first.body["data"]["history"][0]["version"] == NEWER
    promote(Models(), OLDER, "ben")
    rollback(Models(), "ben")
    promote(Models(), NEWEST, "ben")
    before = champion(Models())
    again = rolled_back(call)
    assert again.status == 200
    assert again.body["data"] == first.body["data"]
    assert champion(Models()) == before
    assert rolled_back(call, "other").body["data"]["history"][0]["version"] == NEWER
    assert rolled_back(call).body["data"] == first.body["data"]
    assert rolled_back(call, None).body["data"]["history"][0]["version"] == NEWEST


def test_a_rollback_is_remembered_for_a_day(call: Call) -> None:
    put_in_service(1, NEWER)
    rolled_back(call)
    pointer: Any = Models().champion()
    for done in pointer["rollbacks"]:
        done["promoted_at"] = "2026-01-01T00:00:00.000+00:00"
    Models().set_champion(pointer, expected_revision=pointer["revision"])
    promote(Models(), NEWER, "ben")
    assert rolled_back(call).body["data"]["history"][0]["version"] == OLDER
    moved: Any = Models().champion()
    assert len(moved["rollbacks"]) == 1


def test_a_rollback_goes_to_the_latest_version_with_another_model(call: Call) -> None:
    put_in_service(1, NEWER)
    put_in_service(1, NEWEST)  # two trainings of the same customers
    status = call("model", "GET", "/api/model/status").body["data"]
    assert (status["history"][0]["version"], status["previous"]) == (NEWEST, OLDER)
    assert rolled_back(call, None).body["data"]["history"][0]["version"] == OLDER
    assert rolled_back(call, None).body["data"]["history"][0]["version"] == NEWEST


def test_a_twin_of_the_only_model_leaves_nothing_to_roll_back_to(call: Call) -> None:
    put_in_service(0, NEWER)
    refused = rolled_back(call, None)
    assert (refused.status, refused.body["detail"]) == (409, "No version with another model was in service before this one.")
