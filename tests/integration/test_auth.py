"""Accounts and sessions, through the doors of the auth and authorizer functions."""

import base64
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher
from botocore.exceptions import EndpointConnectionError

from retainstream.accounts.accounts import new_user
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, kms
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.users import NoAdministratorLeft, User, Users
from tests.integration.conftest import Answer, lambda_context, load_function

Call = Callable[..., Answer]
GOOD = "four unrelated words here"
BETTER = "five other words, unrelated"


@pytest.fixture(autouse=True)
def _new_processes() -> None:
    load_function.cache_clear()


def authorize(header: str | None, name: str = "authorization") -> dict[str, Any]:
    """What the authorizer answers API Gateway about an Authorization header."""
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:test/$default/GET/api/auth/me",
        "identitySource": [header] if header else None,
        "headers": {"accept": "*/*", **({name: header} if header is not None else {})},
        "requestContext": {"requestId": "request-1", "http": {"method": "GET", "path": "/api/auth/me"}},
    }
    answer: dict[str, Any] = load_function("authorizer").handler(event, lambda_context("authorizer"))
    assert answer["isAuthorized"] is True
    assert all(isinstance(value, str) for value in answer["context"].values())
    return dict(answer["context"])


def register(call: Call, email: str = "ann@example.com", password: str = GOOD, **more: Any) -> str:
    answer = call("auth", "POST", "/api/auth/register", {"email": email, "password": password, **more}, role=None)
    assert answer.status == 201, answer.body
    return str(answer.body["data"]["token"])


def sign_in(call: Call, email: str = "ann@example.com", password: str = GOOD) -> Answer:
    return call("auth", "POST", "/api/auth/login", {"email": email, "password": password}, role=None)


def as_bearer(call: Call, token: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
    """A request with a token, as it reaches the module: through the authorizer."""
    context = authorize(f"Bearer {token}")
    if "refused" in context:
        return call("auth", method, path, body, role=None, **more)
    first = "mustChangePassword" in context
    who = {"user": context["userId"], "role": context["role"], "token_id": context["tokenId"], "first_password": first}
    return call("auth", method, path, body, **who, **more)


def stored(email: str, *, role: Role = Role.VIEWER, password: str = GOOD) -> User:
    user = new_user(email, password, role=role, check_password=False)
    Users().add(user)
    return user


def problem(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["request_id"]
    return str(answer.body["type"].rpartition(":")[2])


def fields(answer: Answer) -> set[str]:
    return {error["field"] for error in answer.body["errors"]}


def test_registering_signs_in_a_viewer(call: Call) -> None:
    answer = call("auth", "POST", "/api/auth/register", {"email": " Ann@Example.com ", "password": GOOD, "name": "Ann Lee"}, role=None)
    assert answer.status == 201
    assert answer.body["data"]["user"] == {"email": "ann@example.com", "name": "Ann Lee", "role": "viewer", "must_change_password": False}
    assert authorize(f"Bearer {answer.body['data']['token']}").items() >= {"userId": "ann@example.com", "role": "viewer"}.items()


def test_signing_in_answers_a_token_of_24_hours(call: Call) -> None:
    register(call)
    answer = sign_in(call, "ANN@Example.COM")
    assert answer.status == 200
    assert answer.body["data"]["user"] == {"email": "ann@example.com", "name": "ann", "role": "viewer", "must_change_password": False}
    context = authorize(f"bearer {answer.body['data']['token']}", "Authorization")
    assert answer.body["data"]["expires_at"].endswith("+00:00")
    me = call("auth", "GET", "/api/auth/me", role="viewer", user=context["userId"], token_id=context["tokenId"])
    assert me.status == 200
    assert me.body["data"].items() >= {"email": "ann@example.com", "role": "viewer"}.items()


def test_an_address_can_register_once_in_whatever_spelling(call: Call) -> None:
    register(call)
    for spelling in ("ann@example.com", "ANN@EXAMPLE.COM", "  Ann@example.com", "\uff41nn@example.com"):
        answer = call("auth", "POST", "/api/auth/register", {"email": spelling, "password": BETTER}, role=None)
        assert answer.status == 409
        assert problem(answer) == "conflict"
    assert sign_in(call).status == 200
    assert sign_in(call, password=BETTER).status == 401


def test_of_many_who_register_an_address_at_once_one_does(call: Call) -> None:
    def add(number: int) -> bool:
        try:
            Users().add(new_user("ann@example.com", f"{GOOD} {number}"))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(16))) == 1


