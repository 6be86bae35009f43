"""Guessing passwords is slow, for everybody alike, and holds up nobody else."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher, low_level
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from retainstream.accounts.accounts import new_user
from retainstream.accounts.guessing import LONGEST_WAIT_SECONDS, Allowance, Guessing, TooManyGuesses, Visitor
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.guesses import Guesses, GuessRecords
from retainstream.storage.users import User, Users
from tests.integration.at_once import at_once
from tests.integration.conftest import Answer, http_event, lambda_context, load_function
from tests.stored import stored_items

Call = Callable[..., Answer]
GOOD = "four unrelated words here"
ACCOUNT, ADDRESS = Allowance(5, 900), Allowance(20, 180)


@pytest.fixture(autouse=True)
def _new_processes() -> None:
    load_function.cache_clear()


class Clock:
    now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guessing(aws: None, clock: Clock) -> Guessing:
    return Guessing(ACCOUNT, ADDRESS, b"secret", clock=clock)


def sign_in_event(email: str, password: str = "wrong", *, address: str = "192.0.2.1", cookies: Any = (), **headers: str) -> Any:
    body = f'{{"email": "{email}", "password": "{password}"}}'
    event = http_event("POST", "/api/auth/login", body=body, headers={"content-type": "application/json", **headers}, principal=None)
    event["requestContext"]["http"]["sourceIp"] = address
    return event | ({"cookies": list(cookies)} if cookies else {})


def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords will have been compared with."""
    compared: list[str] = []
    verify = PasswordHasher.verify

    def watched(hasher: PasswordHasher, stored: str, password: str) -> bool:
        compared.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return compared


def sign_in(*what: Any, **more: Any) -> Any:
    """The function's answer itself, with its cookies."""
    return load_function("auth").handler(sign_in_event(*what, **more), lambda_context("auth"))


def stored(email: str, **more: Any) -> User:
    user = new_user(email, GOOD, **more)
    Users().add(user)
    return user


def time_goes_by(seconds: int) -> None:
    """For the records of wrong passwords: every time in them is so much earlier."""
    table = settings().rate_limits_table
    for item in stored_items(table):
        if "forgotten_at" in item:
            for name in ("forgotten_at", "wait_until", "known_until", "expires_at"):
                item[name] = {"N": str(max(0, int(item[name]["N"]) - seconds))}
            dynamodb().put_item(TableName=table, Item=item)


def waits_of(guessing: Guessing, clock: Clock, tries: int, visitor: Visitor) -> list[int]:
    """The wait before each of so many wrong passwords, of somebody who never waits longer than told."""
    waits = []
    for _ in range(tries):
        waited = 0
        while True:
            try:
                guessing.sign_in("ann@example.com", visitor)
                break
            except TooManyGuesses as wait:
                waited += wait.seconds
                clock.now += wait.seconds
        waits.append(waited)
    return waits


def test_waits_double_up_to_a_quarter_of_an_hour(guessing: Guessing, clock: Clock) -> None:
    waits = waits_of(guessing, clock, 22, Visitor("192.0.2.1"))
    assert waits[:6] == [0] * 6
    assert all(2**n <= wait <= 2**n + 1 for n, wait in enumerate(waits[6:14])), waits
    assert set(waits[17:]) <= {LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS + 1}


def test_no_more_than_some_hundred_passwords_are_guessed_in_a_day_from_however_many_addresses(guessing: Guessing, clock: Clock) -> None:
    until, guesses = clock.now + 24 * 3600, 0
    while clock.now < until:
        try:
            guessing.sign_in("ann@example.com", Visitor(f"198.51.100.{guesses % 250}"))
            guesses += 1
        except TooManyGuesses as wait:
            clock.now += wait.seconds
    assert 90 <= guesses <= 120


def test_one_address_that_tries_one_password_on_everybody_waits_too(guessing: Guessing, clock: Clock) -> None:
    until, guesses = clock.now + 24 * 3600, 0
    while clock.now < until:
        try:
            guessing.sign_in(f"user{guesses}@example.com", Visitor("192.0.2.1"))
            guesses += 1
        except TooManyGuesses as wait:
            clock.now += wait.seconds
    assert 480 <= guesses <= 520
    assert guessing.sign_in("user7@example.com", Visitor("192.0.2.2"))


