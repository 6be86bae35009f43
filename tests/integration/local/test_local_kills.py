"""The whole local stack killed in the middle of an import and of a scoring run: what is begun again ends, and the counters are exact."""

import random
import signal
import time
from typing import Any

import httpx

from tests.importing import as_file, line
from tests.integration.conftest import LocalProcess

ROWS = 1500
CONTENT = as_file([line(f"k{number:05d}", plan="basic,extra" if number % 50 == 49 else "basic") for number in range(ROWS)])
PATIENCE_SECONDS = 120


def followed(client: httpx.Client, path: str) -> dict[str, Any]:
    """A run once it has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (run := client.get(path).json()["data"])["status"] in ("WAITING", "RUNNING") and time.monotonic() < deadline:
        time.sleep(0.2)
    return dict(run)


def import_begun(client: httpx.Client) -> str:
    answer = client.post("/api/customers/imports", json={"file_name": "customers.csv", "size": len(CONTENT)})
    assert answer.status_code < 300, answer.text
    asked = answer.json()["data"]
    assert httpx.put(asked["upload"]["parts"][0]["url"], content=CONTENT, timeout=60).status_code == 200
    return f"/api/customers/imports/{asked['import_id']}"


def scoring_begun(client: httpx.Client) -> str:
    answer = client.post("/api/predictions/generate", json={"all": True})
    assert answer.status_code == 202, answer.text
    return f"/api/predictions/runs/{answer.json()['data']['run_id']}"


def killed_while(stack: LocalProcess, begin: Any, seconds: float) -> str:
    """Begins something, kills the stack after so many seconds, starts it again, and gives what is to be followed."""
    with stack.client() as client:
        path: str = begin(client)
        time.sleep(seconds)
    stack.end(signal.SIGKILL)
    stack.start()
    with stack.client() as client:
        found = client.get(path)
        assert found.status_code in (200, 404), found.text  # what was asked for in the last second may be forgotten
        if found.status_code == 200 and found.json()["data"]["status"] != "WAITING":
            run = followed(client, path)
            assert run["status"] in ("FAILED", "SUCCEEDED")
            assert run["status"] == "SUCCEEDED" or "restart" in run["reason"]
    return path


def exact(client: httpx.Client) -> bool:
    """Whether the dashboard's counters are a recount of the base."""
    answer = client.post("/api/dashboard/recount", json={})
    run = followed(client, f"/api/dashboard/recounts/{answer.json()['data']['run_id']}")
    assert run["status"] == "SUCCEEDED", run
    return bool(run["exact"])


def test_a_stack_that_is_killed_in_an_import_and_in_a_scoring_run_does_both_when_they_are_begun_again(own_stack: LocalProcess) -> None:
    chance = random.Random(1)
    for _ in range(2):
        killed_while(own_stack, import_begun, chance.uniform(0.3, 1.5))
    with own_stack.client() as client:
        counts = followed(client, import_begun(client))["counts"]
        assert (counts["read"], counts["accepted"], counts["rejected"]) == (ROWS, ROWS - ROWS // 50, ROWS // 50)
        assert exact(client)
    killed_while(own_stack, scoring_begun, chance.uniform(0.2, 1.0))
    with own_stack.client() as client:
        run = followed(client, scoring_begun(client))
        assert run["status"] == "SUCCEEDED", run
        assert run["counts"]["scored"] >= ROWS - ROWS // 50
        assert exact(client)
