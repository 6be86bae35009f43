"""Asking for imports, uploading, and the state machine that an upload starts."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.runs import uploading
from retainstream.runs.imports import survey
from retainstream.runs.imports.work import upload_key
from retainstream.settings import settings
from tests.importing import as_file, line
from tests.integration.conftest import lambda_context, load_function
from tests.integration.state_machines import function_arn, run_machines

type Call = Callable[..., Any]

IMPORTS = "/api/customers/imports"
DEFINITION = Path(__file__).parents[2] / "statemachines/import.asl.yaml"


@pytest.fixture
def machine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The import machine, deployed. Calling it tells the function that an import's file has arrived, and waits for the end."""
    run_machines(monkeypatch)

    text = DEFINITION.read_text().replace("${ImportsFunctionArn}", function_arn("imports"))
    text = text.replace("${HistoryFunctionArn}", function_arn("history")).replace("${MaxConcurrency}", "2")
    states = boto3.client("stepfunctions")
    arn = states.create_state_machine(
        name="test-import", definition=json.dumps(yaml.safe_load(text)), roleArn="arn:aws:iam::123456789012:role/states"
    )["stateMachineArn"]
    assert arn == settings().import_state_machine_arn

    def arrived(import_id: str) -> None:
        event = {"detail-type": "Object Created", "detail": {"object": {"key": upload_key(import_id)}}}
        told = [load_function("imports").handler(event, lambda_context("imports")) for _ in range(2)]
        assert told[0] == {"started": True}
        execution = arn.replace(":stateMachine:", ":execution:") + f":{import_id}"
        deadline = time.monotonic() + 60
        while states.describe_execution(executionArn=execution)["status"] == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(states.list_executions(stateMachineArn=arn)["executions"]) == 1

    return arrived


def asked(call: Call, content: bytes, **options: Any) -> dict[str, Any]:
    answer = call("customers", "POST", IMPORTS, {"file_name": "c.csv", "size": len(content)}, role="analyst", **options)
    assert answer.status == 202
    data: dict[str, Any] = answer.body["data"]
    assert answer.headers["Location"] == f"{IMPORTS}/{data['import_id']}"
    return data


def put(import_id: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(import_id), Body=content)


def test_an_upload_starts_the_import_once_and_its_end_is_told(
    call: Call, machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "SMALLEST_PART", 200)
    content = as_file([line("" if number == 7 else f"c{number}") for number in range(20)])
    view = asked(call, content)
    assert (view["status"], view["upload"]["parts"][0]["size"], view["upload"]["complete"]) == ("WAITING", len(content), None)
    assert "content-length" in view["upload"]["parts"][0]["url"]
    put(view["import_id"], content)
    machine(view["import_id"])
    seen = call("customers", "GET", f"{IMPORTS}/{view['import_id']}", role="analyst").body["data"]
    assert seen["status"] == "SUCCEEDED", seen
    assert [step["name"] for step in seen["steps"]] == seen["planned_steps"]
    assert (seen["rows"], seen["counts"]["created"], seen["counts"]["rejected"]) == (20, 19, 1)
    assert seen["rejects"] == [{"line": 9, "column": "customer_id", "reason": "is missing", "value": "", "rows": 1}]
    assert seen["upload"] is None


def test_a_file_that_cannot_be_read_fails_the_import_in_plain_words(call: Call, machine: Callable[[str], None]) -> None:
    view = asked(call, b"a,b\n1,2\n")
    put(view["import_id"], b"a,b\n1,2\n")
    machine(view["import_id"])
    seen = call("customers", "GET", f"{IMPORTS}/{view['import_id']}", role="analyst").body["data"]
    assert seen["status"] == "FAILED"
    assert seen["reason"].startswith("c.csv: line 1: there is no ")


def test_large_files_are_uploaded_in_parts_that_are_completed_without_etags(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "ONE_PUT", 5 << 20)
    content = b"x" * ((10 << 20) + 7)
    view = asked(call, content)
    parts = view["upload"]["parts"]
    assert [(part["offset"], part["size"]) for part in parts] == [(0, 5 << 20), (5 << 20, 5 << 20), (10 << 20, 7)]
    s3, key = boto3.client("s3"), upload_key(view["import_id"])
    [upload] = s3.list_multipart_uploads(Bucket=settings().bucket)["Uploads"]

    def send(number: int) -> None:
        place = parts[number - 1]
        body = content[place["offset"] : place["offset"] + place["size"]]
        s3.upload_part(Bucket=settings().bucket, Key=key, UploadId=upload["UploadId"], PartNumber=number, Body=body)

    send(3)
    send(1)
    answer = call("customers", "POST", view["upload"]["complete"], role="analyst")
    assert (answer.status, "part 2" in answer.body["detail"]) == (409, True)
    send(2)
    for _ in range(2):
        assert call("customers", "POST", view["upload"]["complete"], role="analyst").status == 200
    assert s3.head_object(Bucket=settings().bucket, Key=key)["ContentLength"] == len(content)


def test_the_same_key_is_the_same_import_and_another_file_is_refused(call: Call) -> None:
    first = asked(call, b"a,b", headers={"idempotency-key": "k"})
    assert asked(call, b"a,b", headers={"idempotency-key": "k"})["import_id"] == first["import_id"]
    assert asked(call, b"a,b", headers={"idempotency-key": "k"}, user="bob@example.com")["import_id"] != first["import_id"]
    other = call("customers", "POST", IMPORTS, {"file_name": "c.csv", "size": 9}, headers={"idempotency-key": "k"})
    assert other.status == 409


def test_recent_imports_come_last_first_page_by_page(call: Call) -> None:
    ids = []
    for _ in range(3):
        ids.append(asked(call, b"a,b")["import_id"])
        time.sleep(0.005)
    first = call("customers", "GET", IMPORTS, role="analyst", query="limit=2")
    assert [view["import_id"] for view in first.body["data"]] == ids[:0:-1]
    rest = call("customers", "GET", IMPORTS, role="analyst", query=f"limit=2&cursor={first.body['page']['next']}")
    assert [view["import_id"] for view in rest.body["data"]] == ids[:1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"size": 1}, "body.file_name"),
        ({"file_name": "a/b.csv", "size": 1}, "body.file_name"),
        ({"file_name": "a.csv", "size": 0}, "body.size"),
        ({"file_name": "a.csv", "size": 5 * 10**9 + 1}, "body.size"),
        ({"file_name": "a.csv", "size": "1"}, "body.size"),
        ({"file_name": "a.csv", "size": 1, "as_of": "2999-01-01"}, "body.as_of"),
        ({"file_name": "a.csv", "size": 1, "as_of": "2026-01-01T00:00:00"}, "body.as_of"),
        ({"file_name": "a.csv", "size": 1, "gzip": "yes"}, "body.gzip"),
        ({"file_name": "a.csv", "size": 1, "other": 1}, "body.other"),
    ],
)
def test_bad_requests_name_the_field(call: Call, body: dict[str, Any], field: str) -> None:
    answer = call("customers", "POST", IMPORTS, body, role="analyst")
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]


def test_imports_are_for_analysts(call: Call) -> None:
    for method, path in (("POST", IMPORTS), ("GET", IMPORTS), ("GET", f"{IMPORTS}/x"), ("POST", f"{IMPORTS}/x/complete")):
        assert call("customers", method, path, role="viewer").status == 403
        assert call("customers", method, path, role=None).status == 401
    assert call("customers", "GET", f"{IMPORTS}/x", role="analyst").status == 404
    assert call("customers", "POST", f"{IMPORTS}/x/complete", role="analyst").status == 404
