"""Delivering and listing source files by the command line, against a service with scripted answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands.conftest import Run, Service

pytestmark = pytest.mark.usefixtures("session")

CONTENT = b"customer_id,occurred_at\nc1,2026-01-01\n"
COUNTS = {"read": 6, "added": 3, "changed": 0, "repeated": 1, "older": 0, "removed": 2}


def delivered(**changes: Any) -> dict[str, Any]:
    """The view of a delivery that went well."""
    run = {
        "delivery_id": "d1",
        "kind": "events",
        "status": "SUCCEEDED",
        "step": "merge",
        "steps": [],
        "file_name": "events.csv",
        "counts": COUNTS,
        "notes": ["columns that the schema does not read were not kept: device"],
        "reason": None,
        "upload": None,
    }
    return {"data": {**run, **changes}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_uploaded_and_followed_to_its_end(run: Run, service: Service, file: Path) -> None:
    part = {"number": 1, "offset": 0, "size": len(CONTENT), "url": f"{service.url}/part?signed=1"}
    upload = {"parts": [part], "complete": None, "expires_at": "2026-01-01T00:00:00+00:00"}
    running = delivered(status="RUNNING", step="read")
    service.will((202, delivered(status="WAITING", step=None, upload=upload)), (200, ""), (200, running), (200, delivered()))
    done = run("sources", "put", file, "--kind", "events", "--as-of", "2026-01-31", "--watch")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "events.csv: 6 rows read; 3 new, 1 already there, 2 of removed customers, left out\n"
    assert "delivery: reading the file" in done.stderr
    assert "note: columns that the schema does not read were not kept: device" in done.stderr
    asked, sent = service.bodies[0], service.bodies[1]
    assert json.loads(asked) == {"file_name": "events.csv", "size": len(CONTENT), "kind": "events", "as_of": "2026-01-31"}
    assert sent == CONTENT


def test_a_failed_delivery_ends_with_its_reason(run: Run, service: Service) -> None:
    service.will((200, delivered(status="FAILED", reason="events.csv: column at: the file does not have this column.", notes=[])))
    failed = run("sources", "put", "--run", "d1")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "The delivery failed: events.csv: column at" in failed.stderr


def test_a_file_goes_with_its_kind_and_not_with_a_run(run: Run, file: Path) -> None:
    for arguments in (["put"], ["put", file], ["put", "--kind", "events", "--run", "d1"], ["put", file, "--kind", "plans"]):
        assert run("sources", *arguments).returncode == 2


def test_sources_are_listed(run: Run, service: Service) -> None:
    last = {"delivery_id": "d1", "file_name": "events.csv", "as_of": "2026-02-01", "at": "2026-02-02T10:00:00+00:00", "rows": 6, "added": 3}
    events = {"kind": "events", "expected": True, "rows": 1200, "first": "2025-01-01", "last": "2026-01-31", "last_delivery": last}
    profile = {"kind": "profile", "expected": False, "rows": 0, "first": None, "last": None, "last_delivery": None}
    service.will((200, {"data": [profile, events]}))
    listed = run("sources", "list")
    assert listed.returncode == 0, listed.stderr
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in listed.stdout.splitlines() if line.startswith("│")]
    assert rows == [
        ["profile", "0", "–", "–", "not read by the schema"],
        ["events", "1,200", "2025-01-01", "2026-01-31", "events.csv, 2026-02-02"],
    ]
    assert json.loads(run("sources", "list", "--json").stdout) == [profile, events]


def prepared(**changes: Any) -> dict[str, Any]:
    """The view of a preparation that went well."""
    run = {
        "run_id": "p1",
        "status": "SUCCEEDED",
        "step": "store",
        "steps": [],
        "planned_steps": ["build", "store"],
        "features_on": "2026-02-01",
        "counts": {"customers": 1200, "created": 1000, "changed": 0, "unchanged": 0, "older": 0, "rejected": 200},
        "anchors": [
            {"anchor": "2026-01-01", "labelled": True, "rows": 1100, "left": 12, "stayed": 1080},
            {"anchor": "2026-02-01", "labelled": False, "rows": 1150, "left": 0, "stayed": 0},
        ],
        "findings": [{"source": "events", "rows": 3, "text": "events without a day, not used: 3", "kept": False}],
        "notes": [],
        "reason": None,
    }
    return {"data": {**run, **changes}}


def test_a_preparation_is_followed_and_says_what_it_could_not_use(run: Run, service: Service) -> None:
    service.will((202, prepared(status="RUNNING", step=None)), (200, prepared(status="RUNNING", step="build")), (200, prepared()))
    done = run("prepare", "--watch")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1,200 customers with features of 2026-02-01: 1,000 new, 200 rejected"
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.stdout.splitlines() if line.startswith("│")]
    assert rows == [["2026-01-01", "1,100", "12", "1,080"], ["2026-02-01", "1,150", "–", "–"]]
    assert "events without a day, not used: 3" in done.stderr
    assert "preparation: computing features and outcomes" in done.stderr


def test_a_preparation_that_is_under_way_and_one_that_failed(run: Run, service: Service) -> None:
    service.will((202, prepared(status="RUNNING", already_running=True)))
    started = run("prepare")
    assert (started.returncode, started.stdout) == (0, "")
    assert "A preparation was already under way." in started.stderr
    assert "retainstream prepare --run p1 --watch" in started.stderr
    service.will((200, prepared(status="FAILED", reason="Nothing can be computed from the sources: x.", findings=[])))
    failed = run("prepare", "--run", "p1")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "The preparation failed: Nothing can be computed" in failed.stderr
