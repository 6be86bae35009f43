"""A large file of predictions over the local stack: asked for, followed, downloaded; and what a restart makes of one it interrupted."""

import csv
import io
import time
from pathlib import Path

import httpx

from local.stack import LocalStack
from retainstream.storage.runs import Runs
from tests.integration.conftest import LocalProcess


def test_a_large_file_is_asked_for_followed_and_downloaded(tmp_path: Path) -> None:
    running = LocalProcess(tmp_path, customers=400, arguments=("--parameter", "ExportAtOnce=100"))
    running.start()
    try:
        with running.client() as client:
            ids = set()
            query = "limit=100"
            while query:
                page = client.get(f"/api/predictions/results?{query}").json()
                ids |= {prediction["customer_id"] for prediction in page["data"]}
                query = f"limit=100&cursor={page['page']['next']}" if page["page"]["next"] else ""
            answer = client.get("/api/predictions/results?format=data")
            assert answer.status_code == 202
            deadline = time.monotonic() + 60
            while (run := client.get(answer.headers["location"]).json()["data"])["status"] == "RUNNING" and time.monotonic() < deadline:
                time.sleep(0.1)
            assert (run["status"], run["rows"]) == ("SUCCEEDED", len(ids))
            downloaded = httpx.get(run["url"])
            assert "attachment" in downloaded.headers["content-disposition"]
            rows = list(csv.DictReader(io.StringIO(downloaded.content.decode(), newline="")))
            assert {row["customer_id"] for row in rows} == ids
            assert len(rows) == len(ids)
            small = client.get("/api/predictions/results?format=data&level=critical")
            assert small.status_code == 200
    finally:
        running.end()


def test_a_restart_fails_the_export_it_interrupted(tmp_path: Path) -> None:
    with LocalStack(data=tmp_path):
        Runs().start("interrupted", "export", "ann", {"filters": {}, "predictions": 9})
    with LocalStack(data=tmp_path):
        assert Runs().existing("interrupted")["reason"] == "Interrupted by a restart of the local stack."
