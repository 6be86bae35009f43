"""One run of a kind at a time, and a small allowance for starting runs: the running run answers, and never stays in the way for good."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest

from retainstream.registry import loading
from retainstream.registry.champion import promote, rollback
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from tests.integration.at_once import CacheOfThread, answer_of, instances
from tests.integration.conftest import Answer, http_event, lambda_context, load_function
from tests.interleaving import interleave
from tests.small_models import put_in_service

type Call = Callable[..., Answer]


@dataclass(frozen=True)
class Start:
    """A route that starts a run, and the machine of the run."""

    module: str
    path: str
    machine: str
    body: Any = None

    def event(self, user: str = "ann@example.com") -> Any:
        principal = {"userId": user, "role": "admin", "tokenId": "token-1", "tokenExpires": "1999999999"}
        body = None if self.body is None else json.dumps(self.body)
        return http_event("POST", self.path, body=body, headers={"content-type": "application/json"}, principal=principal)

    def executions(self) -> list[str]:
        """The names of all executions of the machine."""
        arn = f"arn:aws:states:eu-west-1:123456789012:stateMachine:test-{self.machine}"
        return [execution["name"] for execution in boto3.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]]


STARTS = {
    "scoring": Start("predictions", "/api/predictions/generate", "scoring", {"all": True}),
    "training": Start("model", "/api/model/train", "retraining"),
    "recount": Start("dashboard", "/api/dashboard/recount", "recount", {}),
}
EACH_KIND = pytest.mark.parametrize("kind", STARTS)
OLDER, NEWER = "20260101T000000Z-aaaaaaaa", "20260201T000000Z-bbbbbbbb"


@pytest.fixture(autouse=True)
def machines(aws: None, tidy_answers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every machine, whose executions run until the test stops them, and two versions, of which the newer is in service."""
    done = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    for name in ("scoring", "retraining", "recount"):
        boto3.client("stepfunctions").create_state_machine(
            name=f"test-{name}", definition=done, roleArn="arn:aws:iam::123456789012:role/states"
        )
    monkeypatch.setattr(loading, "_cache", CacheOfThread())
    put_in_service(0, OLDER)
    put_in_service(1, NEWER)
    loading.champion_model(Models(), Documents(), 0)  # whatever scoring imports is imported before callers wait for each other


@pytest.fixture
def allowance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    def allow(runs: int) -> None:
        monkeypatch.setenv("RATE_LIMIT_RUNS", str(runs))
        settings.cache_clear()

    yield allow
    monkeypatch.undo()
    settings.cache_clear()


def started(call: Call, kind: str, status: int = 202, **options: Any) -> Any:
    start = STARTS[kind]
    answer = call(start.module, "POST", start.path, options.pop("body", start.body), **options)
    assert answer.status == status, answer.body
    return answer.body["data"] if status == 202 else answer


def stop(kind: str, run_id: str) -> None:
    """Stops an execution as an operator does: nothing is recorded."""
    arn = f"arn:aws:states:eu-west-1:123456789012:execution:test-{STARTS[kind].machine}:{run_id}"
    boto3.client("stepfunctions").stop_execution(executionArn=arn)


def vanish(kind: str, run_id: str) -> None:
    """The run began an hour ago, and Step Functions knows no execution of it."""
    boto3.client("dynamodb").delete_item(TableName=settings().runs_table, Key={"run_id": {"S": run_id}})
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    arn = f"arn:aws:states:eu-west-1:123456789012:stateMachine:test-{STARTS[kind].machine}"
    boto3.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    boto3.client("stepfunctions").create_state_machine(
        name=f"test-{STARTS[kind].machine}",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/states",
    )
    run: Any = {"run_id": run_id, "kind": kind, "status": "RUNNING", "steps": [], "started_at": before, "started_by": "ann@example.com"}
    Runs()._open(run)


ENDS: dict[str, Callable[[str, str], object]] = {
    "well": lambda _, run_id: Runs().finish(run_id),
    "badly": lambda _, run_id: Runs().fail(run_id, "It rained."),
    "stopped from outside": stop,
    "vanished": vanish,
}


