"""What hinders the start is told in one line, with exit code 1."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import killed_after, killed_late, wait_for

ROOT = Path(__file__).parents[3]


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 1, answer
    assert answer.stderr == ""
    lines = answer.stdout.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_busy_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = one_line(start("--port", str(port), "--data-dir", str(tmp_path)))
    assert f"Port {port} is in use" in line
    assert "PORT=" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("port", ["70000"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert port in one_line(start(PORT=port, DATA_DIR=str(tmp_path)))


def test_a_data_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = one_line(start("--port", "0", "--data-dir", str(tmp_path / "file")))
    assert str(tmp_path / "file") in line


def test_a_state_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"no database" * 500)
    line = one_line(start("--port", "0", "--data-dir", str(tmp_path)))
    assert "RESET=1" in line


def test_a_template_that_cannot_be_read(tmp_path: Path) -> None:
    line = one_line(start("--port", "0", "--data-dir", str(tmp_path), "--template", str(tmp_path / "none.yaml")))
    assert "none.yaml" in line


def test_another_python_is_told_before_anything_is_imported(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.version_info = (3, 11, 0, 'final', 0)\n")
    command = [
        sys.executable,
        "-S",
        "-c",
        "import sys; sys.version_info = (3, 11, 9); import runpy; runpy.run_module('local', alter_sys=True)",
    ]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert answer.stderr.strip() == "RetainStream needs Python 3.13; this is Python 3.11."


def test_the_package_can_be_read_by_older_pythons() -> None:
    for name in ("__init__.py", "__main__.py"):
        compile((ROOT / "local" / name).read_text(), name, "exec", dont_inherit=True)
        assert "match " not in (ROOT / "local" / name).read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_ends_it_quietly(tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "local", "--port", "0", "--customers", "0", "--data-dir", str(tmp_path)]
    options: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **options) as process, killed_after(process):
        wait_for((tmp_path / "state.sqlite3").exists, "a start makes its state", process)
        process.send_signal(stop)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in output + errors


def test_help_names_every_option() -> None:
    answer = start("--help")
    assert answer.returncode == 0
    for option in ("--port", "--customers", "--months", "--reset", "--data-dir", "--parent-pid", "--template"):
        assert option in answer.stdout


PARENTS = {
    "direct": "subprocess.run([sys.executable, '-m', 'local', *sys.argv[1:], '--parent-pid', str(os.getpid())])",
    "with a shell between": """os.environ['PARENT_PID'] = str(os.getpid())
subprocess.run(['sh', '-c', '"$@"; echo ended', 'sh', sys.executable, '-m', 'local', *sys.argv[1:]])""",
}


@pytest.mark.parametrize("code", PARENTS.values(), ids=PARENTS.keys())
def test_a_stack_ends_with_its_parent(tmp_path: Path, code: str) -> None:
    command = [sys.executable, "-c", f"import os, subprocess, sys\n{code}", "--port", "0", "--customers", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent, killed_after(parent):
        assert parent.stdout is not None
        output = []
        with killed_late(parent):
            for line in parent.stdout:
                output.append(line)
                if line.startswith("Ctrl-C"):
                    break
        assert output[-1].startswith("Ctrl-C"), output
        parent.kill()
        parent.wait()
        parent.communicate(timeout=60)  # the stack's output ends with the stack
    line = one_line(start("--port", "0", "--data-dir", str(tmp_path), "--template", str(tmp_path / "none.yaml")))
    assert "none.yaml" in line  # and its folder is free