@pytest.fixture
def registration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    def allow(mode: str, domain: str = "") -> None:
        monkeypatch.setenv("SELF_REGISTRATION", mode)
        monkeypatch.setenv("REGISTRATION_DOMAIN", domain)
        settings.cache_clear()
        load_function.cache_clear()

    yield allow
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    ("mode", "domain", "email", "status"),
    [
        ("open", "", "ann@elsewhere.example", 201),
        ("closed", "", "ann@example.com", 403),
        ("closed", "example.com", "ann@example.com", 403),
        ("domain", "Example.com", "ann@EXAMPLE.com", 201),
        ("domain", "example.com", "ann@sub.example.com", 403),
        ("domain", "example.com", "ann@notexample.com", 403),
        ("domain", "example.com", "ann@example.com.attacker.example", 403),
        ("domain", "", "ann@example.com", 403),
    ],
)
def test_who_may_register(call: Call, registration: Callable[[str, str], None], mode: str, domain: str, email: str, status: int) -> None:
    registration(mode, domain)
    answer = call("auth", "POST", "/api/auth/register", {"email": email, "password": GOOD}, role=None)
    assert answer.status == status
    if status == 403:
        assert problem(answer) == "registration-closed"
        assert Users().everyone() == []


BAD_REGISTRATIONS: list[tuple[Any, int, str | None]] = [
    ({}, 422, "body.email"),
    ({"email": "ann@example.com"}, 422, "body.password"),
    ({"email": None, "password": GOOD}, 422, "body.email"),
    ({"email": 7, "password": GOOD}, 422, "body.email"),
    ({"email": ["ann@example.com"], "password": GOOD}, 422, "body.email"),
    ({"email": "ann", "password": GOOD}, 422, "body.email"),
    ({"email": "a" * 10_000 + "@example.com", "password": GOOD}, 422, "body.email"),
    ({"email": "\u0430nn@example.com", "password": GOOD}, 422, "body.email"),
    ({"email": "ann@example.com", "password": 12345678}, 422, "body.password"),
    ({"email": "ann@example.com", "password": True}, 422, "body.password"),
    ({"email": "ann@example.com", "password": ""}, 422, "body.password"),
    ({"email": "ann@example.com", "password": "kxwqzvt"}, 422, "body.password"),
    ({"email": "ann@example.com", "password": "password1"}, 422, "body.password"),
    ({"email": "ann@example.com", "password": "ann@example.com"}, 422, "body.password"),
    ({"email": "ann@example.com", "password": "kxwqzvtb" * 16 + "q"}, 422, "body.password"),
    ({"email": "ann@example.com", "password": "x" * 100_000}, 422, "body.password"),
    ({"email": "ann@example.com", "password": GOOD, "role": "admin"}, 422, "body.role"),
    ({"email": "ann@example.com", "password": GOOD, "tokens_valid_from": 0}, 422, "body.tokens_valid_from"),
    ({"email": "ann@example.com", "password": GOOD, "name": ""}, 422, "body.name"),
    ({"email": "ann@example.com", "password": GOOD, "name": "a\nb"}, 422, "body.name"),
    ({"email": "ann@example.com", "password": GOOD, "name": "a" * 101}, 422, "body.name"),
    ({"email": "ann@example.com", "password": GOOD, "name": 1}, 422, "body.name"),
    ([], 422, None),
    ("text", 422, None),
    (7, 422, None),
    (None, 422, None),
]


@pytest.mark.parametrize(("body", "status", "field"), BAD_REGISTRATIONS, ids=range(len(BAD_REGISTRATIONS)))
def test_a_bad_registration_is_refused_and_nothing_is_written(call: Call, body: Any, status: int, field: str | None) -> None:
    answer = call("auth", "POST", "/api/auth/register", body, role=None)
    assert answer.status == status
    assert problem(answer) == "invalid-request"
    if field:
        assert field in fields(answer)
    assert Users().everyone() == []


