"""The command line on a terminal: questions and progress."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands.conftest import ROOT, Run, Service
from tests.patience import killed_after, killed_late

GOING: dict[str, Any] = {"run_id": "s1", "status": "RUNNING", "step": "score", "steps": []}
STATUS: dict[str, Any] = {"data": {"model": None, "promoted_at": None, "promoted_by": None, "previous": "v1", "history": []}}


def typed(folder: Path, arguments: Sequence[object], answers: Sequence[tuple[str, str]] = ()) -> tuple[int, str]:
    """Runs the command on a terminal, and types each answer when its question is there. Returns the exit code and what was to be seen."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli.app", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=_environment(folder), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen, waiting, until = "", list(answers), time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece.decode(errors="replace")
        if waiting and re.search(waiting[0][0], seen[-400:]):
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    with killed_after(process):
        code = process.wait(timeout=10)
    os.close(ours)
    return code, seen


@pytest.mark.usefixtures("session")
def test_a_rollback_is_asked_about(service: Service, tmp_path: Path) -> None:
    service.will((200, STATUS))
    code, seen = typed(tmp_path, ["rollback"], [(r"\[y/N\]", "n")])
    assert code == 1
    assert "Put v1 back into service in place of no model?" in seen
    assert [method for method, _, _ in service.requests] == ["GET"]
    code, _ = typed(tmp_path, ["rollback"], [(r"\[y/N\]", "y")])
    assert code == 0
    assert service.requests[-1][:2] == ("POST", "/api/model/rollback")


@pytest.mark.usefixtures("session")
def test_a_first_password_is_typed_twice_and_never_seen(service: Service, tmp_path: Path) -> None:
    service.will((201, {"data": {"email": "bob@example.com", "role": "viewer", "status": "active"}}))
    prompts = [("First password: $", "cedar-wave-lantern"), ("Repeat for confirmation: $", "cedar-wave-lantern")]
    code, seen = typed(tmp_path, ["users", "add", "bob@example.com"], prompts)
    assert code == 0, seen
    assert b"cedar-wave-lantern" in service.bodies[0]
    assert "cedar-wave-lantern" not in seen


@pytest.mark.usefixtures("session")
def test_progress_is_for_terminals(run: Run, service: Service, tmp_path: Path) -> None:
    failed = {"data": {**GOING, "status": "FAILED", "reason": "It was stopped."}}
    service.will((200, {"data": GOING}), (200, {"data": GOING}), (200, failed))
    code, seen = typed(tmp_path, ["score", "--run", "s1", "--watch"])
    assert code == 1
    assert "scoring run: scoring" in seen
    assert "\x1b[" in seen
    service.will((200, {"data": GOING}), (200, {"data": GOING}), (200, {"data": GOING}), (200, failed))
    ended = run("score", "--run", "s1", "--watch")
    assert ended.returncode == 1
    assert ended.stderr == "scoring run: scoring\nerror: The scoring run failed: It was stopped.\n"


@pytest.mark.usefixtures("session")
def test_a_run_that_is_interrupted_goes_on(service: Service, tmp_path: Path) -> None:
    service.will((200, {"data": GOING}))
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", "score", "--run", "s1", "--watch"],
        cwd=ROOT,
        env=_environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever started the tests may ignore it
    )
    assert process.stderr is not None
    with killed_after(process):
        with killed_late(process):
            assert process.stderr.readline() == "scoring run: scoring\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "The scoring run continues. To see it: retainstream score --run s1 --watch\n"


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RETAINSTREAM_")}
    paths = os.pathsep.join([str(ROOT / "layers/core"), str(ROOT)])
    return {**kept, "PYTHONPATH": paths, "TERM": "xterm", "COLUMNS": "100", "RETAINSTREAM_CONFIG_DIR": str(folder / "config")}