def test_wrong_passwords_are_forgotten(guessing: Guessing, clock: Clock) -> None:
    waits_of(guessing, clock, 8, Visitor("192.0.2.1"))
    clock.now += 9 * 900
    assert waits_of(guessing, clock, 6, Visitor("192.0.2.1")) == [0] * 6


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 30), st.integers(1, 3600), st.lists(st.floats(0, 5000), max_size=60))
def test_waits_are_bounded_and_memory_too(at_once: int, forget: int, pauses: list[float]) -> None:
    allowance, guesses, now, compared = Allowance(at_once, forget), Guesses(), 1e9, 0
    for pause in pauses:
        now += pause
        if now < guesses.wait_until:
            assert compared > at_once
            with pytest.raises(TooManyGuesses) as wait:
                allowance.after_another(guesses, now)
            assert 1 <= wait.value.seconds <= LONGEST_WAIT_SECONDS + 1
            continue
        guesses, compared = allowance.after_another(guesses, now), compared + 1
        assert now < guesses.forgotten_at <= now + 1 + forget * compared
        assert guesses.wait_until == 0 or now < guesses.wait_until <= now + LONGEST_WAIT_SECONDS + 1


@pytest.mark.parametrize("exists", [True, False])
def test_of_many_guesses_at_once_no_more_are_compared_than_allowed(aws: None, exists: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if exists:
        stored("ann@example.com")
    for number in range(14):  # the next one that is compared makes all others wait for minutes
        assert sign_in("ann@example.com", address=f"192.0.2.{number}")["statusCode"] == 401
        time_goes_by(2 + 2 ** max(0, number - 5))
    compared = comparisons(monkeypatch)
    answers = at_once("auth", [sign_in_event("ann@example.com", address=f"198.51.100.{number}") for number in range(200)])
    assert Counter(answer["statusCode"] for answer in answers) == {401: 1, 429: 199}
    assert len(compared) == 1


@pytest.mark.parametrize(("of_one", "compared"), [("account", 6), ("address", 21)])
def test_the_allowance_is_exact_over_instances(aws: None, clock: Clock, of_one: str, compared: int) -> None:
    def guess(number: int) -> bool:
        email, address = ("ann", f"198.51.100.{number}") if of_one == "account" else (f"user{number}", "192.0.2.1")
        try:
            Guessing(ACCOUNT, ADDRESS, b"secret", clock=clock).sign_in(f"{email}@example.com", Visitor(address))
        except TooManyGuesses:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(guess, range(200))) == compared


def test_a_wait_is_told_and_is_the_same_whether_or_not_there_is_an_account(call: Call) -> None:
    stored("ann@example.com")
    disabled = stored("bob@example.com")
    Users().change(disabled, role=Role.VIEWER, status="disabled", tokens_valid_from=0)
    told = []
    for email in ("ann@example.com", "bob@example.com", "nobody@example.com"):
        answers = [sign_in(email, address=f"192.0.2.{number}") for number in range(8)]
        assert [answer["statusCode"] for answer in answers] == [401] * 6 + [429] * 2
        last = answers[-1]
        assert last["headers"]["Content-Type"] == "application/problem+json"
        assert re.fullmatch("[12]", last["headers"]["Retry-After"])
        assert last["headers"]["RateLimit-Remaining"].isdigit()
        assert '"type": "urn:retainstream:problem:too-many-requests"' in last["body"]
        told.append([re.sub(r'"request_id": "[^"]+"|[12] seconds', "", answer["body"]) for answer in answers])
    assert told[0] == told[1] == told[2]


def test_spellings_of_an_address_are_one_account(call: Call) -> None:
    spellings = ["ann@example.com", "ANN@example.com", " ann@Example.com", "\\uff41nn@example.com", "ann@example.com ", "Ann@Example.Com"]
    for number, spelling in enumerate(spellings):
        assert sign_in(spelling, address=f"192.0.2.{number}")["statusCode"] == 401
    assert sign_in("aNN@example.com", address="192.0.2.9")["statusCode"] == 429


def test_a_right_password_waits_like_any_other_and_then_ends_the_waits(call: Call) -> None:
    stored("ann@example.com")
    for _ in range(6):
        sign_in("ann@example.com")
    assert sign_in("ann@example.com", GOOD)["statusCode"] == 429
    time_goes_by(3)
    assert sign_in("ann@example.com", GOOD)["statusCode"] == 200
    assert [sign_in("ann@example.com", address="192.0.2.7")["statusCode"] for _ in range(7)] == [401] * 6 + [429]


def test_signing_in_again_and_again_is_no_guessing(call: Call) -> None:
    stored("ann@example.com")
    assert {sign_in("ann@example.com", GOOD)["statusCode"] for _ in range(50)} == {200}


