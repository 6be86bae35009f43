"""API Gateway remembers for five minutes what the authorizer said of a token; what is changed meanwhile counts at once, at every door."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from retainstream.accounts.passwords import hashed
from retainstream.accounts.sessions import Sessions
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.users import User, Users
from tests import patience
from tests.integration.at_once import answer_of, at_once, instances
from tests.integration.conftest import Answer, authorized, http_event, lambda_context, load_function
from tests.stored import stored_items

Call = Callable[..., Answer]
GOOD, BETTER = "four unrelated words here", "five other words, unrelated"
HASH = hashed(GOOD)
DOORS = [
    ("auth", "GET", "/api/auth/users", Role.ADMIN),
    ("auth", "GET", "/api/auth/me", Role.VIEWER),
    ("customers", "GET", "/api/customers/imports", Role.ANALYST),
    ("dashboard", "POST", "/api/dashboard/recount", Role.ADMIN),
    ("model", "POST", "/api/model/train", Role.ADMIN),
    ("model", "GET", "/api/model/versions", Role.VIEWER),
    ("predictions", "GET", "/api/predictions/runs/x", Role.VIEWER),
]


class Clock:
    """The time for functions that are loaded from now on, and for the edge."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, into_window: float) -> None:
        self.now = time.time() // 900 * 900 + into_window
        monkeypatch.setattr(time, "time", lambda: self.now)
        load_function.cache_clear()
        for function in ("auth", "authorizer"):
            realm = load_function(function).sessions().realm
            monkeypatch.setattr(load_function(function), "sessions", lambda realm=realm: Sessions(realm, clock=lambda: self.now))


@pytest.fixture
def people(aws: None) -> None:
    load_function.cache_clear()
    for name, role in (("root", Role.ADMIN), ("ann", Role.ADMIN), ("bob", Role.ANALYST), ("eve", Role.VIEWER)):
        Users().add(User(f"{name}@example.com", name, role, HASH, "2026-01-01T00:00:00+00:00"))


def sign_in(call: Call, name: str, password: str = GOOD) -> str:
    answer = call("auth", "POST", "/api/auth/login", {"email": f"{name}@example.com", "password": password}, role=None)
    assert answer.status == 200, answer.body
    return str(answer.body["data"]["token"])


def ask(context: dict[str, str], module: str, method: str, path: str, body: str | None = None) -> int:
    event = http_event(method, path, body=body, headers={"content-type": "application/json"}, principal=context)
    status: int = load_function(module).handler(event, lambda_context(module))["statusCode"]
    return status


def doors(context: dict[str, str]) -> dict[Role, set[int]]:
    """What the doors say, by the role they ask for."""
    said: dict[Role, set[int]] = {}
    for module, method, path, role in DOORS:
        status = ask(context, module, method, path)
        said.setdefault(role, set()).add(status if status in {401, 403} else 200)
    return said


def change(call: Call, name: str, **what: str) -> Answer:
    return call("auth", "PATCH", "/api/auth/users", {"email": f"{name}@example.com", **what}, user="root@example.com")


def test_a_disabled_users_token_is_dead_at_once_at_every_door(people: None, call: Call) -> None:
    context = authorized(sign_in(call, "ann"))
    assert doors(context) == {Role.ADMIN: {200}, Role.ANALYST: {200}, Role.VIEWER: {200}}
    assert change(call, "ann", status="disabled").status == 200
    assert doors(context) == {Role.ADMIN: {401}, Role.ANALYST: {401}, Role.VIEWER: {401}}


