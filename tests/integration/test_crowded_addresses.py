"""Anonymous requests that use up an address keep nobody out of a browser that has signed in before."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from retainstream.accounts.accounts import new_user
from retainstream.http.admission import SIGN_INS_OF_A_KNOWN_BROWSER
from retainstream.settings import settings
from retainstream.storage.users import Users
from tests.integration.conftest import http_event, lambda_context, load_function
from tests.stored import stored_items

GOOD = "four unrelated words here"
LIMIT = 100


@pytest.fixture(autouse=True)
def people(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ann and Eve, and the default limits."""
    monkeypatch.setenv("RATE_LIMIT_ANONYMOUS", str(LIMIT))
    start = time.time() // 900 * 900
    monkeypatch.setattr(time, "time", lambda: start)  # no window ends in a test
    settings.cache_clear()
    load_function.cache_clear()
    for name in ("ann", "eve"):
        Users().add(new_user(f"{name}@example.com", GOOD))
    yield
    monkeypatch.undo()
    settings.cache_clear()


def post(body: str, *cookies: str, address: str = "192.0.2.1", path: str = "/api/auth/login", **headers: str) -> Any:
    event = http_event("POST", path, body=body, headers={"content-type": "application/json", **headers}, principal=None)
    event["requestContext"]["http"]["sourceIp"] = address
    return load_function("auth").handler(event | ({"cookies": list(cookies)} if cookies else {}), lambda_context("auth"))


def sign_in(name: str, *cookies: str, password: str = GOOD, **more: str) -> Any:
    return post(f'{{"email": "{name}@example.com", "password": "{password}"}}', *cookies, **more)


def browser_of(answer: Any) -> str:
    (cookie,) = answer["cookies"]
    return str(cookie).partition(";")[0]


def test_a_known_browser_signs_in_from_an_address_that_others_have_used_up() -> None:
    browser = browser_of(sign_in("ann"))
    for _ in range(LIMIT):
        post("{}")
    assert sign_in("ann")["statusCode"] == 429
    answer = sign_in("ann", "theme=dark", browser)
    assert answer["statusCode"] == 200
    assert answer["headers"]["RateLimit-Limit"] == str(SIGN_INS_OF_A_KNOWN_BROWSER)
    assert browser_of(answer) == browser


def test_the_allowance_of_a_known_browser_is_bounded_and_its_own() -> None:
    anns, eves = browser_of(sign_in("ann")), browser_of(sign_in("eve"))
    for _ in range(LIMIT):
        post("{}")
    answers = [sign_in("ann", anns) for _ in range(SIGN_INS_OF_A_KNOWN_BROWSER + 2)]
    assert [answer["statusCode"] for answer in answers] == [200] * SIGN_INS_OF_A_KNOWN_BROWSER + [429] * 2
    assert answers[-1]["headers"]["Retry-After"] == answers[-1]["headers"]["RateLimit-Reset"]
    assert sign_in("eve", eves)["statusCode"] == 200


def test_wrong_passwords_of_a_known_browser_wait_there_too() -> None:
    browser = browser_of(sign_in("ann"))
    for _ in range(LIMIT):
        post("{}")
    assert [sign_in("ann", browser, password="wrong")["statusCode"] for _ in range(7)] == [401] * 6 + [429]


@pytest.mark.parametrize("case", ["another account", "made up", "no account", "registration", "not JSON", "no fields"])
def test_nothing_else_passes_an_address_that_is_used_up(case: str) -> None:
    browser = browser_of(sign_in("ann"))
    for _ in range(LIMIT):
        post("{}")
    sent = {
        "another account": lambda: sign_in("eve", browser),
        "made up": lambda: sign_in("ann", "__Secure-retainstream_browser=AAAAAAAAAAAAAAAAAAAAAA"),
        "no account": lambda: sign_in("nobody", browser),
        "registration": lambda: post('{"email": "ann@example.com", "password": "x"}', browser, path="/api/auth/register"),
        "not JSON": lambda: post("[" * 100_000, browser),
        "no fields": lambda: post("{}", browser),
    }
    assert sent[case]()["statusCode"] == 429


def test_counts_of_browsers_do_not_show_their_accounts() -> None:
    browser = browser_of(sign_in("ann"))
    for _ in range(LIMIT):
        post("{}")
    sign_in("ann", browser)
    keys = [item["key"]["S"] for item in stored_items(settings().rate_limits_table)]
    assert not [key for key in keys if "ann" in key or browser.partition("=")[2] in key]