@pytest.mark.parametrize("path", ["register", "login", "password"])
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("", 422),
        ("{", 400),
        ('{"email": NaN, "password": Infinity}', 400),
        ("{'email': 'ann@example.com'}", 400),
        (b'{"email": "\xff\xfe"}', 400),
        (r'{"email": "ann@example.com", "password": "kxwqzvtb\ud800"}', 400),
        ("[" * 100_000, 400),
        ('{"email": "' + "x" * 10_000_000 + '"}', 413),
    ],
    ids=["empty", "malformed", "NaN", "quotes", "not UTF-8", "half a pair", "deep", "10 MB"],
)
def test_an_unreadable_body_is_refused(call: Call, path: str, raw: str | bytes, status: int) -> None:
    stored("ann@example.com")
    answer = call("auth", "POST", f"/api/auth/{path}", raw=raw)
    assert answer.status == status
    problem(answer)


def test_a_refused_sign_in_says_the_same_whatever_was_wrong(call: Call) -> None:
    register(call)
    stored("bob@example.com", role=Role.ANALYST)
    user = Users().get("bob@example.com")
    assert user
    Users().change(user, role=Role.ANALYST, status="disabled", tokens_valid_from=0)
    answers = [
        sign_in(call, password="wrong"),
        sign_in(call, password=GOOD.upper()),
        sign_in(call, "nobody@example.com"),
        sign_in(call, "bob@example.com"),
        sign_in(call, "bob@example.com", "wrong"),
        sign_in(call, "alex@\uff45xample.com"),
    ]
    assert {answer.status for answer in answers} == {401}
    for answer in answers:
        assert problem(answer) == "wrong-credentials"
        answer.body.pop("request_id")
        for counted in ("RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id"):
            answer.headers.pop(counted)
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Basic YW5uOnNlY3JldA==",
        "token",
        "Bearer token",
        "Bearer " + "a" * 100_000,
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer \u00fc",
    ],
)
def test_a_bad_authorization_header_is_nobodys(call: Call, header: str | None) -> None:
    assert authorize(header) == {"refused": "1"}


def test_a_request_without_headers_is_nobodys(aws: None) -> None:
    event = {"version": "2.0", "type": "REQUEST", "requestContext": {"requestId": "r"}}
    assert load_function("authorizer").handler(event, lambda_context("authorizer"))["context"] == {"refused": "1"}


def test_a_token_of_another_stack_is_nobodys(call: Call) -> None:
    token = register(call)
    assert "userId" in authorize(f"Bearer {token}")
    new_key = kms().create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms().update_alias(AliasName=settings().signing_key_id, TargetKeyId=new_key)
    load_function.cache_clear()
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    assert "userId" in authorize(f"Bearer {sign_in(call).body['data']['token']}")


def test_a_token_of_a_user_who_is_gone_is_nobodys(call: Call) -> None:
    token = register(call)
    dynamodb().delete_item(TableName=settings().users_table, Key={"email": {"S": "ann@example.com"}})
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    answer = call("auth", "GET", "/api/auth/me", role="viewer", user="ann@example.com")
    assert (answer.status, problem(answer)) == (401, "unauthenticated")


def test_signing_out_revokes_the_token_at_once_although_api_gateway_remembers_it(call: Call) -> None:
    token, other = register(call), sign_in(call).body["data"]["token"]
    remembered = authorize(f"Bearer {token}")
    as_remembered = {"user": remembered["userId"], "role": remembered["role"], "token_id": remembered["tokenId"]}
    assert call("auth", "GET", "/api/auth/me", **as_remembered).status == 200
    answer = call("auth", "POST", "/api/auth/logout", **as_remembered)
    assert (answer.status, answer.body) == (200, {"data": {"signed_out": True}})
    for method, path in (("GET", "me"), ("POST", "logout"), ("POST", "password")):
        refused = call("auth", method, f"/api/auth/{path}", **as_remembered)
        assert (refused.status, problem(refused)) == (401, "unauthenticated")
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    assert as_bearer(call, other, "GET", "/api/auth/me").status == 200


def test_a_revoked_token_stays_revoked_in_the_next_window(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    context = authorize(f"Bearer {register(call)}")
    who = {"user": context["userId"], "role": context["role"], "token_id": context["tokenId"]}
    assert call("auth", "POST", "/api/auth/logout", **who).status == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 899)
    assert call("auth", "GET", "/api/auth/me", **who).status == 401


