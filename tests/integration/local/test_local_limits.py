"""Limits hold through the gateway of the running stack, with every request on a connection of its own and a story about its address."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.stack import LocalStack

PARAMETERS = {"SelfRegistration": "open", "RateLimitAnonymous": "60", "RateLimitUser": "70", "WrongPasswordsAccount": "3"}
GOOD = "four unrelated words here"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    told: list[str] = []
    with LocalStack(report=told.append, parameters=PARAMETERS) as stack:
        yield stack.url
    assert told == []


def two_hundred(ask: Callable[[int], httpx.Response]) -> dict[int, list[httpx.Response]]:
    """The answers to 200 requests at once, by the window they were counted in: there are two when one ended meanwhile."""
    windows = defaultdict(list)

    def one(number: int) -> None:
        answer = ask(number)
        windows[round((time.time() + int(answer.headers["ratelimit-reset"])) / 900)].append(answer)

    with ThreadPoolExecutor(32) as pool:
        assert len(list(pool.map(one, range(200)))) == 200
    return windows


def assert_exact(windows: dict[int, list[httpx.Response]], limit: int, before: int = 0) -> None:
    for answers in windows.values():
        passed = [answer for answer in answers if answer.status_code != 429]
        assert len(passed) == min(len(answers), limit - before)
        assert {answer.headers["ratelimit-limit"] for answer in answers} == {str(limit)}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 429)


def stories(number: int) -> dict[str, str]:
    address = f"198.51.100.{number}"
    return {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Real-IP": address, "CF-Connecting-IP": address}


def test_a_known_browser_passes_where_others_wait(url: str) -> None:
    def sign_in(password: str, cookie: str = "") -> httpx.Response:
        body = {"email": "bob@example.com", "password": password}
        return httpx.post(f"{url}/api/auth/login", json=body, headers={"Cookie": cookie} if cookie else {}, timeout=30)

    assert httpx.post(f"{url}/api/auth/register", json={"email": "bob@example.com", "password": GOOD}, timeout=30).status_code == 201
    known = sign_in(GOOD).headers["set-cookie"].partition(";")[0]
    waits = [answer for answer in (sign_in("wrong") for _ in range(8)) if answer.status_code == 429]
    assert waits
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in waits)
    assert sign_in(GOOD, f"a=b; {known}; c=d").status_code == 200


def test_of_two_hundred_at_once_exactly_so_many_pass(url: str) -> None:
    registered = httpx.post(f"{url}/api/auth/register", json={"email": "ann@example.com", "password": GOOD}, timeout=30)
    assert registered.status_code == 201
    token = registered.json()["data"]["token"]
    as_user = two_hundred(lambda _: httpx.get(f"{url}/api/auth/me", headers={"Authorization": f"Bearer {token}"}, timeout=60))
    assert_exact(as_user, 70)

    def as_nobody(number: int) -> httpx.Response:
        return httpx.get(f"{url}/api/auth/me", headers={"Authorization": f"Bearer x{number}", **stories(number)}, timeout=60)

    first = as_nobody(0)
    anonymous = two_hundred(as_nobody)
    same_window = round((time.time() + int(first.headers["ratelimit-reset"])) / 900) == max(anonymous)
    assert_exact(anonymous, 60, before=60 - int(first.headers["ratelimit-remaining"]) if same_window else 0)
