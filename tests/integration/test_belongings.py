"""What belongs to one person, run, list or kind opens nothing of another."""

from collections.abc import Callable
from typing import Any

import pytest

from retainstream.accounts.passwords import hashed
from retainstream.roles import Role
from retainstream.runs.keys import run_id_for
from retainstream.settings import settings
from retainstream.storage.runs import Kind, Runs
from retainstream.storage.users import User, Users
from tests.integration.base_of_customers import some_base, store_predictions
from tests.integration.conftest import Answer, load_function
from tests.small_models import add_customers, put_in_service

Call = Callable[..., Answer]
HASH = hashed("four unrelated words here")
KINDS: dict[str, tuple[str, str, str]] = {
    "import": ("customers", "GET", "/api/customers/imports/{}"),
    "training": ("model", "GET", "/api/model/training/{}"),
    "scoring": ("predictions", "GET", "/api/predictions/runs/{}"),
    "export": ("predictions", "GET", "/api/predictions/exports/{}"),
    "recount": ("dashboard", "GET", "/api/dashboard/recounts/{}"),
}


def kind_of(answer: Answer) -> str:
    return str(answer.body["type"].rpartition(":")[2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_seen_at_the_door_of_its_kind_and_no_other(call: Call, kind: Kind) -> None:
    Runs().start("run-1", kind, "ann@example.com", {"name": "secret-name"})
    for other, (module, method, path) in KINDS.items():
        answer = call(module, method, path.format("run-1"))
        if other != kind:
            assert (answer.status, kind_of(answer)) == (404, "not-found")
        assert other == kind or "secret" not in str(answer.body)
    assert kind == "import" or call("customers", "POST", "/api/customers/imports/run-1/complete", {}).status in {404, 422}


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../users", "%2e%2e", "run-1%00", "a" * 5000, "\u0430", "*", "' OR '1'='1", "{$ne: null}", "run#1"]
)
def test_a_made_up_run_is_not_found(call: Call, run_id: str) -> None:
    Runs().start("run-1", "scoring", "ann@example.com", {})
    for module, method, path in KINDS.values():
        assert call(module, method, path.format(run_id)).status in {404, 405, 422}


def test_a_key_means_a_run_of_its_own_for_every_caller_and_kind() -> None:
    people = ["ann@example.com", "bob@example.com", "ann@example.co", "m"]
    keys = ["key", "key\x00", "\x00key", "m\x00key", "Key", "key "]
    kinds: list[Kind] = ["training", "scoring", "import", "recount"]
    ids = {run_id_for(kind, person, key) for kind in kinds for person in people for key in keys}
    assert len(ids) == len(people) * len(keys) * len(kinds)


def test_somebody_elses_key_starts_a_run_of_ones_own(call: Call) -> None:
    def asked(user: str) -> Any:
        body = {"file_name": "a.csv", "size": 10}
        return call("customers", "POST", "/api/customers/imports", body, role="analyst", user=user, headers={"idempotency-key": "one"})

    first, again, other = asked("ann@example.com"), asked("ann@example.com"), asked("bob@example.com")
    assert first.status == again.status == other.status == 202, first.body
    assert first.body["data"]["import_id"] == again.body["data"]["import_id"]
    assert first.body["data"]["import_id"] != other.body["data"]["import_id"]


LISTS = {
    "/api/auth/users": ("auth", "limit=1"),
    "/api/customers": ("customers", "limit=1"),
    "/api/customers/high-risk": ("customers", "limit=1"),
    "/api/customers/high-risk by value": ("customers", "limit=1&sort=value"),
    "/api/customers/imports": ("customers", "limit=1"),
    "/api/predictions/results": ("predictions", "limit=1"),
    "/api/predictions/results of a level": ("predictions", "limit=1&level=medium"),
    "/api/predictions/results above": ("predictions", "limit=1&min_probability=0.2"),
}


def test_a_cursor_opens_the_list_it_came_from_and_no_other(call: Call) -> None:
    load_function.cache_clear()
    put_in_service()
    add_customers(3)
    store_predictions(some_base(30))
    for number in range(3):
        Users().add(User(f"user{number}@example.com", "x", Role.ADMIN, HASH, f"2026-01-0{number + 1}T00:00:00+00:00"))
        Runs().start(f"run-{number}", "import", "ann@example.com", {"name": "a.csv", "bytes": 1})

    def page(name: str, cursor: str = "") -> Answer:
        module, query = LISTS[name]
        return call(module, "GET", name.partition(" ")[0], query=query + (f"&cursor={cursor}" if cursor else ""))

    cursors = {name: answer.body["page"].get("next") for name in LISTS if (answer := page(name)).status == 200}
    assert {name for name, cursor in cursors.items() if cursor} >= set(LISTS) - {"/api/customers/imports"}, cursors
    for source, cursor in cursors.items():
        if not cursor:
            continue
        assert page(source, cursor).status == 200
        for target in LISTS:
            if target != source:
                answer = page(target, cursor)
                assert (answer.status, kind_of(answer)) == (400, "bad-cursor"), (source, target)


def test_registering_tells_nobody_who_has_an_account_where_it_is_closed(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    Users().add(User("ann@example.com", "Ann", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    for mode, domain, emails in (
        ("closed", "", ("ann@example.com", "nobody@example.com")),
        ("domain", "other.example", ("ann@example.com", "nobody@example.com")),
    ):
        monkeypatch.setenv("SELF_REGISTRATION", mode)
        monkeypatch.setenv("REGISTRATION_DOMAIN", domain)
        settings.cache_clear()
        load_function.cache_clear()
        answers = []
        for email in emails:
            body = {"email": email, "password": "four unrelated words here"}
            answer = call("auth", "POST", "/api/auth/register", body, role=None)
            answers.append((answer.status, {name: value for name, value in answer.body.items() if name != "request_id"}))
        assert answers[0] == answers[1]
        assert answers[0][0] == 403
    monkeypatch.undo()
    settings.cache_clear()
    load_function.cache_clear()


@pytest.mark.parametrize("role", ["viewer", "analyst", None])
def test_making_accounts_tells_those_who_may_not_nothing(call: Call, role: str | None) -> None:
    Users().add(User("ann@example.com", "Ann", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    answers = []
    for method in ("POST", "PATCH"):
        for email in ("ann@example.com", "nobody@example.com"):
            answer = call("auth", method, "/api/auth/users", {"email": email, "password": "x", "role": "admin"}, role=role)
            answers.append((answer.status, {name: value for name, value in answer.body.items() if name != "request_id"}))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] in {401, 403}
