"""The command line in its own process, or in the test's process where AWS is moto's; and a service with scripted answers."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.session import Session, Sessions
from tests.integration.conftest import FUNCTIONS

ROOT = FUNCTIONS.parent
TOKEN = "eyJ-a-token-that-nobody-may-see"
EMAIL, PASSWORD = "alex.chen@netflix.com", "password"

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, with a folder for its settings of its own."""

    def call(*arguments: object, stdin: str = "", folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RETAINSTREAM_")}
        paths = os.pathsep.join([str(ROOT / "layers/core"), str(ROOT)])
        own = {"PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "120", "RETAINSTREAM_CONFIG_DIR": str(tmp_path / "config")}
        command = [sys.executable, "-m", "cli.app", *map(str, arguments)]
        environment = {**kept, **own, **variables}
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, input=stdin, env=environment)

    return call


class Service:
    """Gives scripted answers in order, and repeats the last one. Keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                service.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
                service.requests.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, body, headers = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
                if status == 0:  # breaks off without an answer
                    self.close_connection = True
                    return
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def will(self, *answers: tuple[int, Any] | tuple[int, Any, dict[str, str]]) -> None:
        self.answers = [(answer[0], answer[1], answer[2] if len(answer) > 2 else {}) for answer in answers]


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def session(service: Service, tmp_path: Path) -> Session:
    """Somebody signed in at the service."""
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    session = Session(service.url, "ann@example.com", "admin", TOKEN, later)
    Sessions(tmp_path / "config").keep(session)
    return session


def problem(name: str, status: int, title: str, **more: Any) -> dict[str, Any]:
    return {"type": f"urn:retainstream:problem:{name}", "title": title, "status": status, "request_id": "r-1", **more}


@dataclass(frozen=True)
class Ended:
    """How a command ended in this process."""

    returncode: int
    stdout: str
    stderr: str


type RunHere = Callable[..., Ended]


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunHere:
    """The command in this process, with a folder for its settings of its own."""
    for name in [name for name in os.environ if name.startswith("RETAINSTREAM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RETAINSTREAM_CONFIG_DIR", str(tmp_path / "config"))

    def call(*arguments: object, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["retainstream", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return Ended(int(ended.value.code or 0), output.out, output.err)

    return call