@pytest.mark.parametrize("seconds", [0, 299, 600, 899])
def test_it_is_dead_for_as_long_as_api_gateway_remembers_it(
    people: None, call: Call, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    clock = Clock(monkeypatch, seconds)
    token = sign_in(call, "ann")
    context = authorized(token)
    assert ask(context, "model", "GET", "/api/model/versions") == 200
    assert change(call, "ann", status="disabled").status == 200
    for _ in range(4):
        assert ask(context, "model", "GET", "/api/model/versions") == 401
        clock.now += 100
    assert authorized(token) == {"refused": "1"}


def test_another_role_counts_at_once_up_and_down(people: None, call: Call) -> None:
    context = authorized(sign_in(call, "ann"))
    assert change(call, "ann", role="analyst").status == 200
    assert doors(context) == {Role.ADMIN: {403}, Role.ANALYST: {200}, Role.VIEWER: {200}}
    assert change(call, "ann", role="viewer").status == 200
    assert doors(context) == {Role.ADMIN: {403}, Role.ANALYST: {403}, Role.VIEWER: {200}}
    assert change(call, "ann", role="admin").status == 200
    assert doors(context) == {Role.ADMIN: {200}, Role.ANALYST: {200}, Role.VIEWER: {200}}


def test_another_password_ends_every_other_session_at_once(people: None, call: Call) -> None:
    one, other = authorized(sign_in(call, "bob")), authorized(sign_in(call, "bob"))
    body = {"current_password": GOOD, "new_password": BETTER}
    answer = call("auth", "POST", "/api/auth/password", body, role="analyst", user=one["userId"], token_id=one["tokenId"])
    assert answer.status == 200
    assert doors(one) == doors(other) == {Role.ADMIN: {401}, Role.ANALYST: {401}, Role.VIEWER: {401}}
    assert doors(authorized(answer.body["data"]["token"]))[Role.ANALYST] == {200}
    assert doors(authorized(sign_in(call, "bob", BETTER)))[Role.ANALYST] == {200}


def test_what_is_changed_of_one_is_not_of_another(people: None, call: Call) -> None:
    bob, eve = authorized(sign_in(call, "bob")), authorized(sign_in(call, "eve"))
    assert change(call, "bob", status="disabled").status == 200
    assert doors(eve)[Role.VIEWER] == {200}
    assert doors(bob)[Role.VIEWER] == {401}


def test_a_user_who_is_let_in_again_signs_in_again(people: None, call: Call) -> None:
    old = authorized(sign_in(call, "bob"))
    assert change(call, "bob", status="disabled").status == change(call, "bob", status="active").status == 200
    assert doors(old)[Role.VIEWER] == {401}
    assert doors(authorized(sign_in(call, "bob")))[Role.ANALYST] == {200}


def test_a_demoted_administrator_can_do_nothing_with_what_is_remembered(people: None, call: Call) -> None:
    context = authorized(sign_in(call, "ann"))
    assert change(call, "ann", role="viewer").status == 200
    for body in ('{"email": "ann@example.com", "role": "admin"}', '{"email": "root@example.com", "status": "disabled"}'):
        assert ask(context, "auth", "PATCH", "/api/auth/users", body) == 403
    assert ask(context, "auth", "POST", "/api/auth/users", f'{{"email": "new@example.com", "password": "{GOOD}", "role": "admin"}}') == 403
    assert {user.email: user.role for user in Users().everyone()}["ann@example.com"] is Role.VIEWER
    assert Users().get("new@example.com") is None


@pytest.mark.parametrize("what", ['"role": "viewer"', '"status": "disabled"', '"role": "analyst", "status": "disabled"'])
def test_administrators_who_remove_each_other_at_the_same_moment_leave_one(people: None, what: str) -> None:
    for number in range(4):
        Users().add(User(f"admin{number}@example.com", "x", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    admins = sorted(user.email for user in Users().everyone() if user.role is Role.ADMIN)
    events = []
    for mine, theirs in zip(admins, admins[1:] + admins[:1], strict=True):
        context = {"userId": mine, "role": "admin", "tokenId": "t", "tokenExpires": "1999999999"}
        body = f'{{"email": "{theirs}", {what}}}'
        events.append(http_event("PATCH", "/api/auth/users", body=body, headers={"content-type": "application/json"}, principal=context))
    for _ in range(6):
        statuses = Counter(answer["statusCode"] for answer in at_once("auth", events, number=6))
        assert set(statuses) <= {200, 401, 403, 409, 503}, statuses
        assert any(user.administers for user in Users().everyone())


@pytest.mark.parametrize("seed", range(3))
def test_two_who_remove_each_other_leave_one(aws: None, seed: int) -> None:
    load_function.cache_clear()
    for name in ("ann", "bob"):
        Users().add(User(f"{name}@example.com", name, Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    barrier = threading.Barrier(2, timeout=patience.SECONDS)

    def remove(mine: str, theirs: str) -> int:
        context = {"userId": f"{mine}@example.com", "role": "admin", "tokenId": "t", "tokenExpires": "1999999999"}
        body = f'{{"email": "{theirs}@example.com", "{("role", "status")[seed % 2]}": "{("viewer", "disabled")[seed % 2]}"}}'
        event = http_event("PATCH", "/api/auth/users", body=body, headers={"content-type": "application/json"}, principal=context)
        (instance,) = instances("auth", 1)
        barrier.wait()
        status: int = answer_of(instance, "auth", event)["statusCode"]
        return status

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(remove, ("ann", "bob"), ("bob", "ann")))
    assert statuses.count(200) <= 1, statuses
    assert [user.administers for user in Users().everyone()].count(True) >= 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("role"), st.sampled_from(list(Role))),
        st.tuples(st.just("status"), st.sampled_from(["active", "disabled"])),
        st.tuples(st.sampled_from(["sign in", "sign out"]), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 299)),
    ),
    max_size=8,
)


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_a_remembered_token_is_worth_what_a_fresh_look_at_it_would_be(
    call: Call, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, Any]]
) -> None:
    for table, key in ((settings().users_table, "email"), (settings().rate_limits_table, "key")):
        for item in stored_items(table):
            dynamodb().delete_item(TableName=table, Key={key: item[key]})
    for name, role in (("root", Role.ADMIN), ("ann", Role.ANALYST)):
        Users().add(User(f"{name}@example.com", name, role, HASH, "2026-01-01T00:00:00+00:00"))
    body = {"email": "ann@example.com", "password": GOOD}
    remembered: list[tuple[str, float, dict[str, str]]] = []
    with monkeypatch.context() as patch:
        clock = Clock(patch, 450)
        for kind, value in [("sign in", None), *steps]:
            if kind in {"role", "status"}:
                assert change(call, "ann", **{kind: value}).status == 200
            elif kind == "wait":
                clock.now += value
            elif kind == "sign out" and remembered:
                ask(remembered[-1][2], "auth", "POST", "/api/auth/logout")
            elif kind == "sign in" and (answer := call("auth", "POST", "/api/auth/login", body, role=None)).status == 200:
                token = answer.body["data"]["token"]
                remembered.append((token, clock.now, authorized(token)))
            for token, since, context in remembered:
                if clock.now - since < 300:
                    fresh = authorized(token)
                    expected = 401 if "refused" in fresh else 200 if fresh["role"] == "admin" else 403
                    assert ask(context, "auth", "GET", "/api/auth/users") == expected, (kind, value)