@EACH_KIND
@pytest.mark.parametrize("seed", range(3))
def test_of_six_requests_at_once_one_starts_a_run_and_all_are_answered_with_it(kind: str, seed: int) -> None:
    start, chance, answers = STARTS[kind], random.Random(seed), list[Any]()

    def ask(instance: Any, user: str) -> None:
        answers.append(answer_of(instance, start.module, start.event(user)))

    def choose(waiting: Sequence[int]) -> int:
        return chance.choice(list(waiting))

    interleave([partial(ask, instance, f"user{place}@example.com") for place, instance in enumerate(instances(start.module, 6))], choose)
    assert [answer["statusCode"] for answer in answers] == [202] * 6
    views = [json.loads(answer["body"])["data"] for answer in answers]
    assert start.executions() == [views[0]["run_id"]] == list({view["run_id"] for view in views})
    assert sorted(view["already_running"] for view in views) == [False] + [True] * 5
    assert len({answer["headers"]["Location"] for answer in answers}) == 1


@EACH_KIND
@pytest.mark.parametrize("end", ENDS)
def test_when_a_run_is_over_however_it_ended_the_next_request_starts_another(call: Call, kind: str, end: str) -> None:
    first = started(call, kind)
    assert started(call, kind)["run_id"] == first["run_id"]
    ENDS[end](kind, first["run_id"])
    second = started(call, kind)
    assert second["run_id"] != first["run_id"]
    assert second["already_running"] is False
    assert STARTS[kind].executions().count(second["run_id"]) == 1
    ended = Runs().existing(first["run_id"])
    assert ended["status"] in ("SUCCEEDED", "FAILED")
    if end in ("stopped from outside", "vanished"):
        assert ended["reason"].startswith("The run was stopped from outside")


@EACH_KIND
def test_a_request_that_dies_after_any_call_leaves_nothing_locked(call: Call, kind: str) -> None:
    start, answers = STARTS[kind], list[Any]()

    def ask(instance: Any, user: str) -> None:
        answers.append(answer_of(instance, start.module, start.event(user)))

    for calls in range(9):
        answers.clear()
        dying, alive = instances(start.module, 2)
        interleave([partial(ask, dying, "ann@example.com")], min, [(0, calls)])
        interleave([partial(ask, alive, "bob@example.com")], min)
        assert answers[-1]["statusCode"] == 202, answers
        run_id = json.loads(answers[-1]["body"])["data"]["run_id"]
        assert start.executions().count(run_id) == 1, calls
        Runs().finish(run_id)


def test_a_run_that_began_before_a_promotion_is_followed_by_one_with_the_new_model(call: Call) -> None:
    rollback(Models(), "ann")
    older = started(call, "scoring")
    promote(Models(), NEWER, "ann")
    newer = started(call, "scoring")
    assert newer["run_id"] != older["run_id"]
    assert newer["already_running"] is False
    assert started(call, "scoring")["run_id"] == newer["run_id"]


def task(name: str, **event: Any) -> Any:
    """A task of the retraining machine, as the machine calls it."""
    return load_function("retraining").handler({"task": name, **event}, lambda_context("retraining"))


def test_a_training_scores_everybody_beside_an_older_run_and_follows_a_newer_one(call: Call) -> None:
    rollback(Models(), "ann")
    older = started(call, "scoring")["run_id"]
    promote(Models(), NEWER, "ann")
    opened = {"run_id": "t1", "started_at": "2026-01-01T00:00:00+00:00", "started_by": "schedule"}
    Runs().start("t1", "training", "schedule")
    own = task("score", **opened)["scoring_run"]
    assert own != older
    assert set(STARTS["scoring"].executions()) == {older, own}
    assert task("score", **opened)["scoring_run"] == own
    Runs().finish(own)
    newer = started(call, "scoring")["run_id"]
    Runs().start("t2", "training", "schedule")
    assert task("score", **{**opened, "run_id": "t2"})["scoring_run"] == newer
    assert task("check_scoring", **{**opened, "run_id": "t2"}, scoring_run=newer)["status"] == "RUNNING"
    Runs().finish(newer, counts={"scored": 1})
    assert task("check_scoring", **{**opened, "run_id": "t2"}, scoring_run=newer)["status"] == "SUCCEEDED"


