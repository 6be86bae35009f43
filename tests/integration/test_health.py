"""Health: its status for everybody, its details for people who are signed in, and few reads however often it is asked."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from tests.integration.conftest import Answer, http_event, lambda_context, load_function

Call = Callable[..., Answer]
LIMIT = 300


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time() // 900 * 900
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The time of a process that keeps what it has read, as in a deployment."""
    monkeypatch.setenv("MODEL_CACHE_SECONDS", "30")
    settings.cache_clear()
    yield Clock(monkeypatch)
    monkeypatch.undo()
    settings.cache_clear()


def asked(address: str = "192.0.2.1", path: str = "/api/health", module: str = "model") -> Any:
    event = http_event("GET", path, headers={}, principal=None)
    event["requestContext"]["http"]["sourceIp"] = address
    return load_function(module).handler(event, lambda_context(module))


@pytest.fixture
def reads(clock: Clock, tidy_answers: None) -> Iterator[list[str]]:
    """The operations that read dependencies; the count of the request is none."""
    operations: list[str] = []

    def note(model: Any, **_: Any) -> None:
        if model.name != "UpdateItem":
            operations.append(model.name)

    clients: tuple[Any, ...] = (dynamodb(), s3())
    for client in clients:
        client.meta.events.register("before-call", note)
    yield operations
    for client in clients:
        client.meta.events.unregister("before-call", note)


def test_strangers_learn_the_status_and_its_moment_alone(call: Call) -> None:
    answer = call("model", "GET", "/api/health", role=None)
    assert answer.status == 200
    assert answer.body["data"].keys() == {"status", "checked_at"}
    assert answer.body["data"]["status"] == "degraded"
    assert datetime.fromisoformat(answer.body["data"]["checked_at"]).tzinfo


def test_details_are_for_people_who_are_signed_in(call: Call) -> None:
    refused = call("model", "GET", "/api/health/details", role=None)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    details = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert details.keys() == {"status", "version", "model", "dependencies", "advice", "checked_at"}
    assert details["advice"] == ["No model is in service yet. Train one: POST /api/model/train."]


def test_dependencies_are_read_once_in_ten_seconds_and_the_answer_says_when(clock: Clock, reads: list[str]) -> None:
    first = asked()
    once = list(reads)
    assert once
    for later in (0, 5, 4.9):
        clock.now += later
        assert asked()["body"] == first["body"]
    assert reads == once
    clock.now += 0.2
    assert asked()["body"] != first["body"]
    assert len(reads) > len(once)


def test_status_and_details_are_one_reading(clock: Clock, reads: list[str], call: Call) -> None:
    status = call("model", "GET", "/api/health", role=None).body["data"]
    once = list(reads)
    clock.now += 5
    details = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert {name: details[name] for name in status} == status
    assert reads == once


def test_a_clock_that_is_set_back_does_not_keep_a_reading(clock: Clock, reads: list[str]) -> None:
    asked()
    once = list(reads)
    clock.now -= 3600
    asked()
    assert len(reads) == 2 * len(once)


def test_health_has_a_limit_of_its_own_for_each_address(clock: Clock) -> None:
    answers = [asked() for _ in range(LIMIT + 2)]
    assert [answer["statusCode"] for answer in answers] == [200] * LIMIT + [429] * 2
    assert answers[0]["headers"]["RateLimit-Limit"] == str(LIMIT)
    assert answers[-1]["headers"]["Retry-After"] == answers[-1]["headers"]["RateLimit-Reset"]
    assert asked("192.0.2.2")["statusCode"] == 200
    assert asked(path="/api/auth/users", module="auth")["statusCode"] == 401


def test_other_requests_of_an_address_keep_no_monitor_out(clock: Clock) -> None:
    refused = [asked(path="/api/auth/users", module="auth")["statusCode"] for _ in range(101)]
    assert refused == [401] * 100 + [429]
    assert asked()["statusCode"] == 200


def test_health_is_unavailable_while_requests_cannot_be_counted(clock: Clock) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")

    dynamodb().meta.events.register("before-send.dynamodb.UpdateItem", fail)
    try:
        answer = asked()
    finally:
        dynamodb().meta.events.unregister("before-send.dynamodb.UpdateItem", fail)
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"]