def test_another_password_ends_all_sessions_and_opens_one(call: Call) -> None:
    first, second = register(call), sign_in(call).body["data"]["token"]
    remembered = authorize(f"Bearer {first}")
    answer = as_bearer(call, first, "POST", "/api/auth/password", {"current_password": GOOD, "new_password": BETTER})
    assert answer.status == 200
    assert authorize(f"Bearer {first}") == authorize(f"Bearer {second}") == {"refused": "1"}
    assert as_bearer(call, answer.body["data"]["token"], "GET", "/api/auth/me").status == 200
    still = call("auth", "GET", "/api/auth/me", user=remembered["userId"], role="viewer", token_id=remembered["tokenId"])
    assert still.status == 401
    assert sign_in(call).status == 401
    signed_in = sign_in(call, password=BETTER)
    assert signed_in.status == 200
    assert "userId" in authorize(f"Bearer {signed_in.body['data']['token']}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"current_password": "wrong", "new_password": BETTER}, "body.current_password"),
        ({"current_password": GOOD, "new_password": "password1"}, "body.new_password"),
        ({"current_password": GOOD, "new_password": "short"}, "body.new_password"),
        ({"new_password": BETTER}, "body.current_password"),
        ({"current_password": GOOD}, "body.new_password"),
        ({"current_password": GOOD, "new_password": BETTER, "email": "bob@example.com"}, "body.email"),
        ({"current_password": 1, "new_password": BETTER}, "body.current_password"),
    ],
)
def test_a_bad_change_of_password_changes_nothing(call: Call, body: Any, field: str) -> None:
    token = register(call)
    answer = as_bearer(call, token, "POST", "/api/auth/password", body)
    assert answer.status == 422
    assert field in fields(answer)
    assert as_bearer(call, token, "GET", "/api/auth/me").status == 200
    assert sign_in(call).status == 200


def test_the_new_password_is_no_second_guess_at_the_current_one(call: Call) -> None:
    token = register(call)
    guess = {"current_password": "wrong", "new_password": GOOD}
    answer = as_bearer(call, token, "POST", "/api/auth/password", guess)
    assert (answer.status, fields(answer)) == (422, {"body.current_password"})
    assert as_bearer(call, token, "GET", "/api/auth/me").status == 200


def test_a_change_that_was_interrupted_is_completed_by_its_own_token_alone(call: Call) -> None:
    own = authorize(f"Bearer {register(call)}")
    other = authorize(f"Bearer {sign_in(call).body['data']['token']}")
    body = {"current_password": GOOD, "new_password": BETTER}

    def change(context: dict[str, str]) -> Answer:
        return call("auth", "POST", "/api/auth/password", body, user=context["userId"], role="viewer", token_id=context["tokenId"])

    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://kms")

    kms().meta.events.register("before-send.kms.Sign", fail, unique_id="fail")
    assert change(own).status == 503
    kms().meta.events.unregister("before-send.kms.Sign", unique_id="fail")
    assert (answer := change(other)).status == 422
    assert fields(answer) == {"body.current_password"}
    completed = change(own)
    assert completed.status == 200
    assert as_bearer(call, completed.body["data"]["token"], "GET", "/api/auth/me").status == 200


def test_the_new_password_differs_from_the_current_one(call: Call) -> None:
    token = register(call, password="kxwqzvt\u00e9")
    body = {"current_password": "kxwqzvt\u00e9", "new_password": "kxwqzvte\u0301"}
    answer = as_bearer(call, token, "POST", "/api/auth/password", body)
    assert answer.status == 422
    assert answer.body["errors"] == [{"field": "body.new_password", "detail": "is your current password; choose another one"}]


def first_session(call: Call, **more: Any) -> str:
    """The token of an account whose password an administrator chose."""
    stored("root@example.com", role=Role.ADMIN)
    assert add(call, **more).body["data"]["must_change_password"] is True
    answer = sign_in(call)
    assert answer.body["data"]["user"]["must_change_password"] is True
    return str(answer.body["data"]["token"])


