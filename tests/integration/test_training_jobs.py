"""Retraining above the number of rows that one function is given: parts, a sample, and a training job."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest
import yaml
from botocore.validate import ParamValidator

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.sagemaker.parts import for_the_job
from retainstream.engine.learning.split import split_of
from retainstream.engine.records import Customer
from retainstream.registry.card import card_document
from retainstream.registry.champion import promote
from retainstream.registry.loading import load_version
from retainstream.registry.versions import get, register
from retainstream.runs.retraining.view import STEPS
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from tests.integration.aws_events import refused
from tests.integration.retraining_machine import MACHINES, ROLE, Machine, bare_version, in_service, retraining_machine, seed, step_names
from tests.integration.training_jobs import Jobs, packed, training_jobs
from tests.made_lives import seen
from tests.stored import stored_keys

CUSTOMERS = 2_400
WITH_A_JOB = ["extract", "validate", "train", "fit", *STEPS[3:]]


@pytest.fixture
def jobs(aws: None) -> Iterator[Jobs]:
    with training_jobs() as emulated:
        yield emulated


@pytest.fixture
def machine(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """The machine of a stack whose functions are given at most 1,200 rows."""
    monkeypatch.setenv("SAGEMAKER_ROW_THRESHOLD", "1200")
    monkeypatch.setenv("SAGEMAKER_INSTANCE_COUNT", "2")
    with retraining_machine(monkeypatch) as run:
        yield run


def data_of(run_id: str) -> DataSet:
    return DataSet.from_bytes(Documents().get_bytes(f"datasets/{run_id}/data.npz"))


def parts_of(run_id: str) -> list[DataSet]:
    parts = stored_keys(settings().bucket, f"training/{run_id}/parts/")
    return [DataSet.from_bytes(Documents().get_bytes(part)) for part in parts]


def test_a_job_fits_all_rows_and_the_model_goes_the_way_of_every_other(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    run = machine("large", started_by="ann")
    assert run["status"] == "SUCCEEDED", run.get("reason")
    assert step_names(run) == WITH_A_JOB
    assert in_service() == run["result"]["version"]

    parts, sample = parts_of("large"), data_of("large")
    assert len(parts) == 2
    labelled = sum(map(len, parts))
    assert labelled > 2_000
    assert 1_000 < len(sample) < 1_400
    fitted = sum(len(for_the_job(part, split_of(sample))) for part in parts)
    assert len(jobs.rows) == fitted < 0.8 * labelled

    record = get(Models(), run["result"]["version"])
    assert record["data"]["labelled"] == labelled
    assert record["rows"]["train"] == fitted
    metrics = json.loads(Documents().get_bytes(f"models/{record['version']}/metrics.json"))
    assert metrics["parity"]["passed"] is True
    assert metrics["fit"]["training_job"] == {
        "name": "test-large",
        "container": "sagemaker-xgboost:3.0-5",
        "instances": 2,
        "instance_type": "ml.m5.2xlarge",
    }
    assert run["result"]["roc_auc"] > 0.7
    model = load_version(Models(), Documents(), record["version"])
    assert model.booster.feature_names == [column.name for column in sample.schema.features]
    assert np.isfinite(model.probabilities(sample.rows)).all()
    learned = sample.where(split_of(sample).development(sample))
    assert model.explain(learned.rows).base_margin == pytest.approx(model.margins(learned.rows).mean(), abs=1e-3)
    assert record["average_probability"] == model.average_probability == pytest.approx(model.probabilities(learned.rows).mean(), abs=1e-6)
    card: Any = card_document(Models(), Documents(), record["version"])
    assert card["data"]["labelled"] == labelled


def test_what_is_asked_of_sagemaker_is_a_valid_request_that_names_this_run_alone(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    machine("asked", started_by="ann")
    (request,) = jobs.asked
    shape = boto3.client("sagemaker").meta.service_model.operation_model("CreateTrainingJob").input_shape
    assert not ParamValidator().validate(request, shape).has_errors()
    source = request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert source["S3Uri"] == "s3://test-bucket/training/asked/rows/"
    assert source["S3DataDistributionType"] == "ShardedByS3Key"
    assert request["OutputDataConfig"]["S3OutputPath"] == "s3://test-bucket/training/asked/output/"
    assert request["RoleArn"] == ROLE
    assert request["EnableNetworkIsolation"] is True
    assert "eu-west-1" in request["AlgorithmSpecification"]["TrainingImage"]


def test_a_base_below_the_threshold_needs_no_job(machine: Machine, jobs: Jobs) -> None:
    seed(1_000)
    run = machine("small", started_by="ann")
    assert run["status"] == "SUCCEEDED"
    assert step_names(run) == list(STEPS)
    assert jobs.asked == []


def test_few_outcomes_in_a_large_base_are_read_in_parts_and_fitted_in_a_function(
    machine: Machine, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(CUSTOMERS, known_share=0.4)
    run = machine("parts", started_by="ann")
    assert run["status"] == "SUCCEEDED"
    assert step_names(run) == list(STEPS)
    assert jobs.asked == []
    monkeypatch.setenv("SAGEMAKER_ROW_THRESHOLD", "0")
    settings.cache_clear()
    whole = machine("whole", started_by="ann")
    details = [{step["name"]: step["detail"] for step in one["steps"]}["extract"] for one in (run, whole)]
    assert details[0] == details[1]
    assert data_of("parts").to_bytes() == data_of("whole").to_bytes()


def test_a_job_that_fails_ends_the_run_in_its_own_words_and_the_champion_stays(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    register(Models(), bare_version("old"))
    promote(Models(), "old", "ann")
    jobs.standings, jobs.failure_reason = ["InProgress", "Failed"], "ClientError: out of memory"
    run = machine("fails", started_by="ann")
    assert run["status"] == "FAILED"
    assert run["reason"] == "The training job test-fails on SageMaker ended as Failed: ClientError: out of memory"
    assert run["steps"][-1]["name"] == "fit"
    assert run["steps"][-1]["status"] == "FAILED"
    assert in_service() == "old"


def test_a_job_that_is_not_taken_ends_the_run_with_the_reason(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    jobs.refuse = "ResourceLimitExceeded"
    run = machine("limit", started_by="ann")
    assert run["status"] == "FAILED"
    assert run["reason"].startswith("SageMaker did not take the training job, because the account's limit is reached:")
    assert "ml.m5.2xlarge" in run["reason"]


def test_a_job_that_is_there_already_is_awaited(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    jobs.taken_before = True
    jobs.standings = ["InProgress", "InProgress", "Completed"]
    run = machine("again", started_by="ann")
    assert run["status"] == "SUCCEEDED", run.get("reason")
    assert in_service() == run["result"]["version"]
    assert jobs.looks == 3


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        (None, "The training job test-bad left no model."),
        (b"", "The training job's archive is incomplete."),
        (packed({"../xgboost-model": b"x"}), "The training job's archive holds no file xgboost-model."),
        (packed({"xgboost-model": b"not a model"}), "The training job's model cannot be read."),
    ],
    ids=["nothing", "empty", "another path", "no model"],
)
def test_what_is_no_model_ends_the_run_with_the_reason_and_the_champion_stays(
    machine: Machine, jobs: Jobs, left: bytes | None, reason: str
) -> None:
    seed(CUSTOMERS, known_share=0.9)
    register(Models(), bare_version("old"))
    promote(Models(), "old", "ann")
    jobs.leave = lambda _: left
    run = machine("bad", started_by="ann")
    assert (run["status"], run["reason"]) == ("FAILED", reason)
    assert in_service() == "old"


def test_a_service_that_stumbles_between_is_tried_again(machine: Machine, jobs: Jobs) -> None:
    seed(CUSTOMERS, known_share=0.9)
    with refused("PutObject", times=3) as refusals:
        run = machine("stumble", started_by="ann")
    assert len(refusals) == 3
    assert run["status"] == "SUCCEEDED", run.get("reason")
    assert step_names(run) == WITH_A_JOB
    assert len(jobs.asked) == 1


def test_an_unknown_region_ends_the_run_before_anything_is_read(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(CUSTOMERS)
    arn = settings().retraining_state_machine_arn.replace("eu-west-1", "xx-nowhere-1")
    monkeypatch.setenv("RETRAINING_STATE_MACHINE_ARN", arn)
    settings.cache_clear()
    run = machine("nowhere", started_by="ann")
    assert run["status"] == "FAILED"
    assert "is not known to be in region xx-nowhere-1" in run["reason"]


def test_the_job_is_awaited_by_step_functions_and_whatever_fails_ends_in_the_record() -> None:
    states: dict[str, Any] = yaml.safe_load((MACHINES / "retraining.asl.yaml").read_text())["States"]
    query, name = [name for name, state in states.items() if str(state.get("Resource", "")).endswith(".sync")]
    assert states[query]["Resource"] == "arn:aws:states:::athena:startQueryExecution.sync"
    fit = states[name]
    assert fit["Resource"] == "arn:aws:states:::sagemaker:createTrainingJob.sync"
    assert (fit["Next"], fit["ResultPath"]) == ("Import the model", None)
    assert [(catch["ErrorEquals"], catch["Next"]) for catch in fit["Catch"]] == [(["States.ALL"], "Read the job status")]
    for other, state in states.items():
        if state["Type"] in ("Task", "Map") and other not in ("Record the failure", name):
            assert [catch["Next"] for catch in state["Catch"]] == ["Record the failure"], other


def test_customers_without_outcomes_are_no_rows(machine: Machine) -> None:
    customers: Iterator[Any] = ({**customer, "life": seen()} for customer in _customers())
    Customers().put_many(customers)
    reason = str(machine("none", started_by="ann")["reason"])
    assert reason == "Only 0 customers with a known outcome: at least 200 are needed."


def _customers() -> Iterator[Customer]:
    from retainstream.engine.learning.synthetic import as_customers, generate

    yield from as_customers(generate(1_500, 1), 0.0)
