"""The whole life of a customer with unmistakable values, and after the removal a search of every item and every version of every object."""

import gzip
import hashlib
import io
import json
import re
import struct
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from tempfile import NamedTemporaryFile
from typing import Any

import boto3
import duckdb
import httpx
import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from rich.console import Console

from local.first_training import train
from local.isolation import ACCOUNT, REGION
from local.seed import ADMINISTRATOR, PASSWORD, seed, shown_progress
from local.stack import LocalStack
from retainstream.engine.learning.dataset import DataSet, key_of
from retainstream.engine.schema import default_schema
from retainstream.runs.imports.compare import _DIGEST
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.removals import Removals

CANARY = "canary-7f3a9c@wren.example"
WATCHED, PAID, TENURE = 187.34375, 23.4375, 233
CUSTOMERS = 400

LEFT = {"history/": "history", "imports/": "uploads", "datasets/": "data-sets", "RemovedCustomersTable": "mark"}
_SYNTHETIC_ID = re.compile(rb"\bs0000\d{3}\b")

type Found = set[tuple[str, str]]


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[LocalStack, httpx.Client, Found, dict[str, Any]]]:
    """A stack in which the customer has lived and been removed: what was found before, and what the removal answered."""
    limits = {"RateLimitUser": "1000000", "RateLimitRuns": "1000", "RecountSettleSeconds": "5", "ExportAtOnce": "100"}
    parameters = {**limits, "TrainingSeconds": "2"}
    with LocalStack(parameters=parameters) as stack:
        seed(stack, CUSTOMERS, Console(quiet=True))
        login = httpx.post(f"{stack.url}/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD}, timeout=60)
        headers = {"Authorization": f"Bearer {login.json()['data']['token']}"}
        with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
            live(client)
            with shown_progress(Console(quiet=True)) as progress:
                train(progress)
            everything(client)
            assert stack.feeder.wait_until_drained(60)
            before = search()
            removed = done(client.delete(f"/api/customers/{CANARY}"))
            assert stack.feeder.wait_until_drained(60)
            yield stack, client, before, removed


def done(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()["data"]


def ended(client: httpx.Client, path: str) -> Any:
    """A run, when it is over."""
    deadline = time.monotonic() + 120
    while (found := done(client.get(path)))["status"] in ("RUNNING", "WAITING") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found["status"] == "SUCCEEDED", found
    return found


def live(client: httpx.Client) -> None:
    """Imported, by a packed file with the features of more than a horizon ago, and known to be a customer since then."""
    schema = default_schema()
    names = [schema.id.column, *(column.name for column in schema.columns)]
    values = {
        "customer_id": CANARY,
        "plan": "premium",
        "watch_time_hours": WATCHED,
        "subscription_age_months": 7,
        "device_count": 2,
        "last_login_days": 20,
        "payment_failures": 2,
        "tenure_months": TENURE,
        "monthly_price": PAID,
    }
    lines = [",".join(names), ",".join(str(values[name]) for name in names), f"{CANARY},gold,1,1,1,1,1,1,1"]
    then = datetime.now(UTC) - timedelta(days=schema.horizon_days + 5)
    import_file(client, gzip.compress("\n".join([*lines, ""]).encode()), features_as_of=then.date().isoformat())
    done(client.post(f"/api/customers/{CANARY}/outcome", json={"churned": False}))


def import_file(client: httpx.Client, content: bytes, **asked: Any) -> Any:
    given = {"file_name": "some.csv", "size": len(content), **asked}
    told = done(client.post("/api/customers/imports", json=given))
    assert httpx.put(told["upload"]["parts"][0]["url"], content=content, timeout=60).status_code == 200
    return ended(client, f"/api/customers/imports/{told['import_id']}")


def everything(client: httpx.Client) -> None:
    """Scored in every way, exported in both, asked about, and counted again."""
    done(client.post("/api/predictions/generate", json={"customer_ids": [CANARY]}))
    done(client.post("/api/dashboard/predict", json={"sample_size": 1000}))
    done(client.post("/api/predictions/what-if", json={"customer_id": CANARY, "changes": {"payment_failures": 0}}))
    ended(client, f"/api/predictions/runs/{done(client.post('/api/predictions/generate', json={'all': True}))['run_id']}")
    assert "url" in done(client.get("/api/predictions/results?format=csv&min_probability=0.99"))
    ended(client, f"/api/predictions/exports/{done(client.get('/api/predictions/results?format=csv'))['run_id']}")
    ended(client, f"/api/dashboard/recounts/{done(client.post('/api/dashboard/recount', json={'repair': False}))['run_id']}")
    done(client.get("/api/model/drift"))


def traces() -> dict[str, list[bytes]]:
    """What gives the customer away, by what it is, in every form it is written."""
    numbers = [form(value) for value in (WATCHED, PAID) for form in (_text, *(_packed(kind) for kind in ("<f", ">f", "<d", ">d")))]
    digest = hashlib.blake2b(CANARY.encode(), digest_size=_DIGEST).digest()
    key = struct.pack("<Q", key_of(CANARY))
    return {"id": [CANARY.encode()], "values": numbers, "digest": [digest, key, Removals().mark_of(CANARY).encode()]}


def _text(value: float) -> bytes:
    return str(value).encode()


def _packed(kind: str) -> Any:
    return lambda value: struct.pack(kind, value)


def unpacked(content: bytes) -> bytes:
    """With what is in it, where it is packed."""
    if content[:2] == b"\x1f\x8b":
        return content + unpacked(gzip.decompress(content))
    if content[:4] == b"PAR1":
        with NamedTemporaryFile(suffix=".parquet") as file:
            file.write(content)
            file.flush()
            rows = duckdb.execute(f"SELECT * FROM '{file.name}'").fetchall()
            return content + "\n".join(str(value) for row in rows for value in row).encode()
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return content + b"".join(archive.read(name) for name in archive.namelist())
    return content


def places() -> Iterator[tuple[str, bytes]]:
    """Every item of every table, and every version of every object of every bucket, with where it is."""
    for name, table in dynamodb_backends[ACCOUNT][REGION].tables.items():
        for item in table.all_items():
            yield name.removeprefix("retainstream-"), json.dumps(item.to_json(), default=str).encode()
    for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
        for key in list(bucket.keys):
            versions = bucket.keys.getlist(key)
            for version in versions:
                yield f"{key.split('/')[0]}/", key.encode() + b" " + unpacked(getattr(version, "value", b""))


def search() -> Found:
    """Where the customer is found, as (table or prefix, what was found)."""
    wanted = traces()
    return {(place, what) for place, content in places() for what, forms in wanted.items() if any(form in content for form in forms)}


def test_the_customer_was_everywhere(lived: Any) -> None:
    """Or the search would find nothing because it cannot."""
    _, _, before, _ = lived
    tables = {(table, what) for table in ("CustomersTable", "PredictionsTable") for what in ("id", "values")}
    files = (
        {(prefix, "id") for prefix in ("history/", "imports/", "exports/")}
        | {("history/", "values")}
        | {("datasets/", "digest"), ("datasets/", "values")}
    )
    assert before >= tables | files


def test_what_is_left_is_what_the_answer_says_and_expires(lived: Any) -> None:
    _, _, _, removed = lived
    assert removed["removed"]["customer"] is True
    assert removed["removed"]["prediction"] is True
    assert removed["removed"]["exports"] > 1
    told = {one["what"] for one in removed["expiring"]}
    assert {place for place, _ in search()} - {"models/"} == {place for place, what in LEFT.items() if what in told}


def test_no_model_no_figure_and_no_report_knows_who_anybody_is(lived: Any) -> None:
    """A model's thresholds are numbers of the data; nothing says whose."""
    del lived
    for place, content in places():
        if place in ("models/", "drift/", "scoring/", "recounts/", "schemas/", "RollupsTable", "ModelsTable", "RunsTable"):
            assert not any(form in content for what in ("id", "digest") for form in traces()[what]), place
            assert _SYNTHETIC_ID.search(content) is None, place
    assert {what for place, what in search() if place == "models/"} <= {"values"}


def test_nothing_brings_the_customer_back(lived: Any) -> None:
    stack, client, _, removed = lived
    before = search()
    line = f"{CANARY},premium,{WATCHED},7,2,20,2,{TENURE},{PAID}"
    header = ",".join(["customer_id", *(column.name for column in default_schema().columns)])
    counts = import_file(client, f"{header}\n{line}\n".encode(), as_of=removed["removed_at"])["counts"]
    assert (counts["older"], counts["created"]) == (1, 0)
    ended(client, f"/api/predictions/runs/{done(client.post('/api/predictions/generate', json={'all': True}))['run_id']}")
    ended(client, f"/api/predictions/exports/{done(client.get('/api/predictions/results?format=csv'))['run_id']}")
    with shown_progress(Console(quiet=True)) as progress:
        result = train(progress)
    assert stack.feeder.wait_until_drained(60)
    assert search() == before
    run_id = Models().version(result["version"])["run_id"]  # type: ignore[index]
    assert key_of(CANARY) not in DataSet.from_bytes(Documents().get_bytes(f"datasets/{run_id}/data.npz")).keys


def test_the_daily_run_takes_the_customer_out_of_the_history(lived: Any) -> None:
    """The last test of this module: afterwards no file of the history, and no version of one, names the customer."""
    stack, _, _, _ = lived
    assert any(place == "history/" for place, _ in search())
    execution = stack.scheduler.run_now("retainstream-history")
    states = boto3.client("stepfunctions")
    deadline = time.monotonic() + 60
    while (status := states.describe_execution(executionArn=execution)["status"]) == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == "SUCCEEDED"
    assert not any(place == "history/" for place, _ in search())
    assert any(key.startswith("history/anchor=") for bucket in s3_backends[ACCOUNT]["aws"].buckets.values() for key in list(bucket.keys))