def test_a_first_password_opens_only_its_own_change(call: Call) -> None:
    token = first_session(call, role="admin")
    assert authorize(f"Bearer {token}")["mustChangePassword"] == "1"
    refused = as_bearer(call, token, "GET", "/api/auth/users")
    assert (refused.status, problem(refused)) == (403, "password-change-required")
    assert "RateLimit-Remaining" in refused.headers
    assert "POST /api/auth/password" in refused.body["detail"]
    assert as_bearer(call, token, "GET", "/api/auth/me").body["data"]["must_change_password"] is True
    same = as_bearer(call, token, "POST", "/api/auth/password", {"current_password": GOOD, "new_password": GOOD})
    assert (same.status, fields(same)) == (422, {"body.new_password"})

    changed = as_bearer(call, token, "POST", "/api/auth/password", {"current_password": GOOD, "new_password": BETTER})

    assert changed.status == 200
    assert changed.body["data"]["user"]["must_change_password"] is False
    new = changed.body["data"]["token"]
    listed = as_bearer(call, new, "GET", "/api/auth/users")
    assert {user["email"]: user["must_change_password"] for user in listed.body["data"]} == {
        "root@example.com": False,
        "ann@example.com": False,
    }
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    assert sign_in(call, password=BETTER).body["data"]["user"]["must_change_password"] is False


def test_a_first_password_can_sign_out(call: Call) -> None:
    token = first_session(call)
    assert as_bearer(call, token, "POST", "/api/auth/logout").status == 200
    assert authorize(f"Bearer {token}") == {"refused": "1"}


def test_a_first_password_stays_one_after_a_new_role_and_a_new_hash(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    first_session(call)
    assert change(call, "ann@example.com", role="admin").body["data"]["must_change_password"] is True
    assert change(call, "ann@example.com", status="disabled").body["data"]["must_change_password"] is True
    assert change(call, "ann@example.com", status="active").body["data"]["must_change_password"] is True
    monkeypatch.setattr(PasswordHasher, "check_needs_rehash", lambda *_: True)
    token = sign_in(call).body["data"]["token"]
    assert problem(as_bearer(call, token, "GET", "/api/auth/users")) == "password-change-required"


def test_an_old_hash_is_renewed_when_its_password_is_seen(call: Call) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    Users().add(User("ann@example.com", "Ann", Role.VIEWER, weak, "2026-01-01T00:00:00+00:00"))
    assert sign_in(call, password="wrong").status == 401
    assert (Users().get("ann@example.com") or pytest.fail("gone")).password_hash == weak
    token = sign_in(call).body["data"]["token"]
    assert "$m=19456,t=2,p=1$" in (Users().get("ann@example.com") or pytest.fail("gone")).password_hash
    assert "userId" in authorize(f"Bearer {token}")
    assert sign_in(call).status == 200


def test_users_are_listed_oldest_first_in_pages_whose_cursors_tell_nothing(call: Call) -> None:
    made = [f"user{number}@example.com" for number in range(7)]
    for number, email in enumerate(made):
        Users().add(User(email, "x", Role.ADMIN if number == 3 else Role.VIEWER, "hash", f"2026-01-0{1 + number // 2}T00:00:00+00:00"))
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        answer = call("auth", "GET", "/api/auth/users", query="limit=3" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200
        assert len(answer.body["data"]) <= 3
        seen += [user["email"] for user in answer.body["data"]]
        assert all(user.keys() == {"email", "name", "role", "must_change_password", "status", "created_at"} for user in answer.body["data"])
        cursor = answer.body["page"].get("next")
        if not cursor:
            break
        assert "example" not in cursor
        assert b"example" not in base64.urlsafe_b64decode(cursor + "==")
    assert sorted(seen) == made
    assert [made.index(email) // 2 for email in seen] == [0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("query", "status"), [("limit=0", 422), ("limit=-1", 422), ("limit=1000000000", 422), ("limit=x", 422), ("cursor=AAAA", 400)]
)
def test_a_bad_page_is_refused(call: Call, query: str, status: int) -> None:
    answer = call("auth", "GET", "/api/auth/users", query=query)
    assert answer.status == status
    problem(answer)


def change(call: Call, email: str, *, by: str = "root@example.com", **what: Any) -> Answer:
    return call("auth", "PATCH", "/api/auth/users", {"email": email, **what}, user=by)


def add(call: Call, *, by: str = "root@example.com", **what: Any) -> Answer:
    return call("auth", "POST", "/api/auth/users", {"email": "ann@example.com", "password": GOOD, **what}, user=by)


def test_an_administrator_makes_accounts_while_registration_is_closed(call: Call, registration: Callable[[str, str], None]) -> None:
    registration("closed", "")
    stored("root@example.com", role=Role.ADMIN)

    answer = add(call, email="Ann@Example.com", name="Ann Lee", role="analyst")

    assert answer.status == 201
    expected = {"email": "ann@example.com", "name": "Ann Lee", "role": "analyst", "status": "active"}
    assert answer.body["data"].items() >= expected.items()
    assert answer.body["data"].keys() == {"email", "name", "role", "must_change_password", "status", "created_at"}
    assert GOOD not in str(answer.body)
    assert authorize(f"Bearer {sign_in(call).body['data']['token']}")["role"] == "analyst"
    assert add(call, email="bob@example.com").body["data"]["role"] == "viewer"


def test_an_account_is_made_once_and_only_by_those_who_still_administer(call: Call) -> None:
    stored("root@example.com", role=Role.ADMIN)
    stored("demoted@example.com")
    assert add(call).status == 201
    again = add(call, role="admin")
    assert (again.status, fields(again)) == (409, {"body.email"})
    assert add(call, email="eve@example.com", by="demoted@example.com").status == 401
    assert {user.email: user.role for user in Users().everyone()} == {
        "root@example.com": Role.ADMIN,
        "demoted@example.com": Role.VIEWER,
        "ann@example.com": Role.VIEWER,
    }


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"role": "owner"}, "body.role"),
        ({"password": "short"}, "body.password"),
        ({"password": "password"}, "body.password"),
        ({"email": "nobody"}, "body.email"),
        ({"status": "active"}, "body.status"),
    ],
)
def test_a_bad_account_is_not_made(call: Call, what: dict[str, Any], field: str) -> None:
    stored("root@example.com", role=Role.ADMIN)
    answer = add(call, **what)
    assert (answer.status, fields(answer)) == (422, {field})
    assert len(list(Users().everyone())) == 1


