"""The scoring state machine, executed."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import EndpointConnectionError

from retainstream.engine.model.model import ScoringModel
from retainstream.engine.monitoring.tally import Tally
from retainstream.predictions.generate import score_customers
from retainstream.registry.champion import rollback
from retainstream.runs.scoring import segment as segments
from retainstream.runs.scoring import steps as run
from retainstream.runs.scoring.partials import Counted, Partials
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs
from retainstream.storage.stores import Stores
from tests.integration.state_machines import function_arn, run_machines
from tests.small_models import add_customers, put_in_service, small_model, small_reference
from tests.stored import stored_items

type Call = Callable[..., Any]
type Settle = Callable[[str], Run]

DEFINITIONS = Path(__file__).parents[2] / "statemachines"
BOTH = pytest.mark.parametrize("definition", ["scoring", "scoring-distributed"])
GENERATE = "/api/predictions/generate"


@pytest.fixture
def definition() -> str:
    """The definition to deploy; parametrised where both are shown."""
    return "scoring"


@pytest.fixture
def settle(aws: None, monkeypatch: pytest.MonkeyPatch, definition: str) -> Settle:
    """The scoring machine, deployed. Calling it waits until the run of that id has ended, and gives its record."""
    run_machines(monkeypatch)
    monkeypatch.setattr(run, "CUSTOMERS_PER_SEGMENT", 10)

    text = (DEFINITIONS / f"{definition}.asl.yaml").read_text().replace("${ScoringFunctionArn}", function_arn("scoring"))
    text = text.replace("${HistoryFunctionArn}", function_arn("history")).replace("${MaxConcurrency}", "1")
    states = boto3.client("stepfunctions")
    arn = states.create_state_machine(
        name="test-scoring", definition=json.dumps(yaml.safe_load(text)), roleArn="arn:aws:iam::123456789012:role/states"
    )["stateMachineArn"]
    assert arn == settings().scoring_state_machine_arn

    def wait(run_id: str) -> Run:
        execution = arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        deadline = time.monotonic() + 60
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.05)
        record = Runs().get(run_id)
        assert record
        assert told["status"] == record["status"], told
        assert told.get("cause") == record.get("reason")
        return record

    return wait


@pytest.fixture
def fault() -> Iterator[Callable[[Callable[[str], None]], None]]:
    """Lets a function look at the body of every batch write before it is sent, and raise."""
    events = dynamodb().meta.events
    name = "before-call.dynamodb.BatchWriteItem"
    planted: list[Any] = []

    def plant(fail: Callable[[str], None]) -> None:
        def hook(params: dict[str, Any], **_: Any) -> None:
            fail(params["body"].decode())

        events.register(name, hook)
        planted.append(hook)

    yield plant
    for hook in planted:
        events.unregister(name, hook)


def start(call: Call, **options: Any) -> str:
    answer = call("predictions", "POST", GENERATE, {"all": True}, role="analyst", **options)
    assert answer.status == 202
    assert answer.headers["Location"] == f"/api/predictions/runs/{answer.body['data']['run_id']}"
    return str(answer.body["data"]["run_id"])


@BOTH
def test_everybody_who_has_not_left_is_scored_and_counted(call: Call, settle: Settle) -> None:
    version = put_in_service()
    ids = add_customers(45, churned=7)
    record = settle(start(call, user="bob@example.com"))
    assert record["status"] == "SUCCEEDED"
    assert record["started_by"] == "bob@example.com"
    assert [step["name"] for step in record["steps"]] == ["plan", "score", "verify", "keep"]
    assert {step["status"] for step in record["steps"]} == {"SUCCEEDED"}
    assert record["steps"][0]["detail"]["segments"] == 5
    assert record["counts"] == {"read": 45, "scored": 38, "churned": 7, "refused": 0}
    stored = Predictions().get_many(ids)
    assert set(stored) == set(ids[7:])
    assert {prediction["model_version"] for prediction in stored.values()} == {version}
    assert all(prediction["model_chosen_at"] >= record["started_at"] for prediction in stored.values())
    levels = Counter(prediction["level"] for prediction in stored.values())
    assert record["result"]["by_level"] == {level: levels[level] for level in ("low", "medium", "high", "critical")}
    assert record["result"]["predicted_churners"] == pytest.approx(
        sum(prediction["probability"] for prediction in stored.values()), abs=0.01
    )
    low, high = record["result"]["expected_ends"]
    assert low < record["result"]["predicted_churners"] < high
    figures = call("dashboard", "GET", "/api/dashboard/metrics", role="viewer").body["data"]
    assert figures["trend"][0]["expected_interval"] == {"low": low, "high": high}
    at_stake = sum(prediction["value_at_risk"] for prediction in stored.values() if prediction["level"] in ("high", "critical"))
    assert record["result"]["value_at_risk"] == pytest.approx(at_stake, abs=0.001)
    [snapshot] = Rollups().dashboard().trend
    assert snapshot == {
        "run_id": record["run_id"],
        "at": snapshot["at"],
        **{name: record["result"][name] for name in snapshot.keys() - {"run_id", "at"}},
    }
    shown = call("predictions", "GET", f"/api/predictions/runs/{record['run_id']}", role="viewer").body["data"]
    assert shown["status"] == "SUCCEEDED"
    assert shown["counts"] == record["counts"]


def test_the_same_key_starts_the_same_run(call: Call, settle: Settle) -> None:
    put_in_service()
    add_customers(3)
    first = start(call, headers={"idempotency-key": "monday"})
    settle(first)
    assert start(call, headers={"idempotency-key": "monday"}) == first
    others = [
        settle(start(call, headers={"Idempotency-Key": "tuesday"})),
        settle(start(call, headers={"idempotency-key": "monday"}, user="bob@example.com")),
        settle(start(call)),
    ]
    assert len({first, *(record["run_id"] for record in others)}) == 4


@BOTH
def test_a_failed_segment_fails_the_run_by_name_and_the_next_run_finishes(
    call: Call, settle: Settle, definition: str, fault: Callable[[Callable[[str], None]], None]
) -> None:
    put_in_service()
    ids = add_customers(45)
    broken = [True]

    def refuse(body: str) -> None:
        if broken[0] and ids[20] in body:
            raise RuntimeError("planted")

    fault(refuse)
    record = settle(start(call))
    assert record["status"] == "FAILED"
    assert record["reason"].startswith("Segment ")
    assert record["reason"].endswith(" of 5 could not be scored (RuntimeError).")
    assert {step["name"]: step["status"] for step in record["steps"]} == {"plan": "SUCCEEDED", "score": "FAILED"}
    assert Rollups().dashboard().trend == []
    if definition == "scoring-distributed":  # the others have gone on to their ends
        assert len(Predictions().get_many(ids)) >= 45 - 20
    assert ids[20] not in Predictions().get_many(ids)
    broken[0] = False
    assert settle(start(call))["counts"]["scored"] == 45
    assert len(Predictions().get_many(ids)) == 45


@BOTH
def test_a_service_that_is_away_for_a_moment_is_asked_again(
    call: Call, settle: Settle, fault: Callable[[Callable[[str], None]], None]
) -> None:
    put_in_service()
    add_customers(5)
    away = [True]

    def refuse(_body: str) -> None:
        if away.pop() if away else False:
            raise EndpointConnectionError(endpoint_url="https://test.example")

    fault(refuse)
    record = settle(start(call))
    assert record["status"] == "SUCCEEDED"
    assert record["counts"]["scored"] == 5


@BOTH
def test_without_a_model_the_run_fails_and_says_so(settle: Settle) -> None:
    add_customers(2)
    boto3.client("stepfunctions").start_execution(stateMachineArn=settings().scoring_state_machine_arn, name="by-hand", input="{}")
    record = settle("by-hand")
    assert record["status"] == "FAILED"
    assert record["reason"] == "No model is in service yet."


def test_a_base_without_customers_is_scored_at_once(call: Call, settle: Settle) -> None:
    put_in_service()
    assert settle(start(call))["counts"] == {"read": 0, "scored": 0, "churned": 0, "refused": 0}


def test_a_customer_that_cannot_be_read_is_left_out_and_counted(call: Call, settle: Settle) -> None:
    put_in_service()
    ids = add_customers(8)
    broken = Customers().get(ids[2])
    assert broken
    Customers().put({**broken, "features": {**broken["features"], "payment_failures": "many"}})
    record = settle(start(call))
    assert record["counts"] == {"read": 8, "scored": 7, "churned": 0, "refused": 1}


@BOTH
def test_a_segment_longer_than_one_invocation_goes_on_where_it_stopped(call: Call, settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "BLOCK", 7)
    monkeypatch.setattr(segments, "RESERVE_SECONDS", 10_000)
    monkeypatch.setattr(run, "CUSTOMERS_PER_SEGMENT", 100)
    put_in_service()
    ids = add_customers(30)
    record = settle(start(call))
    assert record["counts"] == {"read": 30, "scored": 30, "churned": 0, "refused": 0}
    assert set(Predictions().get_many(ids)) == set(ids)


def test_a_repeated_segment_changes_nothing(aws: None) -> None:
    ids = add_customers(20)
    stores, model = Stores(), small_model()
    divided(stores, model, "one")
    part: segments.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    first = segments.score_segment(stores, model, small_reference(), "one", part, lambda: 60)
    before = Predictions().get_many(ids)
    again = segments.score_segment(stores, model, small_reference(), "one", part, lambda: 60)
    assert again == first
    assert verified(stores, "one", [again], 1)["counts"]["scored"] == 20
    assert Partials(stores.documents, "one").whole().tally.customers == 20
    after = Predictions().get_many(ids)
    for customer_id in ids:
        assert {**after[customer_id], "scored_at": ""} == {**before[customer_id], "scored_at": ""}


def divided(stores: Stores, model: ScoringModel, run_id: str, most_segments: int = 1) -> run.Plan:
    """The plan of a run that is open."""
    stores.runs.start(run_id, "scoring", "test")
    return run.divide(stores, model, run_id, most_segments=most_segments)


def verified(stores: Stores, run_id: str, parts: Sequence[Any], planned: int) -> run.Verified:
    return run.verify(stores, {"run_id": run_id, "input": {}, "parts": parts, "planned": planned})


def chosen(seed: int, at: str) -> ScoringModel:
    """A small model of a version of its own, chosen at a moment."""
    return replace(small_model(seed, f"model-{seed}"), chosen_at=at)


def test_a_run_leaves_predictions_by_a_model_that_was_chosen_later(aws: None) -> None:
    ids = add_customers(12)
    stores = Stores()
    part: segments.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    score_customers(chosen(1, "2026-02-01T00:00:00.000+00:00"), stores.customers, stores.predictions, ids[:5], run_id="later")
    divided(stores, chosen(0, "2026-01-01T00:00:00.000+00:00"), "earlier")
    part = segments.score_segment(stores, chosen(0, "2026-01-01T00:00:00.000+00:00"), None, "earlier", part, lambda: 60)
    assert verified(stores, "earlier", [part], 1)["counts"]["scored"] == 12
    found = Predictions().get_many(ids)
    assert {customer_id for customer_id in ids if found[customer_id]["model_version"] == "model-1"} == set(ids[:5])


@pytest.mark.parametrize(("seed", "at"), [(0, "2026-01-01T00:00:00.000+00:00"), (1, "2026-03-01T00:00:00.000+00:00")])
def test_the_same_model_and_one_chosen_later_score_everybody_again(aws: None, seed: int, at: str) -> None:
    ids = add_customers(3)
    stores = Stores()
    score_customers(chosen(0, "2026-02-01T00:00:00.000+00:00"), stores.customers, stores.predictions, ids, run_id="one")
    score_customers(chosen(seed, at), stores.customers, stores.predictions, ids, run_id="two")
    assert {prediction["run_id"] for prediction in Predictions().get_many(ids).values()} == {"two"}


def test_after_a_rollback_the_version_before_scores_everybody_again(call: Call, settle: Settle) -> None:
    put_in_service(0, "20260101T000000Z-aaaaaaaa")
    put_in_service(1, "20260201T000000Z-bbbbbbbb")
    ids = add_customers(4)
    settle(start(call))
    rollback(Models(), "test")
    settle(start(call))
    assert {found["model_version"] for found in Predictions().get_many(ids).values()} == {"20260101T000000Z-aaaaaaaa"}


def test_a_run_that_could_not_be_started_leaves_no_record(call: Call) -> None:
    put_in_service()
    options: dict[str, Any] = {"role": "analyst", "headers": {"Idempotency-Key": "monday"}}
    assert call("predictions", "POST", GENERATE, {"all": True}, **options).status == 503
    assert not [item for item in stored_items(settings().runs_table) if item["kind"]["S"] not in ("current", "key")]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([{"segment": 1, "done": False, "reason": "Segment 2 of 2 could not be scored (OSError)."}], "Segment 2 of 2 could not be scored"),
        ([{"segment": 0, "done": False, "error": "States.Timeout"}], r"Segment 1 of 2 was stopped \(States.Timeout\)\.$"),
        (
            [{"segment": 1, "done": False, "error": "B"}, {"segment": 0, "done": False, "error": "A"}],
            r"Segment 1 of 2 was stopped \(A\)\. 1 more failed as well\.$",
        ),
    ],
)
def test_a_segment_that_says_it_failed_fails_the_run(aws: None, answers: list[Any], reason: str) -> None:
    Runs().start("one", "scoring", "test")
    with pytest.raises(segments.SegmentFailed, match=reason):
        verified(Stores(), "one", [counted(0), *answers], 2)


def test_a_segment_of_which_nothing_is_heard_fails_the_run(aws: None) -> None:
    Runs().start("one", "scoring", "test")
    with pytest.raises(run.IncompleteRun, match="not finished exactly once: 2"):
        verified(Stores(), "one", [counted(0), None], 2)


def test_a_base_that_dynamodb_has_not_counted_yet_is_divided_by_the_counters(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CUSTOMERS_PER_SEGMENT", 10)
    Rollups().put_if_version("customers", 0, {"customers/unknown/basic": 30, "customers/churned/premium": 11, "outcome/low:churned/": 500})
    for most, count in ((64, 5), (3, 3)):
        planned = divided(Stores(), small_model(), f"run-{most}", most)
        assert [part["segment"] for part in planned["segments"]] == list(range(count))


def test_a_hundred_million_customers_are_planned_within_what_a_state_machine_carries(aws: None) -> None:
    Rollups().put_if_version("customers", 0, {"customers/unknown/basic": 10**8})
    planned = divided(Stores(), small_model(), "one", 1000)
    assert len(planned["segments"]) == 1000
    assert len(json.dumps(planned)) < 256 * 1024 / 2
    done = [{**part, "turns": 999, "sweeping": True, "done": True} for part in planned["segments"]]
    assert len(json.dumps(done)) < 256 * 1024 / 2


@pytest.mark.usefixtures("tidy_answers")
def test_a_run_writes_no_faster_than_it_may(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + sum(slept))
    add_customers(120)
    part: segments.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    pace = segments.writes_of_one(segments=4, writes_per_second=40, side_by_side=10)
    assert pace == 10
    assert segments.score_segment(Stores(), small_model(), None, "one", part, lambda: 900, pace)["done"]
    assert sum(slept) >= 120 / 10 - 1 - 25 / 10
    slept.clear()
    segments.score_segment(Stores(), small_model(), None, "two", part, lambda: 900)
    assert slept == []


def counted(segment: int, **counts: int) -> dict[str, Any]:
    """A finished part with its counts where they belong."""
    Partials(Documents(), "one").put(segment, 0, Counted(Counter(counts), Tally()))
    return {"segment": segment, "segments": 2, "start": None, "turns": 1, "done": True}


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [(0, {})],
        [(0, {}), (0, {})],
        [(0, {}), (1, {"done": False})],
        [(0, {}), (1, {}), (2, {})],
        [(0, {}), (1, {"turns": 2})],
    ],
)
def test_parts_that_are_not_the_plan_fail(aws: None, parts: list[tuple[int, dict[str, Any]]]) -> None:
    Runs().start("one", "scoring", "test")
    with pytest.raises(run.IncompleteRun):
        verified(Stores(), "one", [{**counted(segment), **changes} for segment, changes in parts], 2)


def test_counts_that_do_not_add_up_fail(aws: None) -> None:
    Runs().start("one", "scoring", "test")
    with pytest.raises(run.IncompleteRun, match="3 customers were read"):
        verified(Stores(), "one", [counted(0, read=3, scored=2), counted(1)], 2)