def test_a_scheduled_training_waits_for_the_one_under_way_and_then_runs(call: Call) -> None:
    first = started(call, "training")["run_id"]
    begin = partial(task, "begin", execution="scheduled", input={"started_by": "schedule"})
    assert task("begin", execution=first, input={"started_by": "ann", "run_id": first})["waits"] is False
    for _ in range(2):
        assert begin()["waits"] is True
    Runs().fail(first, "It rained.")
    for _ in range(2):
        assert begin() == {
            "waits": False,
            "run_id": "scheduled",
            "started_by": "schedule",
            "started_at": Runs().existing("scheduled")["started_at"],
        }
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=settings().retraining_state_machine_arn, name="scheduled", input='{"started_by": "schedule"}'
    )
    found = started(call, "training")
    assert (found["run_id"], found["already_running"], found["started_by"]) == ("scheduled", True, "schedule")


def test_a_repair_and_a_comparison_are_not_the_same_recount(call: Call) -> None:
    comparing = started(call, "recount")["run_id"]
    refused = started(call, "recount", 409, body={"repair": True})
    assert comparing in refused.body["detail"]
    assert refused.headers["Location"] == f"/api/dashboard/recounts/{comparing}"
    Runs().finish(comparing)
    repairing = started(call, "recount", body={"repair": True})
    assert repairing["repair"] is True
    assert started(call, "recount", 409).headers["Location"].endswith(repairing["run_id"])


def test_the_same_key_is_answered_with_the_run_that_answered_it_first(call: Call) -> None:
    running = started(call, "scoring")["run_id"]
    keyed = partial(started, call, "scoring", user="bob@example.com", headers={"idempotency-key": "monday"})
    assert keyed()["run_id"] == running
    Runs().finish(running)
    again = keyed()
    assert (again["run_id"], again["already_running"], again["status"]) == (running, True, "SUCCEEDED")
    assert STARTS["scoring"].executions() == [running]


@EACH_KIND
def test_starts_of_runs_have_a_small_allowance_and_answers_of_a_running_run_are_free(
    call: Call, allowance: Callable[[int], None], kind: str
) -> None:
    allowance(2)
    for _ in range(2):
        run_id = started(call, kind)["run_id"]
        for _ in range(5):
            assert started(call, kind)["run_id"] == run_id
        Runs().finish(run_id)
    refused = started(call, kind, 429)
    assert refused.body["type"] == "urn:retainstream:problem:too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    assert refused.headers["Retry-After"] in refused.body["detail"]
    other = started(call, kind, user="bob@example.com")
    assert started(call, kind)["run_id"] == other["run_id"]


def test_all_kinds_of_runs_count_together(call: Call, allowance: Callable[[int], None]) -> None:
    allowance(3)
    for kind in STARTS:
        started(call, kind)
    Runs().finish(started(call, "scoring")["run_id"])
    started(call, "scoring", 429)


def test_requests_that_lose_a_race_are_free(allowance: Callable[[int], None], call: Call) -> None:
    allowance(6)
    start = STARTS["scoring"]
    interleave([partial(answer_of, instance, start.module, start.event()) for instance in instances(start.module, 6)], max)
    for _ in range(5):
        Runs().finish(started(call, "scoring")["run_id"])
        assert started(call, "scoring")["already_running"] is False
    Runs().finish(started(call, "scoring")["run_id"])
    started(call, "scoring", 429)


def test_the_scoring_after_a_promotion_does_not_count(call: Call, allowance: Callable[[int], None]) -> None:
    allowance(1)
    opened = {"run_id": "t1", "started_at": "2026-01-01T00:00:00+00:00", "started_by": "ann@example.com"}
    Runs().start("t1", "training", "ann@example.com")
    Runs().finish(task("score", **opened)["scoring_run"])
    assert started(call, "scoring")["already_running"] is False
