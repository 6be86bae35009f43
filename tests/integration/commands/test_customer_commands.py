"""Importing, listing and exporting customers by the command line, against a service with scripted answers."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands.conftest import TOKEN, Run, Service, problem

pytestmark = pytest.mark.usefixtures("session")

CONTENT = b"customer_id,plan\nc1,basic\n"
FACTS = {"left": 0, "stayed": 0, "not_known": 2, "snapshots": 0, "after_leaving": 0, "older_features": 0}
COUNTS = {"read": 3, "accepted": 2, "rejected": 0, "created": 1, "changed": 1, "unchanged": 0, "older": 0, **FACTS}
HERE: dict[str, Any] = {"began_on": None, "first_seen_on": "2026-01-31", "observed_until": "2026-06-30"}
HERE |= {"left_on": None, "left_on_exact": None, "left_after": None}
STARTED = "2026-01-01T00:00:00+00:00"


def imported(**changes: Any) -> dict[str, Any]:
    """The view of an import that went well."""
    run = {
        "import_id": "i1",
        "status": "SUCCEEDED",
        "step": "verify",
        "steps": [],
        "file_name": "customers.csv",
        "rows": 3,
        "counts": COUNTS,
        "rejects": [],
        "rejects_url": None,
        "notes": [],
        "reason": None,
        "upload": None,
    }
    return {"data": {**run, **changes}}


def waiting(service: Service, sizes: tuple[int, ...] = (len(CONTENT),), *, where: str = "") -> dict[str, Any]:
    """The view of an import that waits for its file."""
    parts = [
        {"number": number, "offset": sum(sizes[: number - 1]), "size": size, "url": f"{where or service.url}/part/{number}?signed=1"}
        for number, size in enumerate(sizes, 1)
    ]
    complete = "/api/customers/imports/i1/complete" if len(sizes) > 1 else None
    return imported(status="WAITING", step=None, upload={"parts": parts, "complete": complete, "expires_at": STARTED})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_bytes(CONTENT)
    return path


def uploads(service: Service) -> list[bytes]:
    return [body for (method, _, _), body in zip(service.requests, service.bodies, strict=True) if method == "PUT"]


def test_an_import_is_uploaded_and_followed(run: Run, service: Service, file: Path) -> None:
    service.will((202, waiting(service)), (200, ""), (200, imported(status="RUNNING", step="load")), (200, imported()))
    ended = run("import", file, "--as-of", "2026-01-31", "--watch")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["customers.csv: 3 rows read, 2 accepted, 0 rejected", "accepted: 1 new, 1 changed"]
    assert json.loads(service.bodies[0]) == {"file_name": "customers.csv", "size": len(CONTENT), "as_of": "2026-01-31"}
    assert uploads(service) == [CONTENT]
    put = next(headers for method, _, headers in service.requests if method == "PUT")
    assert "authorization" not in put, "a link carries its own permission"
    assert put["content-length"] == str(len(CONTENT))
    assert "transfer-encoding" not in put


def test_a_file_has_a_day_for_its_features_and_one_for_its_outcomes(run: Run, service: Service, file: Path) -> None:
    counts = {**COUNTS, "left": 1, "stayed": 1, "not_known": 0, "snapshots": 1, "after_leaving": 1}
    note = "1 customer had left before the day of their features; those features are not used for training"
    service.will((202, waiting(service)), (200, ""), (200, imported(counts=counts, notes=[note])))
    ended = run("import", file, "--features-as-of", "2026-01-31", "--outcomes-as-of", "2026-03-02", "--watch")
    assert ended.returncode == 0, ended.stderr
    days = {"features_as_of": "2026-01-31", "outcomes_as_of": "2026-03-02"}
    assert json.loads(service.bodies[0]) == {"file_name": "customers.csv", "size": len(CONTENT), **days}
    assert ended.stdout.splitlines()[1:] == [
        "accepted: 1 new, 1 changed",
        "outcomes: 1 left, 1 stayed",
        "features kept for training: 1",
    ]
    assert note in ended.stderr


def test_monthly_files_are_imported_in_the_order_of_the_days_in_their_names(run: Run, service: Service, tmp_path: Path) -> None:
    names = ["shop 2026-03.csv", "shop-20260131.csv", "2026-02-15_shop.csv"]
    for name in names:
        (tmp_path / name).write_bytes(CONTENT)
    service.will(*[(202, waiting(service)), (200, ""), (200, imported())] * 3)
    ended = run("import", *(tmp_path / name for name in names), "--json")
    assert ended.returncode == 0, ended.stderr
    bodies = [
        json.loads(body) for (method, path, _), body in zip(service.requests, service.bodies, strict=True) if path.endswith("/imports")
    ]
    expected = [("shop-20260131.csv", "2026-01-31"), ("2026-02-15_shop.csv", "2026-02-15"), ("shop 2026-03.csv", "2026-03-31")]
    assert [(body["file_name"], body["as_of"]) for body in bodies] == expected
    assert len(json.loads(ended.stdout)) == 3


SCHEMA: dict[str, Any] = {"name": "shop", "title": "Shop", "money": None, "columns": []}


@pytest.fixture
def without_days(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.csv", tmp_path / "b-2026-13.csv"]
    for path in paths:
        path.write_bytes(CONTENT)
    return paths


def test_several_files_without_days_are_not_imported(run: Run, service: Service, without_days: list[Path]) -> None:
    service.will((200, {"data": {**SCHEMA, "moments": {"began_on": "joined", "features_as_of": ""}}}))
    ended = run("import", *without_days)
    assert ended.returncode == 2
    assert "the name of a.csv has no day" in " ".join(ended.stderr.replace("│", "").split())
    assert len(service.requests) == 1
    assert run("import", *without_days, "--as-of", "2026-01-31").returncode == 2


def test_several_files_may_say_their_days_in_a_column(run: Run, service: Service, without_days: list[Path]) -> None:
    one = [(202, waiting(service)), (200, ""), (200, imported())]
    service.will((200, {"data": {**SCHEMA, "moments": {"features_as_of": "day"}}}), *one, *one)
    assert run("import", *without_days).returncode == 0
    assert json.loads(service.bodies[1]) == {"file_name": "a.csv", "size": len(CONTENT)}


def test_a_file_goes_in_parts(run: Run, service: Service, file: Path) -> None:
    service.will((202, waiting(service, (10, 16))), (200, ""), (503, ""), (200, ""), (200, imported(status="WAITING")))
    ended = run("import", file)
    assert ended.returncode == 0, ended.stderr
    assert uploads(service) == [CONTENT[:10], CONTENT[10:], CONTENT[10:]]
    assert service.requests[-1][:2] == ("POST", "/api/customers/imports/i1/complete")
    assert "retainstream import --run i1 --watch" in ended.stderr


def test_links_that_have_ended_are_asked_for_again(run: Run, service: Service, file: Path) -> None:
    service.will((202, waiting(service)), (403, "<Error>Expired</Error>"), (202, waiting(service)), (200, ""), (200, imported()))
    ended = run("import", file, "--json", "--watch")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["status"] == "SUCCEEDED"
    keys = {headers["idempotency-key"] for method, _, headers in service.requests if method == "POST"}
    assert len(keys) == 1, "it is the same import"
    service.will((202, waiting(service)), (403, ""), (202, waiting(service)), (403, ""))
    refused = run("import", file)
    assert refused.returncode == 1
    assert "status 403" in refused.stderr
    assert "signed" not in refused.stderr, "a link is as good as a key"


def test_a_file_that_became_shorter_is_not_imported(run: Run, service: Service, file: Path) -> None:
    service.will((202, waiting(service, (len(CONTENT) + 5,))), (200, ""))
    ended = run("import", file)
    assert ended.returncode == 1
    assert "became shorter" in ended.stderr


def test_a_file_is_not_sent_through_the_network_in_the_clear(run: Run, service: Service, file: Path) -> None:
    service.will((202, waiting(service, where="http://storage.example")))
    ended = run("import", file)
    assert ended.returncode == 1
    assert "not encrypted" in ended.stderr


def test_rejected_rows_are_shown_and_saved(run: Run, service: Service, tmp_path: Path) -> None:
    kinds = [{"line": number, "column": "id\x1b[31m", "reason": "is too long", "value": f"c{number}", "rows": 2} for number in range(2, 17)]
    view = imported(counts={**COUNTS, "rejected": 30}, rejects=kinds, rejects_url=f"{service.url}/rejects.csv?signed=1")
    saved = tmp_path / "rejected.csv"
    service.will((200, view), (200, view), (200, "customer_id,error\r\n"))
    ended = run("import", "--run", "i1", "--rejects", saved)
    assert ended.returncode == 0, ended.stderr
    assert saved.read_bytes() == b"customer_id,error\r\n"
    assert f"30 rows were rejected; {saved} has all of these rows" in ended.stderr
    assert '"c2" is too long (first in line 2)' in ended.stdout
    assert "and 5 more kinds" in ended.stdout
    assert "\x1b" not in ended.stdout, "what a file says is no command for the terminal"
    assert "authorization" not in service.requests[-1][2]

    service.will((200, view))
    strict = run("import", "--run", "i1", "--strict")
    assert strict.returncode == 3
    assert "retainstream import --run i1 --rejects rejected.csv" in strict.stderr
    service.requests.clear()
    there = run("import", "--run", "i1", "--rejects", saved)
    assert (there.returncode, service.requests) == (1, [])
    assert "--force" in there.stderr


def test_cells_that_could_not_be_read_are_counted_and_their_rows_saved(run: Run, service: Service, tmp_path: Path) -> None:
    kinds = [{"column": "plan", "value": "Gold Plus", "reason": "is new", "rows": 67}]
    sentence = "0 left, 60 stayed, 3 not known, 2 unreadable ('Ja (30.11.)')"
    view = imported(unread=kinds, unread_url=f"{service.url}/unread.csv?signed=1", outcomes=sentence)
    saved = tmp_path / "unread.csv"
    service.will((200, view), (200, view), (200, "customer_id,error\r\n"), (200, view))
    ended = run("import", "--run", "i1", "--unread", saved)
    assert (ended.returncode, saved.read_bytes()) == (0, b"customer_id,error\r\n"), ended.stderr
    assert '  67 × plan: "Gold Plus" is new\n' in ended.stdout
    assert f"outcomes: {sentence}\n" in ended.stdout
    assert f"cells that could not be read count as missing; {saved} has all of these rows" in ended.stderr
    assert "retainstream import --run i1 --unread unread.csv" in run("import", "--run", "i1").stderr


@pytest.mark.parametrize(("status", "accepted"), [("SUCCEEDED_WITH_REJECTS", 1), ("FAILED", 0)])
def test_an_import_that_rejects_most_rows_has_an_exit_code_of_its_own(run: Run, service: Service, status: str, accepted: int) -> None:
    kinds = [{"line": 2, "column": "id", "reason": "is missing", "value": "", "rows": 3 - accepted}]
    counts = {**COUNTS, "accepted": accepted, "rejected": 3 - accepted}
    service.will(
        (200, imported(status=status, counts=counts, rejects=kinds, reason=None if accepted else "None of the 3 rows was accepted."))
    )
    ended = run("import", "--run", "i1")
    assert ended.returncode == 6
    assert f"{3 - accepted} × id: is missing (first in line 2)" in ended.stdout


def test_the_question_about_ids_is_answered_by_an_option(run: Run, service: Service, file: Path) -> None:
    question = {"sentence": "2 new customers, of whom 2 are known with leading zeros", "examples": ["1 is 000001"]}
    view = imported(status="FAILED", reason=f"{question['sentence']}.", question=question)
    service.will((202, waiting(service)), (200, ""), (200, view), (200, view))
    ended = run("import", file, "--watch")
    assert ended.returncode == 6
    assert "1 is 000001" in ended.stderr
    assert "The same customers: --ids as-known. New customers: --ids as-written" in ended.stderr
    service.will((202, waiting(service)), (200, ""), (200, imported()))
    options = ("--ids", "as-known", "--decimal", ",", "--encoding", "cp1250", "--sheet", "May")
    assert run("import", file, "--as-of", "2026-01-31", *options).returncode == 0
    asked = json.loads(service.bodies[-2])
    assert {name: asked[name] for name in ("ids", "decimal", "encoding", "sheet")} == {
        "ids": "as-known",
        "decimal": ",",
        "encoding": "cp1250",
        "sheet": "May",
    }


def test_an_import_that_failed(run: Run, service: Service) -> None:
    service.will((200, imported(status="FAILED", reason="The file is no table.", counts=dict.fromkeys(COUNTS, 0))))
    ended = run("import", "--run", "i1")
    assert ended.returncode == 1
    assert ended.stderr == "error: The import failed: The file is no table.\n"


def test_a_run_that_cannot_be_looked_at_goes_on(run: Run, service: Service) -> None:
    away = (503, problem("unavailable", 503, "A required service did not answer"), {"Retry-After": "0"})
    service.will((200, imported(status="RUNNING")), away)
    ended = run("import", "--run", "i1", "--watch")
    assert ended.returncode == 5
    assert "retainstream import --run i1 --watch" in ended.stderr
    assert "A required service did not answer" in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("customers.csv", "--run", "i1")])
def test_an_import_needs_a_file_or_a_run(run: Run, service: Service, arguments: tuple[str, ...]) -> None:
    assert run("import", *arguments).returncode == 2
    assert service.requests == []


def test_a_file_that_is_not_there(run: Run, service: Service, tmp_path: Path) -> None:
    ended = run("import", tmp_path / "none.csv")
    assert ended.returncode == 1
    assert "none.csv: no such file" in ended.stderr
    assert service.requests == []


def at_risk(number: int) -> dict[str, Any]:
    reasons = [{"text": f"reason {place}"} for place in range(5)]
    return {
        "customer_id": f"c{number}",
        "group": "[bold]basic",
        "probability": 0.5,
        "level": "high",
        "value_at_risk": 1234.5,
        "reasons": reasons,
        "action": {"title": "Call"} if number % 2 else None,
    }


def test_who_is_at_risk_comes_in_pages(run: Run, service: Service) -> None:
    pages = [[at_risk(number) for number in range(100)], [], [at_risk(number) for number in range(100, 200)]]
    answers: Iterator[Any] = (
        (200, {"data": rows, "page": {"limit": 100, "next": f"place{place}", "total": 900 if place == 0 else None}})
        for place, rows in enumerate(pages)
    )
    service.will(*answers)
    ended = run("at-risk", "--limit", 150, "--sort", "value", "--min-probability", "0.2", "--group", "a b", "--json")
    assert ended.returncode == 0, ended.stderr
    assert [row["customer_id"] for row in json.loads(ended.stdout)] == [f"c{number}" for number in range(150)]
    paths = [path for _, path, _ in service.requests]
    assert paths[0] == "/api/customers/high-risk?plan=a+b&min_probability=0.2&sort=value&limit=100"
    assert [path.rpartition("cursor=")[2] for path in paths[1:]] == ["place0", "place1"]

    first = {"data": pages[0][:2], "page": {"limit": 2, "next": "onward", "total": 900}}
    service.will((200, first), (200, {"data": {"money": {"currency": "EUR"}}}))
    shown = run("at-risk", "-n", 2)
    assert shown.returncode == 0, shown.stderr
    for words in ("c0", "c1", "50.0%", "value at risk", "€1,234.50", "reason 0; reason 1", "Call", "[bold]basic"):
        assert words in shown.stdout
    assert "2 of 900" in shown.stderr

    service.will((200, first), (200, {"data": {"money": None}}))
    poor = run("at-risk", "-n", 2)
    assert "50.0%" in poor.stdout
    assert "value" not in poor.stdout
    assert "1,234" not in poor.stdout


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--sort", "name"), ("--min-probability", "2"), ("c1",)])
def test_lists_that_there_are_not(run: Run, service: Service, arguments: tuple[str, ...]) -> None:
    assert run("at-risk", *arguments).returncode == 2
    assert service.requests == []


def test_a_customer_never_scored(run: Run, service: Service) -> None:
    customer: dict[str, Any] = {
        "customer_id": "a:b/ü",
        "group": "basic",
        "churned": True,
        "outcome_at": "2026-01-05",
        "life": {**HERE, "left_on": "2026-01-05", "left_on_exact": False, "left_after": "2026-01-01"},
        "earlier_lives": [{**HERE, "began_on": "2024-03-01", "left_on": "2025-01-05", "left_on_exact": True}],
        "prediction": None,
        "features_changed": False,
        "features": {"plan": "basic", "hours": None},
    }
    schema = {"money": None, "columns": [{"name": "plan", "label": "The plan", "unit": ""}]}
    service.will((200, {"data": customer}), (200, {"data": schema}))
    ended = run("customers", "show", "a:b/ü")
    assert ended.returncode == 0, ended.stderr
    assert "a:b/ü: basic, has left (2026-01-05)" in ended.stdout
    assert "earlier customer: since 2024-03-01, left on 2025-01-05\n" in ended.stdout
    assert "\ncustomer: first seen on 2026-01-31, left after 2026-01-01, by 2026-01-05\n" in ended.stdout
    assert "The plan" in ended.stdout
    assert "retainstream score" in ended.stderr
    assert service.requests[0][1] == "/api/customers/a:b~2f~c3~bc"
    service.will((404, problem("not-found", 404, "There is nothing here")))
    assert run("customers", "show", "../auth/me").returncode == 1
    assert service.requests[-1][1] == "/api/customers/..~2fauth~2fme"


@pytest.mark.parametrize(
    ("currency", "value", "cost", "worth"), [("USD", "$1,234.50", "$9.00", "-$0.25"), ("CHF", "1,234.50 CHF", "9.00 CHF", "-0.25 CHF")]
)
def test_a_scored_customer(run: Run, service: Service, currency: str, value: str, cost: str, worth: str) -> None:
    prediction = {
        **at_risk(1),
        "probability": 0.177,
        "change": -0.021,
        "action": {"title": "Call", "cost": 9.0, "expected_value": -0.25},
        "scored_at": STARTED,
        "model_version": "v2",
        "history": [{"probability": 0.198, "scored_at": STARTED}],
    }
    customer: dict[str, Any] = {
        "customer_id": "c1",
        "group": "basic",
        "churned": None,
        "outcome_at": None,
        "life": HERE,
        "earlier_lives": [],
        "prediction": prediction,
        "features_changed": True,
        "features": {"plan": "basic", "unknown": 1},
    }
    schema = {"money": {"currency": currency}, "columns": [{"name": "plan", "label": "The plan", "unit": None}]}
    service.will((200, {"data": customer}), (200, {"data": schema}))
    ended = run("customers", "show", "c1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[:11] == [
        "c1: basic",
        "customer: first seen on 2026-01-31, last seen on 2026-06-30",
        "churn probability: 17.7% (high), -2.1 points since the prediction before",
        *(f"  reason {place}" for place in range(5)),
        f"value at risk: {value}",
        f"recommended action: Call (costs {cost}, expected value {worth})",
        f"scored at {STARTED} by v2",
    ]
    assert f"  before: 19.8% at {STARTED}" in ended.stdout
    assert re.search(r"unknown\s.*1", ended.stdout)
    assert "the features have changed" in ended.stderr


def test_a_score_without_money_has_no_amounts(run: Run, service: Service) -> None:
    prediction = {**at_risk(1), "change": None, "scored_at": STARTED, "model_version": "v2", "history": []}
    customer: dict[str, Any] = {
        "customer_id": "c1",
        "group": "basic",
        "churned": None,
        "outcome_at": None,
        "life": HERE,
        "earlier_lives": [],
        "features": {},
    }
    service.will(
        (200, {"data": {**customer, "prediction": prediction, "features_changed": False}}), (200, {"data": {"money": None, "columns": []}})
    )
    shown = run("customers", "show", "c1").stdout
    assert "recommended action: Call\n" in shown
    assert "value at risk" not in shown


def test_a_customer_is_removed_when_somebody_says_so(run: Run, service: Service) -> None:
    removal = {
        "removed_at": STARTED,
        "removed": {"customer": True, "prediction": False, "exports": 2},
        "expiring": [{"what": "backups", "within_days": 35}],
    }
    refused = run("customers", "remove", "a:b/ü")
    assert refused.returncode != 0
    assert "--yes" in refused.stderr
    assert service.requests == []
    service.will((200, {"data": removal}), (200, {"data": removal}))
    ended = run("customers", "remove", "a:b/ü", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == "removed: customer; files of predictions: 2"
    assert re.search(r"backups\s.*35", ended.stdout)
    assert service.requests[0][:2] == ("DELETE", "/api/customers/a:b~2f~c3~bc")
    assert json.loads(run("customers", "remove", "a:b/ü", "--yes", "--json").stdout) == removal


def link(service: Service, **more: Any) -> dict[str, Any]:
    return {"data": {"url": f"{service.url}/file.csv?signed=1", "expires_at": STARTED, "rows": 2, **more}}


def test_an_export_is_written_whole(run: Run, service: Service, tmp_path: Path) -> None:
    output = tmp_path / "list.csv"
    service.will((200, link(service)), (0, ""), (200, "id,probability\r\n"))
    ended = run("export", "-o", output, "--level", "high", "--group", "basic", "--max-probability", "0.9", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"output": str(output), "rows": 2, "bytes": 16}
    assert output.read_bytes() == b"id,probability\r\n"
    assert (
        service.requests[0][1]
        == "/api/predictions/results?level=high&plan=basic&max_probability=0.9&format=csv&separator=comma&decimal=point"
    )
    assert all("authorization" not in headers for _, path, headers in service.requests if path.startswith("/file"))
    service.requests.clear()
    assert run("export", "-o", output).returncode == 1
    assert service.requests == []

    service.will((200, link(service)), (200, "cut off", {"Content-Length": "99"}))
    broken = run("export", "-o", output, "--force")
    assert broken.returncode == 5
    assert output.read_bytes() == b"id,probability\r\n", "the file before is kept"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".csv"] == ["list.csv"]


def test_an_export_can_go_to_another_command(run: Run, service: Service) -> None:
    service.will((200, link(service)), (200, "id,probability\n"))
    ended = run("export", "--output", "-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "id,probability\n", "")
    assert run("export", "--output", "-", "--json").returncode == 2


def test_a_large_export_is_waited_for(run: Run, service: Service, tmp_path: Path) -> None:
    making = {"run_id": "e1", "status": "RUNNING", "rows": 10, "examined": 50, "predictions": 100, "url": None, "reason": None}
    done = link(service, **{**making, "status": "SUCCEEDED", "url": f"{service.url}/file.csv"})
    output = tmp_path / "all.csv"
    service.will((202, {"data": making}), (200, {"data": making}), (200, done), (200, "id\n"))
    ended = run("export", "-o", output)
    assert ended.returncode == 0, ended.stderr
    assert output.read_text() == "id\n"
    assert service.requests[1][1] == "/api/predictions/exports/e1"

    service.will((200, {"data": {**making, "status": "FAILED", "reason": "The predictions changed."}}))
    failed = run("export", "--run", "e1", "-o", output, "--force")
    assert failed.returncode == 1
    assert "The predictions changed" in failed.stderr
    service.will((200, {"data": {**making, "status": "SUCCEEDED", "reason": "The file is no longer kept."}}))
    gone = run("export", "--run", "e1", "-o", output, "--force")
    assert gone.returncode == 1
    assert "no longer kept" in gone.stderr
    assert run("export", "--run", "e1", "--level", "high").returncode == 2


def test_an_export_has_a_name_of_its_own(run: Run, service: Service, tmp_path: Path) -> None:
    service.will((200, link(service)), (200, "id\n"))
    before = datetime.now(UTC).date()
    ended = run("export", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    names = {f"predictions-{day}.csv" for day in (before, datetime.now(UTC).date())}
    (name,) = (path.name for path in tmp_path.glob("*.csv"))
    assert name in names
    assert TOKEN not in ended.stdout + ended.stderr
