"""Visitors behind the pages' distribution are counted by their own address, and nobody else can choose an address."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from retainstream.accounts.accounts import new_user
from retainstream.settings import settings
from retainstream.storage.clients import secretsmanager
from retainstream.storage.users import Users
from tests.integration.conftest import http_event, lambda_context, load_function

GOOD = "four unrelated words here"
SECRET = "the secret test-pages"
LIMIT = 100
EDGE = "198.51.100.1"


@pytest.fixture(autouse=True)
def pages(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack with pages, and Ann. No window ends in a test."""
    start = time.time() // 900 * 900
    monkeypatch.setattr(time, "time", lambda: start)
    load_function.cache_clear()
    Users().add(new_user("ann@example.com", GOOD))
    yield
    monkeypatch.undo()
    settings.cache_clear()


def through(viewer: str, secret: str = SECRET) -> dict[str, str]:
    """The headers of a request that came through the distribution."""
    return {"x-viewer-address": viewer, "x-pages-secret": secret}


def post(body: str, headers: dict[str, str], source: str = EDGE, cookies: tuple[str, ...] = ()) -> Any:
    event = http_event("POST", "/api/auth/login", body=body, headers={"content-type": "application/json", **headers}, principal=None)
    event["requestContext"]["http"]["sourceIp"] = source
    return load_function("auth").handler(event | ({"cookies": list(cookies)} if cookies else {}), lambda_context("auth"))


def sign_in(headers: dict[str, str], password: str = GOOD, **more: Any) -> Any:
    return post(f'{{"email": "ann@example.com", "password": "{password}"}}', headers, **more)


def use_up(headers: dict[str, str], source: str = EDGE) -> None:
    assert {post("{}", headers, source)["statusCode"] for _ in range(LIMIT)} == {422}


def test_a_visitor_who_uses_up_the_limit_keeps_no_other_visitor_of_the_edge_out() -> None:
    use_up(through("203.0.113.9"))
    assert sign_in(through("203.0.113.9"))["statusCode"] == 429
    assert sign_in(through("203.0.113.10"))["statusCode"] == 200


def test_a_known_browser_signs_in_behind_the_visitor_who_used_up_the_limit() -> None:
    (cookie,) = sign_in(through("203.0.113.10"))["cookies"]
    use_up(through("203.0.113.9"))
    assert sign_in(through("203.0.113.9"), cookies=(str(cookie).partition(";")[0],))["statusCode"] == 200


def test_wrong_passwords_of_a_visitor_make_no_other_visitor_of_the_edge_wait() -> None:
    for number in range(21):
        post(f'{{"email": "user{number}@example.com", "password": "wrong"}}', through("203.0.113.9"))
    assert sign_in(through("203.0.113.9"))["statusCode"] == 429
    assert sign_in(through("203.0.113.10"))["statusCode"] == 200


@pytest.mark.parametrize(
    "secret", ["", "wrong", SECRET[:-1], SECRET + " ", f"{SECRET},{SECRET}", f"wrong,{SECRET}", SECRET.upper(), "ü" * 40, None]
)
def test_a_forged_address_counts_for_the_sender(secret: str | None) -> None:
    def forged(number: int) -> dict[str, str]:
        stated = through(f"203.0.113.{number}", secret or "")
        return stated if secret is not None else {"x-viewer-address": stated["x-viewer-address"]}

    statuses = [post("{}", forged(number % 250))["statusCode"] for number in range(LIMIT + 1)]
    assert statuses == [422] * LIMIT + [429]
    assert sign_in({}, source="203.0.113.1")["statusCode"] == 200


@pytest.mark.parametrize(
    "viewer",
    ["", "203.0.113", "203.0.113.9:443", "203.0.113.9, 203.0.113.10", "[2001:db8::1]", "localhost", " 203.0.113.9", "1" * 5000],
)
def test_what_is_no_address_counts_for_the_edge(viewer: str) -> None:
    use_up(through(viewer))
    assert sign_in({})["statusCode"] == 429


@pytest.mark.parametrize(("one", "other"), [("2001:db8::1", "2001:DB8:0:0:ffff::"), ("::ffff:203.0.113.9", "203.0.113.9")])
def test_visitors_of_one_subscriber_count_together(one: str, other: str) -> None:
    use_up(through(one))
    assert sign_in(through(other))["statusCode"] == 429
    assert sign_in(through("2001:db8:0:1::1"))["statusCode"] == 200


def test_the_secret_is_read_once_and_only_for_who_shows_one() -> None:
    read: list[str] = []
    client: Any = secretsmanager()
    client.meta.events.register("before-call", lambda model, **_: read.append(model.name))
    post("{}", {})
    post("{}", {"x-viewer-address": "203.0.113.9"})
    assert read == []
    for number in range(3):
        post("{}", through(f"203.0.113.{number}", "wrong" if number else SECRET))
    assert read == ["GetSecretValue"]


def test_without_the_secret_nobody_is_admitted_by_a_header() -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.invalid")

    client: Any = secretsmanager()
    client.meta.events.register("before-send.secretsmanager.GetSecretValue", fail)
    try:
        answer = sign_in(through("203.0.113.9"))
    finally:
        client.meta.events.unregister("before-send.secretsmanager.GetSecretValue", fail)
    assert answer["statusCode"] == 503
    assert sign_in(through("203.0.113.9"))["statusCode"] == 200


def test_a_stack_without_pages_believes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGES_SECRET_ARN", "")
    settings.cache_clear()
    use_up(through("203.0.113.9", ""))
    assert sign_in(through("203.0.113.10", ""))["statusCode"] == 429


def test_a_user_is_counted_by_the_token_wherever_the_request_comes_from() -> None:
    context = {"userId": "ann@example.com", "role": "viewer", "tokenId": "t", "tokenExpires": "1999999999"}
    for number in range(2):
        event = http_event("GET", "/api/auth/users", headers=through(f"203.0.113.{number}"), principal=context)
        answer = load_function("auth").handler(event, lambda_context("auth"))
        assert (answer["statusCode"], answer["headers"]["RateLimit-Remaining"]) == (403, str(999 - number))