def test_a_new_role_counts_for_tokens_that_are_out(call: Call) -> None:
    stored("root@example.com", role=Role.ADMIN)
    token = register(call)
    assert authorize(f"Bearer {token}")["role"] == "viewer"
    answer = change(call, "ANN@example.com", role="analyst")
    assert answer.status == 200
    assert answer.body["data"].items() >= {"email": "ann@example.com", "role": "analyst", "status": "active"}.items()
    assert authorize(f"Bearer {token}")["role"] == "analyst"


def test_a_disabled_user_is_out_until_signing_in_after_being_enabled(call: Call) -> None:
    stored("root@example.com", role=Role.ADMIN)
    token = register(call)
    assert change(call, "ann@example.com", status="disabled").body["data"]["status"] == "disabled"
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    assert sign_in(call).status == 401
    assert call("auth", "GET", "/api/auth/me", role="viewer", user="ann@example.com").status == 401
    assert change(call, "ann@example.com", status="active").status == 200
    assert authorize(f"Bearer {token}") == {"refused": "1"}
    assert "userId" in authorize(f"Bearer {sign_in(call).body['data']['token']}")


def test_the_last_administrator_stays(call: Call) -> None:
    stored("root@example.com", role=Role.ADMIN)
    stored("ann@example.com")
    for what in ({"role": "viewer"}, {"status": "disabled"}, {"role": "analyst", "status": "disabled"}):
        answer = change(call, "root@example.com", **what)
        assert (answer.status, problem(answer)) == (409, "conflict")
    assert change(call, "root@example.com", role="admin", status="active").status == 200
    assert change(call, "ann@example.com", role="admin", status="disabled").status == 200
    assert change(call, "root@example.com", role="viewer").status == 409
    assert change(call, "ann@example.com", status="active").status == 200
    assert change(call, "root@example.com", role="viewer").status == 200
    assert change(call, "ann@example.com", by="ann@example.com", status="disabled").status == 409


def test_administrators_who_remove_each_other_at_once_leave_one(aws: None) -> None:
    people = [stored(f"admin{number}@example.com", role=Role.ADMIN) for number in range(6)]

    def demote(user: User) -> bool:
        for _ in range(20):
            try:
                Users().change(user, role=Role.VIEWER, status="active", tokens_valid_from=0)
            except NoAdministratorLeft:
                return False
            except StorageUnavailable:
                continue
            return True
        return False

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(demote, people)) == 5
    assert [user.role for user in Users().everyone()].count(Role.ADMIN) == 1


