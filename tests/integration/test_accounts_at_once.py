"""An administrator and the owner change one account at the same time: no order of their calls revives a session that one of them ended."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from retainstream.accounts.passwords import hashed
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.users import User, Users
from tests.integration.at_once import answer_of, instances
from tests.integration.conftest import Answer, authorized, http_event, lambda_context, load_function
from tests.interleaving import interleave
from tests.stored import stored_items

Call = Callable[..., Answer]
GOOD, BETTER = "four unrelated words here", "five other words, unrelated"
HASH = hashed(GOOD)
JSON = {"content-type": "application/json"}
ROOT = {"userId": "root@example.com", "role": "admin", "tokenId": "t", "tokenExpires": "1999999999"}
OF_ADMINISTRATOR = {
    "role": '{"email": "bob@example.com", "role": "viewer"}',
    "promotion": '{"email": "bob@example.com", "role": "admin"}',
}
DISABLING = '{"email": "bob@example.com", "status": "disabled"}'


def people() -> None:
    for table, key in ((settings().users_table, "email"), (settings().rate_limits_table, "key")):
        for item in stored_items(table):
            dynamodb().delete_item(TableName=table, Key={key: item[key]})
    Users().add(User("root@example.com", "root", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    Users().add(User("bob@example.com", "bob", Role.ANALYST, HASH, "2026-01-01T00:00:00+00:00"))


@pytest.fixture
def stack(aws: None) -> None:
    load_function.cache_clear()


def sign_in(call: Call) -> str:
    answer = call("auth", "POST", "/api/auth/login", {"email": "bob@example.com", "password": GOOD}, role=None)
    assert answer.status == 200, answer.body
    return str(answer.body["data"]["token"])


def caller(event: dict[str, Any], statuses: list[int]) -> Callable[[], None]:
    (instance,) = instances("auth", 1)
    return lambda: statuses.append(answer_of(instance, "auth", event)["statusCode"])


def patch(body: str) -> Any:
    return http_event("PATCH", "/api/auth/users", body=body, headers=JSON, principal=ROOT)


def at(point: int, first: int) -> Callable[[Sequence[int]], int]:
    """One caller makes so many calls, then the other all of its own, then the first goes on."""
    calls = count()

    def choose(waiting: Sequence[int]) -> int:
        preferred = first if next(calls) < point else 1 - first
        return preferred if preferred in waiting else waiting[0]

    return choose


@pytest.mark.parametrize("first", [0, 1], ids=["administrator first", "owner first"])
@pytest.mark.parametrize("body", OF_ADMINISTRATOR.values(), ids=OF_ADMINISTRATOR)
def test_a_role_change_revives_no_session_that_a_password_change_ended(stack: None, call: Call, body: str, first: int) -> None:
    change = f'{{"current_password": "{GOOD}", "new_password": "{BETTER}"}}'
    for point in count():
        people()
        stolen, owner = sign_in(call), authorized(sign_in(call))
        remembered = authorized(stolen)
        password = http_event("POST", "/api/auth/password", body=change, headers=JSON, principal=owner)
        of_administrator, of_owner = list[int](), list[int]()
        order = interleave([caller(patch(body), of_administrator), caller(password, of_owner)], at(point, first))
        assert of_owner == [200]
        assert of_administrator == [200]
        assert authorized(stolen) == {"refused": "1"}, order
        asked = http_event("GET", "/api/auth/me", headers={}, principal=remembered)
        assert load_function("auth").handler(asked, lambda_context("auth"))["statusCode"] == 401, order
        if order.count(first) <= point:
            break
    assert point >= 3


@pytest.mark.parametrize("first", [0, 1], ids=["administrator first", "sign-in first"])
def test_a_new_hash_of_the_same_password_revives_no_session_that_disabling_ended(
    stack: None, call: Call, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    login = '{"email": "bob@example.com", "password": "' + GOOD + '"}'
    for point in count():
        people()
        stolen = sign_in(call)
        with monkeypatch.context() as outdated:
            outdated.setattr("argon2.PasswordHasher.check_needs_rehash", lambda *_: True)
            event = http_event("POST", "/api/auth/login", body=login, headers=JSON, principal=None)
            of_administrator, of_owner = list[int](), list[int]()
            order = interleave([caller(patch(DISABLING), of_administrator), caller(event, of_owner)], at(point, first))
        assert of_administrator == [200]
        enable = http_event("PATCH", "/api/auth/users", body=DISABLING.replace("disabled", "active"), headers=JSON, principal=ROOT)
        assert load_function("auth").handler(enable, lambda_context("auth"))["statusCode"] == 200
        assert authorized(stolen) == {"refused": "1"}, order
        if order.count(first) <= point:
            break
    assert point >= 3
