"""Training on a history of more rows than a function reads: Athena runs the statements, and the data set is the same."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import yaml
from botocore.validate import ParamValidator

from retainstream.engine.learning.dataset import DataSet, in_order, joined
from retainstream.engine.learning.from_history import NothingLabelled
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.runs import Runs
from tests.integration.athena import DATABASE, Athena, athena
from tests.integration.conftest import lambda_context, load_function
from tests.integration.retraining_machine import MACHINES, Machine, retraining_machine, seed
from tests.integration.test_history_tasks import arrive, keep, scored, task
from tests.stored import stored_keys

ROWS = 1_000


@pytest.fixture
def engine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Athena]:
    """Athena, for a history of more than a thousand rows."""
    with athena(monkeypatch, ROWS) as emulated:
        yield emulated


@pytest.fixture
def machine(engine: Athena, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with retraining_machine(monkeypatch) as run:
        yield run


def data_of(run_id: str) -> DataSet:
    return DataSet.from_bytes(Documents().get_bytes(f"datasets/{run_id}/data.npz"))


def extract(run_id: str) -> Any:
    return task("extract", run_id=run_id, started_at="2026-11-30T00:00:00Z", started_by="ann")


def answer(query: Any) -> None:
    """What the state machine does between two tasks."""
    boto3.client("athena").start_query_execution(
        QueryString=query["statement"], ClientRequestToken=query["token"], WorkGroup="test-history"
    )


def read(query: Any, run_id: str) -> Any:
    return task("read_answer", run_id=run_id, answered=query["name"], customers=query["customers"])


def extracted_here(run_id: str, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """The data set that the function makes by itself."""
    with monkeypatch.context() as patch:
        patch.setenv("HISTORY_ENGINE_ROW_THRESHOLD", "0")
        settings.cache_clear()
        extracted = extract(run_id)
    settings.cache_clear()
    assert (extracted["on_athena"], extracted["in_parts"]) == (False, False)
    return data_of(run_id)


def test_a_large_history_is_read_by_athena_with_the_same_rows(machine: Machine, engine: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(1_500)
    run = machine("large", started_by="ann")
    assert run["status"] == "SUCCEEDED", run.get("reason")
    counts, rows = engine.requests
    assert "COUNT(*)" in counts["QueryString"]
    assert "training/large/athena/rows/" in rows["QueryString"]
    Runs().start("here", "training", "ann")
    assert data_of("large").to_bytes() == extracted_here("here", monkeypatch).to_bytes()
    provenance = [Documents().get_bytes(f"datasets/{run_id}/provenance.json") for run_id in ("large", "here")]
    assert provenance[0] == provenance[1]


def test_a_small_history_is_read_by_the_function(machine: Machine, engine: Athena) -> None:
    seed(500)
    assert machine("small", started_by="ann")["status"] == "SUCCEEDED"
    assert engine.requests == []
    assert stored_keys(settings().bucket, "training/") == []


def test_what_is_asked_of_athena_is_a_valid_request_that_starts_one_query(machine: Machine, engine: Athena) -> None:
    seed(1_500)
    machine("asked", started_by="ann")
    shape = boto3.client("athena").meta.service_model.operation_model("StartQueryExecution").input_shape
    for request in engine.requests:
        assert not ParamValidator().validate(request, shape).has_errors()
        assert request.keys() == {"QueryString", "ClientRequestToken", "WorkGroup"}
        assert request["WorkGroup"] == "test-history"
    assert len({request["ClientRequestToken"] for request in engine.requests}) == 2
    deployed = yaml.safe_load((MACHINES / "retraining.asl.yaml").read_text())["States"]["Ask Athena"]
    assert deployed["Resource"] == "arn:aws:states:::athena:startQueryExecution.sync"


def test_a_history_without_known_outcomes_says_so(engine: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_ENGINE_ROW_THRESHOLD", "1")
    settings.cache_clear()
    arrive("run-1", {"0-0": [scored(name, "2026-01-31") for name in "abc"]})
    keep("run-1")
    Runs().start("nobody", "training", "ann")
    asked = extract("nobody")
    answer(asked["query"])
    with pytest.raises(NothingLabelled):
        read(asked["query"], "nobody")


def test_more_rows_than_a_function_trains_on_are_read_in_parts(engine: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(2_400, known_share=0.9)
    Runs().start("parts", "training", "ann")
    customers = extracted_here("parts", monkeypatch)
    monkeypatch.setenv("SAGEMAKER_ROW_THRESHOLD", "1200")
    monkeypatch.setenv("SAGEMAKER_INSTANCE_COUNT", "2")
    settings.cache_clear()
    state = extract("parts")
    while state["on_athena"]:
        answer(state["query"])
        state = read(state["query"], "parts")
    assert state["in_parts"]
    extracted = [task("extract_part", run_id="parts", part=part) for part in state["parts"]]
    assert [part["provenance"]["customers"] for part in extracted] == [2_400, 0]
    keys = stored_keys(settings().bucket, "training/parts/parts/")
    parts = [DataSet.from_bytes(Documents().get_bytes(key)) for key in keys]
    assert all(len(part) > 800 for part in parts)
    assert not set(parts[0].keys.tolist()) & set(parts[1].keys.tolist())
    assert in_order(joined(parts)).to_bytes() == customers.to_bytes()
    assert len(engine.requests) == 2


def test_the_table_has_the_columns_of_the_active_schema(machine: Machine, engine: Athena) -> None:
    seed(1_500)
    machine("described", started_by="ann")
    described = boto3.client("glue").get_table(DatabaseName=DATABASE, Name="history")["Table"]
    columns = {column["Name"]: column["Type"] for column in described["StorageDescriptor"]["Columns"]}
    assert columns["f_plan"] == "string"
    assert columns["f_tenure_months"] == "bigint"
    assert described["Parameters"]["projection.anchor.type"] == "date"
    assert described["PartitionKeys"] == [{"Name": "anchor", "Type": "string"}]


@pytest.mark.parametrize("error", ["States.TaskFailed", "Athena.InvalidRequestException"])
def test_a_failed_query_is_the_reason_of_the_run(aws: None, error: str) -> None:
    caught = {"Error": error, "Cause": '{"QueryExecution": {"Status": {"StateChangeReason": "HIVE_BAD_DATA: c0000042"}}}'}
    event = {"task": "fail", "execution": "failed", "input": {"started_by": "ann"}, "error": caught}
    load_function("retraining").handler(event, lambda_context("retraining"))
    run = Runs().get("failed")
    assert run
    assert (
        run["reason"]
        == f"Athena did not answer a statement on the history ({error}); the queries of the stack's workgroup have the reason."
    )
