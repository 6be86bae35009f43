"""The functions of the pages' distribution, run as they stand in the template; the routing beside the local stack's pages."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.pages import Pages
from retainstream.http.visitor import VIEWER_HEADER
from tools.expand import expand

ROOT = Path(__file__).parents[2]
PAGES = (
    "/",
    "/at-risk",
    "/customers/c0001",
    "/customers/jane.doe@example.com",
    "/customers/jane.doe%40example.com",
    "/customers/4.711",
    "/customers/a.b/outcome",
    "/segments",
)
FILES = ("/index.html", "/icon.svg", "/api-client.js", "/assets/index-1a2b.js", "/assets/deep/font.woff2")
ABSENT = ("/robots.txt", "/favicon.ico", "/assets/gone.js", "/assets/gone")


def answers(function: str, events: list[Any]) -> list[Any]:
    """The requests that a function of the template makes of events."""
    code = expand().template["Resources"][function]["Properties"]["FunctionCode"]
    ask = f"{code}; console.log(JSON.stringify({json.dumps(events)}.map(handler)))"
    node = shutil.which("node", path=f"{ROOT / '.venv-node/bin'}{os.pathsep}{os.environ['PATH']}")
    assert node, "Node runs this test; `make test` installs it where it is absent."
    requests: list[Any] = json.loads(subprocess.run([node, "-e", ask], capture_output=True, text=True, check=True).stdout)
    return requests


@pytest.fixture(scope="module")
def routed() -> dict[str, str]:
    """Where the function of the template leads each address."""
    addresses = [*PAGES, *FILES, *ABSENT]
    requests = answers("PagesRouting", [{"request": {"uri": uri}} for uri in addresses])
    return dict(zip(addresses, (request["uri"] for request in requests), strict=True))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_the_front_page_whatever_the_customers_id(routed: dict[str, str], path: str) -> None:
    assert routed[path] == "/index.html"


@pytest.mark.parametrize("path", FILES + ABSENT)
def test_files_are_asked_for_as_they_are(routed: dict[str, str], path: str) -> None:
    assert routed[path] == path


def test_the_local_stack_routes_as_the_content_network_does(routed: dict[str, str], tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name[1:]).write_text(name)
    pages = Pages(tmp_path, {})
    for path, target in routed.items():
        answer = pages.answer(path)
        assert (answer.body if answer else None) == (None if path in ABSENT else target.encode()), path


@pytest.mark.parametrize("ip", ["203.0.113.9", "2001:db8::9"])
def test_the_api_is_told_the_viewers_address_whatever_the_viewer_says(ip: str) -> None:
    sent = {"authorization": {"value": "Bearer t"}, "cookie": {"value": "a=b"}}
    forged = {"value": "192.0.2.1", "multiValue": [{"value": "192.0.2.1"}, {"value": "192.0.2.2"}]}
    events = [
        {"viewer": {"ip": ip}, "request": {"uri": "/api/auth/login", "headers": sent | more}} for more in ({}, {VIEWER_HEADER: forged})
    ]
    for request in answers("PagesViewer", events):
        assert request == {"uri": "/api/auth/login", "headers": {**sent, VIEWER_HEADER: {"value": ip}}}