def cookie_of(answer: Any) -> str:
    (cookie,) = answer["cookies"]
    return str(cookie)


def test_nobody_is_held_up_by_others_in_a_browser_that_was_used_before(call: Call) -> None:
    stored("ann@example.com")
    cookie = cookie_of(sign_in("ann@example.com", GOOD))
    name, *attributes = cookie.split("; ")
    assert re.fullmatch(r"__Secure-retainstream_browser=[\w-]{22}", name)
    assert set(attributes) == {"Path=/api/auth/login", "Max-Age=15552000", "HttpOnly", "Secure", "SameSite=Strict"}
    mine = [cookie.partition(";")[0]]
    for number in range(30):
        sign_in(f"user{number}@example.com")  # the address has to wait, too
    assert 429 in (sign_in("ann@example.com", address="192.0.2.3")["statusCode"] for _ in range(20))
    assert sign_in("ann@example.com", GOOD)["statusCode"] == 429
    assert sign_in("ann@example.com", GOOD, address="192.0.2.2")["statusCode"] == 429
    again = sign_in("ann@example.com", GOOD, cookies=["theme=dark", *mine])
    assert again["statusCode"] == 200
    assert cookie_of(again).partition(";")[0] == mine[0]
    assert [sign_in("ann@example.com", cookies=mine)["statusCode"] for _ in range(7)] == [401] * 6 + [429]
    time_goes_by(3)
    assert sign_in("ann@example.com", GOOD, cookies=mine)["statusCode"] == 200


def test_a_known_browser_without_the_prefix_of_its_cookie_is_none(call: Call) -> None:
    stored("ann@example.com")
    mine = cookie_of(sign_in("ann@example.com", GOOD)).partition(";")[0]
    assert 429 in (sign_in("ann@example.com")["statusCode"] for _ in range(20))
    assert sign_in("ann@example.com", GOOD, cookies=[mine.removeprefix("__Secure-")])["statusCode"] == 429
    assert sign_in("ann@example.com", GOOD, cookies=[mine])["statusCode"] == 200


@pytest.mark.parametrize(
    "cookie",
    [
        "__Secure-retainstream_browser=AAAAAAAAAAAAAAAAAAAAAA",
        "__Secure-retainstream_browser=",
        "__Secure-retainstream_browser=" + "a" * 8000,
        "__Secure-retainstream_browser=\ud800",
        "__Secure-retainstream_browser=AAAAAAAAAAAAAAAAAAAAA\n",
    ],
)
def test_a_made_up_browser_is_none(call: Call, cookie: str) -> None:
    stored("ann@example.com")
    assert [sign_in("ann@example.com", cookies=[cookie])["statusCode"] for _ in range(7)] == [401] * 6 + [429]
    time_goes_by(3)
    answer = sign_in("ann@example.com", GOOD, cookies=[cookie])
    assert answer["statusCode"] == 200
    assert not cookie_of(answer).startswith(f"{cookie};")


def test_a_browser_is_known_for_its_own_account_only(call: Call) -> None:
    stored("ann@example.com")
    stored("eve@example.com")
    eves = [cookie_of(sign_in("eve@example.com", GOOD)).partition(";")[0]]
    for _ in range(6):
        sign_in("ann@example.com", cookies=eves)
    assert sign_in("ann@example.com", GOOD, cookies=eves)["statusCode"] == 429
    assert sign_in("eve@example.com", GOOD, cookies=eves)["statusCode"] == 200


def test_a_browser_is_forgotten_after_half_a_year(call: Call) -> None:
    stored("ann@example.com")
    mine = [cookie_of(sign_in("ann@example.com", GOOD)).partition(";")[0]]
    time_goes_by(181 * 24 * 3600)
    for _ in range(6):
        sign_in("ann@example.com")
    assert sign_in("ann@example.com", GOOD, cookies=mine)["statusCode"] == 429


def test_signing_in_to_ones_own_account_does_not_make_up_for_guesses_at_others(guessing: Guessing) -> None:
    own = guessing.sign_in("eve@example.com", Visitor("192.0.2.1"))
    for number in range(20):
        guessing.sign_in(f"user{number}@example.com", Visitor("192.0.2.1"))
    guessing.right(own)
    with pytest.raises(TooManyGuesses):
        guessing.sign_in("ann@example.com", Visitor("192.0.2.1"))
    with pytest.raises(TooManyGuesses):
        guessing.sign_in("eve@example.com", Visitor("192.0.2.1"))


