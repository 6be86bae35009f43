"""The retraining state machine, executed."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.engine.lives import churned_of
from retainstream.registry.card import card_document
from retainstream.registry.champion import champion, promote
from retainstream.registry.loading import load_version
from retainstream.registry.versions import get, newest, register
from retainstream.runs.failure import CaughtError, reason_of
from retainstream.runs.history import steps as history
from retainstream.runs.retraining.promotion import scoring_run_of
from retainstream.runs.retraining.request import start_training, training_run
from retainstream.runs.retraining.steps import FOR_PEOPLE, TASKS
from retainstream.runs.retraining.view import STEPS
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.integration.aws_events import refused
from tests.integration.retraining_machine import ROLE, Machine, bare_version, in_service, retraining_machine, seed, step_names
from tests.past_of_customers import store_with_history


@pytest.fixture
def machine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with retraining_machine(monkeypatch) as run:
        yield run


def test_labelled_customers_become_a_model_in_service(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed()
    run = machine("first", started_by="schedule")
    assert run["started_by"] == "schedule"
    assert step_names(run) == list(STEPS)
    assert {step["status"] for step in run["steps"]} == {"SUCCEEDED"}
    assert run["result"]["promoted"] is True
    assert in_service() == run["result"]["version"]

    record: Any = get(Models(), run["result"]["version"])
    assert record["status"] == "registered"
    assert record["synthetic"] is True
    assert record["metrics"]["roc_auc"] == run["result"]["roc_auc"]
    assert record["ceiling"]["roc_auc"] > 0.8
    assert record["data"]["synthetic_share"] == 1
    assert record["rows"]["train"] + record["rows"]["test"] == record["data"]["labelled"]
    model = load_version(Models(), Documents(), record["version"])
    assert model.threshold == record["threshold"]
    assert 0 < record["average_probability"] < 1
    assert model.average_probability == record["average_probability"]
    assert set(record["files"]) == {
        "model.ubj",
        "schema.json",
        "metrics.json",
        "calibration.json",
        "reference.json",
        "card.json",
        "card.html",
    }
    card: Any = card_document(Models(), Documents(), record["version"])
    figures = {figure["name"]: figure for figure in card["figures"]}
    assert figures["roc_auc"]["value"] == record["metrics"]["roc_auc"]
    assert (card["status"], card["version"], card["gate"]["passed"]) == ("registered", record["version"], True)
    for name in ("card.json", "card.html"):
        assert hashlib.sha256(Documents().get_bytes(f"models/{record['version']}/{name}")).hexdigest() == record["files"][name]["sha256"]
    steps = {step["name"]: step.get("detail", {}) for step in run["steps"]}
    assert steps["score"]["counts"] == {"scored": 1500}
    assert steps["notify"]["sent"] is False

    again = machine("second", started_by="ann")
    assert again["status"] == "SUCCEEDED"
    assert again["result"]["promoted"] is False
    assert "there is no proof that this version is better" in again["result"]["reasons"][0]
    assert in_service() == run["result"]["version"] != again["result"]["version"]
    kept: Any = get(Models(), again["result"]["version"])
    assert (kept["status"], kept["gate"]["reasons"]) == ("registered", [])
    assert kept["gate"]["held_back"] == again["result"]["reasons"]
    assert kept["gate"]["champion"] == run["result"]["version"]
    assert kept["gate"]["comparison"]["roc_auc"]["difference"] == 0
    assert promote(Models(), kept["version"], "ann").version == kept["version"]

    monkeypatch.setenv("CHAMPION_OLD_AFTER_DAYS", "0")
    settings.cache_clear()
    third = machine("third", started_by="ann")
    assert third["result"] == {**third["result"], "promoted": True, "status": "registered", "reasons": []}
    assert in_service() == third["result"]["version"]
    view = training_run(Stores(), "third")
    assert view.result
    assert view.result.promoted


def test_too_few_known_outcomes_end_the_run_with_the_reason_and_the_champion_stays(machine: Machine) -> None:
    seed(30, known_share=0.5)
    register(Models(), bare_version("old"))
    promote(Models(), "old", "ann")
    run = machine("few", started_by="ann")
    known = sum(churned_of(customer["life"]) is not None for customer in as_customers(generate(30, 1), 0.5))
    assert run["status"] == "FAILED"
    assert run["reason"] == f"Only {known} customers with a known outcome: at least 200 are needed."
    assert [(step["name"], step["status"]) for step in run["steps"]] == [("extract", "SUCCEEDED"), ("validate", "FAILED")]
    assert in_service() == "old"


def test_one_class_ends_the_run_with_the_reason(machine: Machine) -> None:
    customers: list[Any] = list(as_customers(generate(300, 1), 1.0))
    stayed: Iterator[Any] = ({**customer, "life": {"observed_until": customer["updated_at"][:10]}} for customer in customers)
    store_with_history(stayed)
    run = machine("one", started_by="ann")
    assert run["status"] == "FAILED"
    assert run["reason"].startswith("None of the 300 customers with a known outcome left")
    assert in_service() is None


def test_no_customer_at_all_ends_the_run_with_the_reason(machine: Machine) -> None:
    assert str(machine("none", started_by="ann")["reason"]).startswith("The history has no features of customers yet. Import a table ")


def test_a_candidate_that_does_not_pass_is_registered_as_rejected(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_AUC", "0.99")
    settings.cache_clear()
    seed()
    run = machine("bad", started_by="ann")
    assert run["status"] == "SUCCEEDED"
    assert run["result"]["promoted"] is False
    assert "is below the target of 0.990" in run["result"]["reasons"][0]
    assert step_names(run) == ["extract", "validate", "train", "evaluate", "gate", "register", "notify"]
    assert get(Models(), run["result"]["version"])["status"] == "rejected"
    assert in_service() is None


def test_a_leaking_column_keeps_the_model_out_of_service(machine: Machine) -> None:
    customers: list[Any] = list(as_customers(generate(1_000, 1), 1.0))
    for customer in customers:
        customer["features"]["tenure_months"] = 200 if churned_of(customer["life"]) else customer["features"]["tenure_months"] % 100
    store_with_history(customers)
    run = machine("leak", started_by="ann")
    assert run["result"]["promoted"] is False
    assert any("Alarm: Tenure alone predicts who left" in reason for reason in run["result"]["reasons"])


def test_a_run_that_was_overtaken_leaves_the_other_version_in_service(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed()
    register(Models(), bare_version("rival"))
    original = Models.version

    def overtaken(self: Models, version: str) -> Any:
        if version.endswith("-over") and champion(self) is None:
            monkeypatch.setattr(Models, "version", original)
            promote(self, "rival", "ben")
        return original(self, version)

    monkeypatch.setattr(Models, "version", overtaken)
    run = machine("over", started_by="ann")
    assert run["result"]["promoted"] is False
    assert run["result"]["reasons"] == ["Another version was put into service while this one was being judged."]
    assert in_service() == "rival"


def test_failed_scoring_is_told_and_the_new_model_stays(machine: Machine) -> None:
    seed()
    run = machine("rain", scoring="FAILED", started_by="ann")
    assert run["status"] == "FAILED"
    assert run["reason"] == "The new model is in service, but scoring everyone with it failed: It rained."
    assert in_service()


def test_a_service_that_stumbles_is_tried_again(machine: Machine) -> None:
    seed()
    with refused("Scan", times=2) as refusals:
        run = machine("stumble", started_by="ann")
    assert len(refusals) == 2
    assert run["status"] == "SUCCEEDED"
    assert step_names(run) == list(STEPS)


def test_a_service_that_stays_away_ends_the_run_plainly(machine: Machine) -> None:
    seed(50)
    with refused("Scan"):
        run = machine("away", started_by="ann")
    assert run["status"] == "FAILED"
    assert run["reason"].startswith("A service that retraining needs did not answer")


def test_a_run_that_was_asked_for_is_the_one_that_runs(machine: Machine) -> None:
    seed(30)
    asked = start_training(Stores(), "ann", "key-1")
    again = start_training(Stores(), "ann", "key-1")
    assert asked.run_id == again.run_id
    run = machine(asked.run_id, started=True)
    other = start_training(Stores(), "ben", "key-1")
    assert other.run_id != asked.run_id
    machine(other.run_id, started=True)
    assert run["started_by"] == "ann"
    assert training_run(Stores(), asked.run_id).status == "FAILED"
    assert start_training(Stores(), "ann", "key-1").status == "FAILED"


def test_every_task_may_be_done_twice(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_SECONDS", "0.5")
    settings.cache_clear()
    seed()
    boto3.client("stepfunctions").create_state_machine(
        name="test-scoring", definition=json.dumps({"StartAt": "D", "States": {"D": {"Type": "Succeed"}}}), roleArn=ROLE
    )

    tasks = {**TASKS, **history.TASKS}

    def twice(task: str, **event: Any) -> Any:
        first = tasks[task](Stores(), event)
        assert tasks[task](Stores(), event) == first
        return first

    opened = twice("begin", execution="twice", input={"started_by": "ann"})
    for task in ("extract", "validate", "train", "evaluate", "gate"):
        twice(task, **opened)
    registered = twice("register", **opened)
    promotion = twice("promote", **opened, version=registered["version"])
    twice("score", **opened)
    Runs().finish(scoring_run_of("twice"), counts={"scored": 1})
    twice("check_scoring", **opened)
    TASKS["notify"](Stores(), {**opened, "version": registered["version"], "promotion": promotion})
    run = Runs().get("twice")
    assert run
    assert run["status"] == "SUCCEEDED"
    assert step_names(run) == list(STEPS)
    assert len(newest(Models(), limit=10).items) == 1
    pointer = champion(Models())
    assert pointer
    assert pointer.revision == 1
    settings.cache_clear()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"Error": "TooFewRows", "Cause": '{"errorMessage": "Only 3."}'}, "Only 3."),
        ({"Error": "OneClass", "Cause": "not json"}, "not json"),
        ({"Error": "States.Timeout", "Cause": ""}, "A step took longer than it may."),
        ({"Error": "KeyError", "Cause": '{"errorMessage": "secret"}'}, "An unexpected error (KeyError) stopped the run"),
        ({}, "An unexpected error (unknown) stopped the run"),
    ],
)
def test_errors_become_sentences_without_what_is_not_ours_to_tell(error: CaughtError, reason: str) -> None:
    assert reason_of(error, FOR_PEOPLE, work="retraining").startswith(reason)
    assert "secret" not in reason_of(error, FOR_PEOPLE, work="retraining")
