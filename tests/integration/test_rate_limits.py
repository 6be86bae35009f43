"""Requests are counted exactly: however many come at once, by whatever instance, under whatever name a client gives itself."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from retainstream.http.visitor import network_of
from retainstream.settings import settings
from retainstream.storage.rate_limits import RateLimits
from tests.integration.at_once import at_once, instances
from tests.integration.conftest import Answer, http_event, lambda_context, load_function
from tests.stored import stored_items

Call = Callable[..., Answer]
WINDOW = 900


@pytest.fixture
def limits(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    def allow(anonymous: int, user: int) -> None:
        monkeypatch.setenv("RATE_LIMIT_ANONYMOUS", str(anonymous))
        monkeypatch.setenv("RATE_LIMIT_USER", str(user))
        settings.cache_clear()
        load_function.cache_clear()

    yield allow
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time() // WINDOW * WINDOW
        monkeypatch.setattr(time, "time", lambda: self.now)


def event(*, user: str | None = None, address: str = "192.0.2.1", **headers: str) -> Any:
    """Counted, and refused for want of a token or a role: nothing else is done."""
    context = {"userId": user, "role": "viewer", "tokenId": "t", "tokenExpires": "1999999999"} if user else {"refused": "1"}
    made = http_event("GET", "/api/auth/users", headers=headers, principal=context)
    made["requestContext"]["http"]["sourceIp"] = address
    return made


def ask(**what: Any) -> dict[str, Any]:
    answer: dict[str, Any] = load_function("auth").handler(event(**what), lambda_context("auth"))
    return answer


def assert_exact(answers: list[dict[str, Any]], limit: int, admitted: int) -> None:
    assert Counter(answer["statusCode"] for answer in answers) == {admitted: limit, 429: len(answers) - limit}
    left = sorted((int(answer["headers"]["RateLimit-Remaining"]) for answer in answers if answer["statusCode"] == admitted), reverse=True)
    assert left == list(range(limit - 1, -1, -1))
    for answer in answers:
        headers = answer["headers"]
        assert headers["RateLimit-Limit"] == str(limit)
        assert 1 <= int(headers["RateLimit-Reset"]) <= WINDOW
        if answer["statusCode"] == 429:
            assert headers["Retry-After"] == headers["RateLimit-Reset"]
            assert headers["RateLimit-Remaining"] == "0"
            assert "urn:retainstream:problem:too-many-requests" in answer["body"]


def test_of_two_hundred_at_once_from_one_address_a_hundred_pass(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(100, 1000)
    assert_exact(at_once("auth", [event() for _ in range(200)]), 100, 401)


def test_of_two_hundred_at_once_of_one_user_so_many_pass_as_the_parameter_says(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(1, 137)
    addresses = [f"198.51.100.{number}" for number in range(200)]
    answers = at_once("auth", [event(user="ann@example.com", address=address) for address in addresses])
    assert_exact(answers, 137, 403)


def test_all_functions_count_together(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(5, 5)
    context = {"userId": "ann@example.com", "role": "viewer", "tokenId": "t", "tokenExpires": "1999999999"}
    statuses = []
    for module, path in [("auth", "/api/auth/users"), ("customers", "/api/customers/imports")] * 4:
        sent = http_event("GET", path, headers={}, principal=context)
        statuses.append(instances(module, 1)[0].handler(sent, lambda_context(module))["statusCode"])
    assert statuses == [403] * 5 + [429] * 3


def test_users_and_addresses_have_counts_of_their_own(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(2, 3)
    assert [ask()["statusCode"] for _ in range(3)] == [401, 401, 429]
    assert [ask(user="ann@example.com")["statusCode"] for _ in range(4)] == [403, 403, 403, 429]
    assert [ask(user="bob@example.com")["statusCode"] for _ in range(4)] == [403, 403, 403, 429]
    assert ask(address="192.0.2.2")["statusCode"] == 401


@pytest.mark.parametrize(
    "name",
    [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-cluster-client-ip",
        "x-forwarded",
        "forwarded-for",
        "via",
        "x-original-forwarded-for",
        "cloudfront-viewer-address",
    ],
)
def test_an_address_in_a_header_is_not_believed(limits: Callable[[int, int], None], clock: Clock, name: str) -> None:
    limits(3, 3)
    said = ["198.51.100.{0}", "for=198.51.100.{0}", "198.51.100.{0}, 192.0.2.1", "[2001:db8::{0}]:443", "127.0.0.{0}"]
    assert [ask(**{name: text.format(number)})["statusCode"] for number, text in enumerate(said)] == [401] * 3 + [429] * 2


def at_address(address: str) -> Any:
    return {"requestContext": {"http": {"sourceIp": address}}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "::ffff:c000:201", True),
        ("2001:db8::1", "2001:db8:0:0:0:0:0:1", True),
        ("2001:db8::1", "2001:0DB8::0001", True),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("::1", "127.0.0.1", False),
    ],
)
def test_all_addresses_of_one_subscriber_count_together(
    limits: Callable[[int, int], None], clock: Clock, one: str, other: str, same: bool
) -> None:
    limits(2, 2)
    assert [ask(address=one)["statusCode"] for _ in range(2)] == [401, 401]
    assert ask(address=other)["statusCode"] == (429 if same else 401)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_an_ipv6_subscriber_is_told_by_64_bits(address: Any, host: int) -> None:
    neighbour = type(address)(int(address) >> 64 << 64 | host)
    if not (address.ipv4_mapped or neighbour.ipv4_mapped):
        assert network_of(at_address(str(address))) == network_of(at_address(neighbour.exploded.upper()))
        assert network_of(at_address(str(address))) != network_of(at_address(str(type(address)(int(address) ^ 1 << 64))))


@given(st.text(max_size=50))
def test_whatever_stands_for_an_address_is_counted(text: str) -> None:
    assert isinstance(network_of(at_address(text)), str)


def test_a_window_ends_on_the_second(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(2, 2)
    start = clock.now
    seen = []
    for later in (0, 1, 2, 899, 899.999, 900, 901, 902, 1799.999, 1800):
        clock.now = start + later
        answer = ask()
        seen.append((answer["statusCode"], int(answer["headers"]["RateLimit-Reset"]), answer["headers"].get("Retry-After")))
    assert seen == [
        (401, 900, None),
        (401, 899, None),
        (429, 898, "898"),
        (429, 1, "1"),
        (429, 1, "1"),
        (401, 900, None),
        (401, 899, None),
        (429, 898, "898"),
        (429, 1, "1"),
        (401, 900, None),
    ]


@examples(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 899.999), st.integers(1, 5))
def test_who_comes_back_when_told_is_let_in(limits: Callable[[int, int], None], clock: Clock, into_window: float, extra: int) -> None:
    if settings().rate_limit_anonymous != 1:
        limits(1, 1)
    clock.now = (clock.now // WINDOW + 10) * WINDOW + into_window
    answers = [ask() for _ in range(1 + extra)]
    assert [answer["statusCode"] for answer in answers] == [401] + [429] * extra
    clock.now += int(answers[-1]["headers"]["Retry-After"])
    assert ask()["statusCode"] == 401


def test_a_token_given_back_in_the_last_second_is_refused_in_the_next_window(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(100, 1000)
    clock.now += 899.9
    window = int(clock.now) // WINDOW
    RateLimits().revoke("user#ann@example.com", [window, window + 1], "t", int(clock.now) + 1800)
    for later in (0, 0.09, 0.2, 1, 300, 899):
        clock.now = window * WINDOW + 899.9 + later
        answer = ask(user="ann@example.com")
        assert answer["statusCode"] == 401
        assert answer["headers"]["WWW-Authenticate"] == "Bearer"
    assert ask(user="bob@example.com")["statusCode"] == 403


def test_a_refused_token_counts_for_the_address_it_comes_from(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(3, 3)
    assert [ask(authorization="Bearer x")["statusCode"] for _ in range(4)] == [401, 401, 401, 429]


def test_counts_go_away_by_themselves_and_not_before_their_window_is_over(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(100, 1000)
    for later in (0, 450, 899):
        clock.now = clock.now // WINDOW * WINDOW + later
        ask()
        (item,) = stored_items(settings().rate_limits_table)
        assert clock.now + 1 <= int(item["expires_at"]["N"]) <= clock.now + 2 * WINDOW
        assert int(item["expires_at"]["N"]) >= clock.now // WINDOW * WINDOW + WINDOW


def test_the_first_and_the_last_request_in_the_limit_are_answered(limits: Callable[[int, int], None], clock: Clock) -> None:
    limits(100, 1000)
    answers = [ask(user="ann@example.com") for _ in range(1001)]
    assert [answer["statusCode"] for answer in answers] == [403] * 1000 + [429]
    assert [answers[place]["headers"]["RateLimit-Remaining"] for place in (0, 999, 1000)] == ["999", "0", "0"]
