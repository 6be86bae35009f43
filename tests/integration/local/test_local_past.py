"""A first start replays the past of a generated business through the stack's own state machines."""

import io
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from local.past import Past
from local.seed import ADMINISTRATOR, PASSWORD, replay, seed
from local.stack import LocalStack
from retainstream.engine.business.calendar import day_of, monthly
from tests.integration.conftest import LocalProcess

CUSTOMERS, MONTHS = 1_300, 3


@pytest.fixture(scope="module")
def replayed() -> Iterator[tuple[Past, int, httpx.Client, str]]:
    """The past, the number of tables after which a model was in service, a client of the stack, and what the console showed."""
    shown = io.StringIO()
    console = Console(file=shown)
    with LocalStack(parameters={"TrainingSeconds": "2"}) as stack:
        past = seed(stack, CUSTOMERS, console, MONTHS)
        assert past is not None
        begun = past.done
        replay(stack, past, console)
        login = httpx.post(f"{stack.url}/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD}, timeout=60)
        headers = {"Authorization": f"Bearer {login.json()['data']['token']}"}
        with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
            yield past, begun, client, shown.getvalue()


def get(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def every(client: httpx.Client, path: str) -> list[Any]:
    """All items of a list; a page may be shorter than it could be."""
    items, cursor = [], ""
    while cursor is not None:
        answer = client.get(path, params={"cursor": cursor} if cursor else {}).json()
        items += answer["data"]
        cursor = answer["page"]["next"]
    return items


def tables() -> list[str]:
    """The days of the tables that lead up to today."""
    return [day_of(day).isoformat() for day in monthly(datetime.now(UTC).date(), MONTHS + 1)]


def test_the_dashboard_is_usable_before_the_past_is_over(replayed: tuple[Past, int, httpx.Client, str]) -> None:
    past, begun, _, shown = replayed
    assert 0 < begun < past.tables == MONTHS + 1
    assert past.is_over
    assert f"trained a model on {begun} monthly tables" in shown
    assert f"Replayed the past: {past.tables} monthly tables" in shown


def test_each_table_is_an_import_of_its_day_without_a_rejected_row(replayed: tuple[Past, int, httpx.Client, str]) -> None:
    imports = every(replayed[2], "/api/customers/imports")
    assert [item["file_name"] for item in imports] == [f"{day}.csv" for day in reversed(tables())]
    for item in imports:
        assert item["status"] == "SUCCEEDED"
        assert item["counts"]["rejected"] == 0
        assert item["features_as_of"][:10] == item["outcomes_as_of"][:10] == item["file_name"][:10]
    assert all(item["counts"]["left"] > 10 for item in imports[:-1])


def test_the_trend_has_a_point_on_the_day_of_each_scored_table(replayed: tuple[Past, int, httpx.Client, str]) -> None:
    _, begun, client, _ = replayed
    metrics = get(client, "/api/dashboard/metrics")
    assert [point["features_on"] for point in metrics["trend"]] == tables()[begun - 1 :]
    assert metrics["model"]["synthetic"] is True
    assert metrics["churn_rate"]["left"] > 10
    assert 0.02 < metrics["churn_rate"]["rate"] < 0.1
    assert len(metrics["churn_by_month"]) >= MONTHS - 1


def test_a_leaver_has_a_life_with_its_days(replayed: tuple[Past, int, httpx.Client, str]) -> None:
    client = replayed[2]
    listed = every(client, "/api/customers")
    leavers = [customer for customer in listed if customer["churned"]]
    assert leavers
    assert {customer["source"] for customer in listed} == {"synthetic"}
    for customer in leavers[:20]:
        life = get(client, f"/api/customers/{customer['customer_id']}")["life"]
        assert life["began_on"] < life["left_on"] <= tables()[-1]


@pytest.mark.long
def test_a_past_that_was_killed_goes_on_at_the_next_start(tmp_path: Path) -> None:
    running = LocalProcess(tmp_path, customers=CUSTOMERS, months=MONTHS)
    running.start()
    assert running.process is not None
    assert running.process.stdout is not None
    announced = next(line for line in running.process.stdout if line.strip())
    assert "later table follows now" in announced
    running.end(signal.SIGKILL)
    running.start()
    with running.client() as client:
        deadline = time.monotonic() + 300
        while get(client, "/api/dashboard/metrics")["trend"][-1]["features_on"] != tables()[-1] and time.monotonic() < deadline:
            time.sleep(1)
        imports = every(client, "/api/customers/imports")
        days = {item["file_name"] for item in imports if item["status"] == "SUCCEEDED"}
        assert days == {f"{day}.csv" for day in tables()}
        assert get(client, "/api/dashboard/metrics")["trend"][-1]["features_on"] == tables()[-1]
    running.end()
