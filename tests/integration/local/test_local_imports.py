"""An upload over the local stack's S3 endpoint starts its import, also one whose event a stop has swallowed."""

import os
import time
from pathlib import Path

import httpx

from local.stack import LocalStack
from retainstream.engine.schema import default_schema
from retainstream.runs.imports import request as imports
from retainstream.runs.imports.request import ImportRequest
from retainstream.storage.customers import Customers
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.importing import as_file, line


def ended(import_id: str) -> str:
    deadline = time.monotonic() + 60
    while (status := str(Runs().existing(import_id)["status"])) in ("WAITING", "RUNNING") and time.monotonic() < deadline:
        time.sleep(0.05)
    return status


def ask(content: bytes) -> tuple[str, str]:
    request = ImportRequest(file_name="c.csv", size=len(content))
    view = imports.ask(Stores(), default_schema(), request, by="ann", idempotency_key=None)
    assert view.upload
    return view.import_id, view.upload.parts[0].url


def test_an_upload_starts_the_import_and_a_restart_fails_what_it_interrupted(tmp_path: Path) -> None:
    content = as_file([line("c1"), line("c2")])
    with LocalStack(data=tmp_path):
        import_id, url = ask(content)
        assert httpx.put(url, content=content).status_code == 200
        assert ended(import_id) == "SUCCEEDED"
        assert Customers().get("c1")
        interrupted, _ = ask(content)
        Runs().begin(interrupted)
        waiting, _ = ask(content)
    with LocalStack(data=tmp_path):
        assert Runs().existing(interrupted)["reason"] == "Interrupted by a restart of the local stack."
        assert Runs().existing(waiting)["status"] == "WAITING"
        assert os.environ["IMPORT_STATE_MACHINE_ARN"]
