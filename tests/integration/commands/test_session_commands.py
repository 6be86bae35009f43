"""Signing in, what is kept of it, what every command says when something fails, and the recount."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.client import ATTEMPTS, checked_url
from cli.service_errors import ServiceError
from cli.session import Session, Sessions
from tests.integration.commands.conftest import EMAIL, PASSWORD, TOKEN, Run, Service, problem
from tests.integration.conftest import LocalProcess


def view(**changes: Any) -> dict[str, Any]:
    run = {"run_id": "r1", "status": "SUCCEEDED", "exact": True, "tables": [], "differences": [], "reason": None, "step": "count"}
    return {"data": {**run, **changes}}


def test_a_session_from_sign_in_to_sign_out(run: Run, stack: LocalProcess, tmp_path: Path) -> None:
    signed = run("login", "--url", stack.url, "--email", EMAIL, stdin=f"{PASSWORD}\n")
    assert signed.returncode == 0, signed.stderr
    assert f"as {EMAIL} (admin)" in signed.stderr
    kept = tmp_path / "config/sessions.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    token = json.loads(kept.read_text())["sessions"][stack.url]["token"]
    assert PASSWORD not in kept.read_text()

    started = run("recount", "--json")
    assert started.returncode == 0, started.stderr
    counted = run("recount", "--run", json.loads(started.stdout)["run_id"], "--watch")
    assert counted.returncode == 0, counted.stderr
    assert "customers: 1,000 rows, all counters are right" in counted.stdout
    assert "predictions: " in counted.stdout

    out = run("logout")
    assert out.returncode == 0, out.stderr
    assert token not in kept.read_text()
    again = run("recount")
    assert again.returncode == 4
    assert "You are not signed in" in again.stderr
    Sessions(kept.parent).keep(Session(stack.url, EMAIL, "admin", token, "2999-01-01T00:00:00+00:00"))
    refused = run("recount")
    assert refused.returncode == 4, "the token is revoked there as well"
    assert f"retainstream login --url {stack.url}" in refused.stderr
    commands = [signed, started, counted, out, again, refused]
    assert not any(token in one.stdout + one.stderr or f" {PASSWORD}" in one.stdout for one in commands)


def test_a_first_password_is_changed_before_anything_else(run: Run, stack: LocalProcess) -> None:
    first, own, email = "six loud harbours at dawn", "seven quiet lighthouses", "first@example.org"
    run("login", "--url", stack.url, "--email", EMAIL, RETAINSTREAM_PASSWORD=PASSWORD)
    assert run("users", "add", email, "--role", "admin", RETAINSTREAM_NEW_PASSWORD=first).returncode == 0
    assert "active, first password" in next(line for line in run("users", "list").stdout.splitlines() if email in line)

    signed = run("login", "--url", stack.url, "--email", email, stdin=f"{first}\n")
    assert signed.returncode == 0
    assert "Change it before you use other commands: retainstream password" in signed.stderr
    refused = run("users", "list")
    assert refused.returncode == 4
    assert f"To change it: retainstream password --url {stack.url}" in refused.stderr
    weak = run("password", stdin=f"{first}\nsummer2026!\n")
    assert weak.returncode == 1
    assert "body.new_password is too easy to guess: choose a few unrelated words" in weak.stderr

    changed = run("password", stdin=f"{first}\n{own}\n")
    assert changed.returncode == 0, changed.stderr
    assert changed.stderr == "Password changed. All your other sessions have ended.\n"
    assert run("users", "list").returncode == 0
    again = run("login", "--url", stack.url, "--email", email, "--json", RETAINSTREAM_PASSWORD=own)
    assert json.loads(again.stdout)["must_change_password"] is False
    assert not any(word in one.stdout + one.stderr for one in (signed, refused, weak, changed, again) for word in (first, own))


def test_the_wrong_password_is_refused_and_nothing_kept(run: Run, stack: LocalProcess, tmp_path: Path) -> None:
    refused = run("login", "--url", stack.url, "--email", EMAIL, RETAINSTREAM_PASSWORD="not-that-one")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == "error: E-mail or password is wrong.\n"
    assert not (tmp_path / "config/sessions.json").exists()


def test_a_script_signs_in_by_variables(run: Run, stack: LocalProcess) -> None:
    variables = {"RETAINSTREAM_URL": stack.url + "/", "RETAINSTREAM_EMAIL": EMAIL, "RETAINSTREAM_PASSWORD": PASSWORD}
    signed = run("login", "--json", **variables)
    document = json.loads(signed.stdout)
    assert (document["url"], document["email"], document["role"]) == (stack.url, EMAIL, "admin")
    assert "token" not in signed.stdout


def test_a_password_is_no_argument_and_is_needed(run: Run, service: Service) -> None:
    assert run("login", "--url", service.url, "--email", EMAIL, "--password", "x").returncode == 2
    assert run("login", "--url", service.url, "--email", EMAIL).returncode == 2
    assert run("login", "--url", service.url, RETAINSTREAM_PASSWORD="x").returncode == 2
    assert service.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "example.com", "ftp://localhost", "https://ann:pw@example.com", "https://a?x=1", "http://localhost.example.com"],
)
def test_addresses_that_would_give_the_password_away(run: Run, url: str) -> None:
    refused = run("login", "--url", url, "--email", EMAIL, RETAINSTREAM_PASSWORD="x")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("https://A.Example/", "https://a.example"),
        (" http://localhost:5000/ ", "http://localhost:5000"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_address_has_one_spelling(written: str, normalised: str) -> None:
    assert checked_url(written) == normalised


@pytest.mark.parametrize("port", ["0x1", "99999"])
def test_a_port_that_there_cannot_be(port: str) -> None:
    with pytest.raises(ServiceError):
        checked_url(f"https://a.example:{port}")


@pytest.mark.usefixtures("session")
def test_a_busy_service_is_asked_again_when_it_says_so(run: Run, service: Service) -> None:
    busy = problem("too-many-requests", 429, "Too many requests")
    service.will((429, busy, {"Retry-After": "0"}), (503, busy, {"Retry-After": "0"}), (502, "<html>"), (0, ""), (202, view(exact=None)))
    started = run("recount", "--json")
    assert started.returncode == 0, started.stderr
    assert len(service.requests) == 5
    assert len({headers["idempotency-key"] for _, _, headers in service.requests}) == 1
    assert {headers["authorization"] for _, _, headers in service.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.usefixtures("session")
def test_a_service_that_stays_busy_ends_with_5(run: Run, service: Service) -> None:
    service.will((503, problem("unavailable", 503, "A required service did not answer"), {"Retry-After": "0"}))
    assert run("recount").returncode == 5
    assert len(service.requests) == ATTEMPTS
    service.requests.clear()
    service.will((429, problem("too-many-requests", 429, "Too many requests"), {"Retry-After": "840"}))
    ended = run("recount")
    assert (ended.returncode, len(service.requests)) == (5, 1)
    assert ended.stderr == "error: Too many requests. Try again in 840 seconds.\n"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ((403, problem("forbidden", 403, "Your role does not allow this")), 4, "Your role does not allow this. Ask an administrator"),
        (
            (403, problem("password-change-required", 403, "Change your first password")),
            4,
            "Change your first password. To change it: retainstream password --url",
        ),
        ((401, problem("unauthenticated", 401, "Sign in first")), 4, "Sign in first. To sign in: retainstream login --url"),
        ((404, problem("not-found", 404, "There is nothing here", detail="No recount has this id.")), 1, "No recount has this id."),
        (
            (422, problem("invalid-request", 422, "Fields", errors=[{"field": "body.repair", "detail": "is odd"}])),
            1,
            "Fields: body.repair is odd",
        ),
        ((500, problem("internal-error", 500, "Something went wrong on our side")), 1, "r-1"),
        ((200, "<html>a router's own page</html>"), 1, "is the address of a RetainStream deployment."),
        ((404, "<html>"), 1, "answered with status 404"),
        ((302, "", {"Location": "https://elsewhere.example"}), 1, "answered with status 302"),
    ],
)
@pytest.mark.usefixtures("session")
def test_every_refusal_is_one_line_with_what_to_do(run: Run, service: Service, answer: Any, code: int, words: str) -> None:
    service.will(answer)
    ended = run("recount", "--run", "r1")
    assert (ended.returncode, ended.stdout) == (code, "")
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "Traceback" not in ended.stderr
    assert TOKEN not in ended.stderr


def test_nobody_there(run: Run) -> None:
    ended = run("login", "--url", "http://127.0.0.1:1", "--email", EMAIL, RETAINSTREAM_PASSWORD="x")
    assert ended.returncode == 5
    assert "http://127.0.0.1:1 cannot be reached" in ended.stderr


@pytest.mark.usefixtures("session")
def test_differences_end_with_3_and_a_failure_with_1(run: Run, service: Service) -> None:
    table = {"source": "predictions", "rows": 1200, "differences": 1, "outcome": "different", "attempt": 1}
    wrong = {"source": "predictions", "counter": "level/[low]/basic", "counted": 3, "recounted": 4}
    service.will((202, view(status="RUNNING", exact=None)), (200, view(exact=False, tables=[table], differences=[wrong])))
    different = run("recount", "--watch")
    assert different.returncode == 3
    assert "predictions: 1,200 rows, wrong counters: 1" in different.stdout
    assert "level/[low]/basic" in different.stdout
    assert "retainstream recount --repair" in different.stderr

    service.will((200, view(exact=False, tables=[{**table, "outcome": "repaired"}], differences=[wrong])))
    assert run("recount", "--run", "r1").returncode == 0

    service.will((200, view(status="FAILED", exact=None, tables=None, reason="The customers were written.")))
    failed = run("recount", "--run", "r1", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["status"] == "FAILED"
    assert "The customers were written" in failed.stderr


def test_a_session_ends(run: Run, tmp_path: Path) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    Sessions(tmp_path / "config").keep(Session("https://a.example", "ann@example.com", "viewer", TOKEN, past))
    ended = run("recount")
    assert ended.returncode == 4
    assert "has ended" in ended.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sessions": {"u": {"email": 1}}}', '{"sessions": []}', "null"])
def test_a_file_of_sessions_that_cannot_be_read_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "sessions.json").write_text(content)
    sessions = Sessions(tmp_path)
    with pytest.raises(ServiceError):
        sessions.find("https://a.example")
    session = Session("https://a.example", "ann@example.com", "viewer", TOKEN, "2999-01-01T00:00:00+00:00")
    sessions.keep(session)
    assert sessions.find(None) == session
    assert TOKEN not in repr(session)


def test_each_deployment_has_its_session_and_the_last_is_meant_without_an_address(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    one, two = (Session(f"https://{name}.example", "ann@example.com", "viewer", TOKEN, "2999-01-01T00:00:00+00:00") for name in "ab")
    sessions.keep(one)
    sessions.keep(two)
    assert (sessions.find(None), sessions.find(one.url)) == (two, one)
    sessions.forget(two.url)
    assert sessions.find(None) == one
    sessions.forget(one.url)
    with pytest.raises(ServiceError, match="not signed in at http://localhost:5000"):
        sessions.find(None)
    assert not [path for path in tmp_path.iterdir() if path.name != "sessions.json"]
