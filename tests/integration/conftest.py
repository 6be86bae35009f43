"""Functions called as API Gateway calls them."""

import base64
import importlib.util
import json
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from tests import patience
from tests.as_function import as_function, hold_functions_to_their_roles
from tests.conftest import loaded_functions
from tests.patience import killed_after, killed_late
from tests.told import look_at, raising_is_telling, watch_log

FUNCTIONS = Path(__file__).parents[2] / "functions"
_SECONDS_TO_START = 240
"""How long a stack may take to start, with its training, on a busy machine."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is parsed JSON where it is JSON."""

    status: int
    body: Any
    headers: dict[str, str]


@cache
def load_function(name: str) -> ModuleType:
    """The app.py of one function, loaded by path under a name of its own; its handler acts in the function's role."""
    hold_functions_to_their_roles()
    specification = importlib.util.spec_from_file_location(f"functions_{name}", FUNCTIONS / name / "app.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    loaded_functions.add(module)
    specification.loader.exec_module(module)
    module.handler = raising_is_telling(as_function(name, module.handler))  # type: ignore[attr-defined]
    return module


def lambda_context(name: str) -> Any:
    """What Lambda tells a handler about its invocation."""
    return SimpleNamespace(
        function_name=name,
        function_version="$LATEST",
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: 900_000 if name in ("scoring", "history") else 30_000,
    )


def http_event(
    method: str, path: str, *, query: str = "", body: str | None = None, headers: dict[str, str], principal: dict[str, str] | None
) -> Any:
    """An HTTP API event, payload 2.0."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "test",
            "domainName": "test.example",
            "domainPrefix": "test",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "pytest"},
            "requestId": str(uuid.uuid4()),
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": "21/Nov/2026:09:00:00 +0000",
            "timeEpoch": 1795251600000,
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = {name: value for name, _, value in (part.partition("=") for part in query.split("&"))}
    if body is not None:
        event["body"] = body
    if principal:
        event["requestContext"]["authorizer"] = {"lambda": principal}
    return event


@pytest.fixture
def call(aws: None) -> Callable[..., Answer]:
    """Sends one request to a function: call(module, method, path, body, role=…, user=…, query=…, headers=…, raw=…).

    `role=None` sends no token. `first_password`: an administrator chose the user's password.
    `raw` is a body that is sent as it is, in place of JSON; bytes travel in base64, as API Gateway sends
    what is not text.
    """

    def send(
        module: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = "admin",
        user: str = "ann@example.com",
        token_id: str = "token-1",
        query: str = "",
        headers: dict[str, str] | None = None,
        raw: str | bytes | None = None,
        first_password: bool = False,
    ) -> Answer:
        principal = {"userId": user, "role": role, "tokenId": token_id, "tokenExpires": "1999999999"} if role else None
        if principal and first_password:
            principal["mustChangePassword"] = "1"
        sent = raw if isinstance(raw, str) else None if body is None else json.dumps(body)
        event = http_event(
            method, path, query=query, body=sent, headers={"content-type": "application/json", **(headers or {})}, principal=principal
        )
        if isinstance(raw, bytes):
            event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        answer = load_function(module).handler(event, lambda_context(module))
        text = answer.get("body") or ""
        parsed = json.loads(text) if "json" in str(answer.get("headers", {}).get("Content-Type", "")) and text else text
        return Answer(answer["statusCode"], parsed, answer.get("headers", {}))

    return send


@dataclass
class LocalProcess:
    """The local stack in a process of its own, seeded."""

    folder: Path
    customers: int
    arguments: tuple[str, ...] = ()
    months: int = 0
    process: subprocess.Popen[str] | None = None
    url: str = ""
    told: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        options = {
            "SelfRegistration": "open",
            "RateLimitUser": "1000000",
            "RateLimitAnonymous": "1000000",
            "RateLimitRuns": "1000",
            "RecountSettleSeconds": "1",
            "TrainingSeconds": "2",
        }
        parameters = [part for name, value in options.items() for part in ("--parameter", f"{name}={value}")]
        arguments = [
            "--port",
            "0",
            "--customers",
            str(self.customers),
            "--months",
            str(self.months),
            "--data-dir",
            str(self.folder),
            *parameters,
            *self.arguments,
        ]
        root = FUNCTIONS.parent
        self.process = subprocess.Popen([sys.executable, "-m", "local", *arguments], cwd=root, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        watch_log(self.folder / "functions.log")
        self.told.clear()
        with killed_late(self.process, _SECONDS_TO_START):
            for line in self.process.stdout:
                self.told.append(line)
                if matched := re.search(r"Dashboard\s+(http://\S+)", line):
                    self.url = matched[1]
                if line.startswith("Ctrl-C"):
                    return
        process, self.process = self.process, None
        process.wait(patience.SECONDS)
        raise AssertionError("".join(self.told))

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(number)
            with killed_after(process):
                look_at(process.communicate(timeout=patience.SECONDS)[0])

    def client(self, email: str = "alex.chen@netflix.com", password: str = "password") -> httpx.Client:
        """A client signed in as somebody."""
        answer = httpx.post(f"{self.url}/api/auth/login", json={"email": email, "password": password}, timeout=30)
        assert answer.status_code == 200, answer.text
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {answer.json()['data']['token']}"}, timeout=60)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProcess]:
    """The whole stack with 1,000 synthetic customers, everybody scored; shared by all tests of a worker, who may change what is in it."""
    running = LocalProcess(tmp_path_factory.mktemp("stack"), customers=1000)
    running.start()
    yield running
    running.end()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[LocalProcess]:
    """A small stack of the test's own, which it may stop, kill and start again."""
    running = LocalProcess(tmp_path, customers=400)
    running.start()
    yield running
    running.end()


def authorized(token: str) -> dict[str, str]:
    """The context that the authorizer gives API Gateway for a token."""
    event = {"version": "2.0", "type": "REQUEST", "headers": {"authorization": f"Bearer {token}"}, "requestContext": {"requestId": "r"}}
    context: dict[str, str] = load_function("authorizer").handler(event, lambda_context("authorizer"))["context"]
    return context