def test_nobody_raises_the_own_role(call: Call) -> None:
    stored("root@example.com", role=Role.ADMIN)
    stored("ann@example.com")
    for role in ("viewer", "analyst"):
        answer = call("auth", "PATCH", "/api/auth/users", {"email": "ann@example.com", "role": "admin"}, user="ann@example.com", role=role)
        assert answer.status == 403
    # API Gateway may still remember that somebody was an administrator
    assert change(call, "ann@example.com", by="ann@example.com", role="admin").status == 401
    assert change(call, "root@example.com", by="ann@example.com", role="viewer").status == 401
    assert (Users().get("ann@example.com") or pytest.fail("gone")).role is Role.VIEWER


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "nobody@example.com", "role": "viewer"}, 404),
        ({"email": "administrators", "role": "viewer"}, 422),
        ({"email": "root@example.com"}, 422),
        ({"role": "viewer"}, 422),
        ({"email": "root@example.com", "role": "owner"}, 422),
        ({"email": "root@example.com", "role": "ADMIN"}, 422),
        ({"email": "root@example.com", "role": 1}, 422),
        ({"email": "root@example.com", "status": "deleted"}, 422),
        ({"email": "root@example.com", "role": "admin", "password_hash": "x"}, 422),
        ({"email": "a" * 10_000 + "@example.com", "role": "admin"}, 422),
    ],
)
def test_a_bad_change_of_user_changes_nothing(call: Call, body: Any, status: int) -> None:
    before = stored("root@example.com", role=Role.ADMIN)
    answer = call("auth", "PATCH", "/api/auth/users", body, user="root@example.com")
    assert answer.status == status
    problem(answer)
    assert Users().everyone() == [before]


@pytest.fixture
def no_dynamodb() -> Iterator[None]:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    dynamodb().meta.events.register("before-send.dynamodb", fail, unique_id="fail")
    yield
    dynamodb().meta.events.unregister("before-send.dynamodb", unique_id="fail")


def test_when_storage_does_not_answer_the_authorizer_lets_nobody_in(call: Call, request: pytest.FixtureRequest) -> None:
    token = register(call)
    request.getfixturevalue("no_dynamodb")
    with pytest.raises(StorageUnavailable):
        authorize(f"Bearer {token}")
    answer = sign_in(call)
    assert (answer.status, problem(answer)) == (503, "unavailable")
    assert answer.headers["Retry-After"]


def test_when_the_signing_key_does_not_answer_nobody_is_let_in(call: Call) -> None:
    token = register(call)
    load_function.cache_clear()
    kms().delete_alias(AliasName=settings().signing_key_id)
    with pytest.raises(StorageUnavailable):
        authorize(f"Bearer {token}")
    answer = sign_in(call)
    assert (answer.status, problem(answer)) == (503, "unavailable")


def test_no_address_password_or_token_is_logged(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="retainstream")
    email, password, other = "canary-7b1e@example.com", "canary-7b1e words unrelated", "canary-7b1e more words"
    stored("root@example.com", role=Role.ADMIN)
    token = register(call, email, password, name="canary-7b1e")
    as_bearer(call, token, "GET", "/api/auth/me")
    call("auth", "POST", "/api/auth/register", {"email": email, "password": password}, role=None)
    call("auth", "POST", "/api/auth/register", {"email": email, "password": "canary-7b1e" * 100}, role=None)
    call("auth", "POST", "/api/auth/register", raw='{"email": "canary-7b1e', role=None)
    sign_in(call, email, other)
    sign_in(call, f"x{email}", password)
    as_bearer(call, token, "POST", "/api/auth/password", {"current_password": other, "new_password": f"{other} again"})
    changed = as_bearer(call, token, "POST", "/api/auth/password", {"current_password": password, "new_password": other})
    change(call, email, role="analyst")
    change(call, email, status="disabled")
    authorize(f"Bearer {token}")
    authorize(f"Bearer {changed.body['data']['token']}")
    authorize("Bearer canary-7b1e")
    broken = {"email": {"S": f"x{email}"}, "name": {"S": "canary-7b1e"}, "password_hash": {"S": "canary-7b1e"}}
    dynamodb().put_item(TableName=settings().users_table, Item=broken)
    assert sign_in(call, f"x{email}", password).status == 500
    output = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert [record.message for record in caplog.records].count("request") >= 10
    assert "canary-7b1e" not in output
    assert all(part not in output for issued in (token, changed.body["data"]["token"]) for part in issued.split("."))