def test_an_account_that_waits_costs_its_address_nothing(guessing: Guessing) -> None:
    for number in range(50):
        if number < 6:
            guessing.sign_in("ann@example.com", Visitor(f"198.51.100.{number}"))
        else:
            with pytest.raises(TooManyGuesses):
                guessing.sign_in("ann@example.com", Visitor("192.0.2.1"))
    assert guessing.sign_in("bob@example.com", Visitor("192.0.2.1"))


def change(call: Call, current: str, user: str = "ann@example.com") -> Answer:
    body = {"current_password": current, "new_password": "five other words, unrelated"}
    return call("auth", "POST", "/api/auth/password", body, role="viewer", user=user)


def test_whoever_holds_a_token_cannot_guess_the_password_either(call: Call) -> None:
    stored("ann@example.com")
    stored("bob@example.com")
    assert [change(call, "wrong").status for _ in range(7)] == [422] * 6 + [429]
    assert re.fullmatch("[12]", change(call, GOOD).headers["Retry-After"])
    assert sign_in("ann@example.com", GOOD)["statusCode"] == 200
    assert change(call, GOOD, "bob@example.com").status == 200
    time_goes_by(3)
    assert change(call, GOOD).status == 200


def test_waits_at_signing_in_do_not_keep_anybody_from_another_password(call: Call) -> None:
    stored("ann@example.com")
    for _ in range(7):
        sign_in("ann@example.com")
    assert change(call, GOOD).status == 200


def test_addresses_and_accounts_are_not_readable_where_guesses_are_kept(call: Call) -> None:
    stored("ann@example.com")
    sign_in("ann@example.com")
    sign_in("ann@example.com", GOOD)
    keys = [item["key"]["S"] for item in stored_items(settings().rate_limits_table) if "forgotten_at" in item]
    assert {key.partition("#")[0] for key in keys} == {"account", "address", "browser"}
    assert not any("ann" in key or "example" in key for key in keys)


def test_what_is_remembered_goes_away(guessing: Guessing, clock: Clock) -> None:
    attempt = guessing.sign_in("ann@example.com", Visitor("192.0.2.1"))
    for item in stored_items(settings().rate_limits_table):
        assert clock.now < int(item["expires_at"]["N"]) <= clock.now + 901
    guessing.right(attempt)
    assert GuessRecords().get(attempt.own.subject) == Guesses()
    assert attempt.shared
    assert GuessRecords().get(attempt.shared.subject).wait_until == 0


@pytest.mark.parametrize("value", ["198.51.100.7", "198.51.100.7, 192.0.2.1", "for=198.51.100.7"])
def test_what_headers_say_of_the_address_is_not_believed(call: Call, value: str) -> None:
    for number in range(21):
        sign_in(f"user{number}@example.com")
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "cloudfront-viewer-address"):
        assert sign_in("ann@example.com", **{name: value})["statusCode"] == 429
    assert sign_in("ann@example.com", address="198.51.100.7")["statusCode"] == 401


@pytest.mark.parametrize("who", ["ann", "ann, wrong", "nobody", "disabled", "without a hash", "with half a hash"])
def test_every_sign_in_costs_one_comparison_of_the_same_work(call: Call, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("ann@example.com")
    gone = stored("disabled@example.com")
    Users().change(gone, role=Role.VIEWER, status="disabled", tokens_valid_from=0)
    for name, kept in (("empty", ""), ("half", gone.password_hash[:59])):
        Users().add(User(f"{name}@example.com", "x", Role.VIEWER, kept, "2026-01-01T00:00:00+00:00"))
    email = {"ann, wrong": "ann", "without a hash": "empty", "with half a hash": "half"}.get(who, who)
    worked: list[bytes] = []
    verify = low_level.verify_secret

    def watched(kept: bytes, secret: bytes, kind: low_level.Type) -> bool:
        worked.append(kept)
        return verify(kept, secret, kind)

    monkeypatch.setattr("argon2._password_hasher.verify_secret", watched)
    asked: list[str] = []

    def ask(model: Any, **_: Any) -> None:
        asked.append(model.name)

    dynamodb().meta.events.register("before-call", ask)
    answer = sign_in(f"{email}@example.com", "wrong" if who == "ann, wrong" else GOOD)
    dynamodb().meta.events.unregister("before-call", ask)
    assert answer["statusCode"] == (200 if who == "ann" else 401)
    (compared,) = (kept for kept in worked if len(kept) > 90)
    assert compared.startswith(b"$argon2id$v=19$m=19456,t=2,p=1$")
    if who != "ann":
        assert asked == ["UpdateItem", "GetItem", "PutItem", "GetItem", "PutItem", "GetItem"]
