"""Scoring runs whose processes are killed, again and again: what is stored in the end is what an undisturbed run stores."""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.awslambda.models import LambdaBackend
from moto.core.config import default_user_config

from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Runs
from tests.conftest import account
from tests.integration.base_of_customers import prediction, watch_streams
from tests.integration.state_left import counters_left, rows_left, run_left
from tests.integration.state_machines import function_arn
from tests.mortal_tasks import Fate, Killed, Tasks, fates, first_seed, served
from tests.small_models import add_customers, put_in_service

SMALL = {
    "retainstream.runs.scoring.steps:CUSTOMERS_PER_SEGMENT": 30,
    "retainstream.runs.scoring.segment:BLOCK": 20,
    "retainstream.runs.scoring.segment:RESERVE_SECONDS": 10_000,
    "retainstream.predictions.agreement:PAGE": 25,
}
KILLS, KILLS_FOR_GOOD = 52, 4
TASKS = {"plan", "score", "verify", "keep", "finish", "rollups"}
CUSTOMERS = 90

_log = logging.getLogger(__name__)


def fresh_base() -> None:
    """Customers with and without predictions; some have left, one cannot be read, and some predictions speak of nobody."""
    watch_streams()
    put_in_service()
    ids = add_customers(CUSTOMERS, churned=11)
    broken = Customers().get(ids[50])
    assert broken
    Customers().put({**broken, "features": {**broken["features"], "payment_failures": "many"}})
    Predictions().put_many(prediction(name, 0.7) for name in [*ids[5:60:3], "gone-1", "gone-2"])


def score_by(tasks: Tasks, run_id: str) -> None:
    """Plays the state machine: its tasks in their order, segments side by side."""

    def do(task: str, **given: Any) -> Any:
        return tasks.do("scoring", {"task": task, "run_id": run_id, **given})

    def score(part: Mapping[str, Any]) -> Any:
        while not (part := do("score", part=part, **model)).get("done"):
            pass
        return part

    try:
        plan = do("plan", input={"started_by": "test"})
        model = {name: plan[name] for name in ("model_version", "chosen_at")}
        with ThreadPoolExecutor(2) as side_by_side:
            parts = list(side_by_side.map(score, plan["segments"]))
        counts = do("verify", planned=len(plan["segments"]), parts=parts)["counts"]
        while not tasks.do("history", {"task": "keep", "run_id": run_id, "model_version": plan["model_version"]})["done"]:
            pass
        do("finish", model_version=plan["model_version"], counts=counts)
    except Killed:
        tasks.fates = iter(())
        do("fail", input={}, error={"Error": "Runtime.ExitError", "Cause": "{}"})


def state_after(run_id: str, tasks: Tasks) -> dict[str, Any]:
    """All that a run leaves."""
    counters = counters_left(lambda batch: tasks.do("rollups", batch))
    snapshot: Any = Rollups().trend()[-1]
    assert snapshot.pop("run_id") == run_id
    drift = json.loads(Documents().get_bytes(f"drift/{run_id}.json"))
    del snapshot["at"], drift["at"], drift["run_id"]
    rows = rows_left()
    for row in rows["predictions"].values():
        row["history"] = [{name: value for name, value in past.items() if name != "scored_at"} for past in row["history"]]
    run = run_left(run_id)
    for step in run["steps"]:
        step.get("detail", {}).pop("repaired", None)  # what a process that was killed has repaired is not repaired again
    return {**rows, "counters": counters, "run": run, "snapshot": snapshot, "drift": drift}


def counted_first(tasks: Tasks) -> None:
    """The plan divides the base by its counters."""
    counters_left(lambda batch: tasks.do("rollups", batch))


def scored_by(tasks: Callable[[str], Tasks]) -> tuple[dict[str, Any], Tasks]:
    """The state after a run over the base, and what became of its processes."""
    with account(), served() as address:
        doing = tasks(address)
        fresh_base()
        counted_first(Tasks(address))
        score_by(doing, "once")
        assert len(Rollups().trend()) == 1
        return state_after("once", doing), doing


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    state, _ = scored_by(lambda address: Tasks(address, patches=SMALL))
    assert state["run"]["counts"] == {"read": CUSTOMERS, "scored": CUSTOMERS - 12, "churned": 11, "refused": 1}
    assert state["run"]["steps"][0]["detail"]["segments"] == 3
    assert not state["predictions"].keys() & {"gone-1", "gone-2"}
    return state


def test_scoring_whose_processes_are_killed_ends_as_one_undisturbed(undisturbed: dict[str, Any]) -> None:
    killed: list[tuple[str, str]] = []
    seed = first_seed(1)
    while len(killed) < KILLS or {task for task, _ in killed} != TASKS:
        _log.warning("SEED=%d", seed)
        ends = fates(random.Random(seed), calls=12, seconds=0.25)
        state, tasks = scored_by(lambda address: Tasks(address, ends, SMALL))  # noqa: B023
        assert state == undisturbed
        killed += tasks.killed
        seed += 1


def test_a_new_run_ends_what_killed_ones_began(undisturbed: dict[str, Any]) -> None:
    seed = first_seed(1000)
    _log.warning("SEED=%d", seed)
    chance = random.Random(seed)
    with account(), served() as address:
        fresh_base()
        counted_first(Tasks(address))
        for number in range(KILLS_FOR_GOOD):
            lived = chance.randrange(12)
            ends: Iterator[Fate] = chain(repeat(Fate(), lived), repeat(Fate(int(12 ** chance.random()), "after-call")))
            tasks = Tasks(address, ends, SMALL, again=False)
            score_by(tasks, f"run-{number}")
            if tasks.killed:
                assert run_left(f"run-{number}")["status"] in ("FAILED", "SUCCEEDED")
        done = Tasks(address, patches=SMALL)
        score_by(done, "the-last")
        state = state_after("the-last", done)
    for name in ("customers", "counters", "run", "snapshot", "drift"):
        assert state[name] == undisturbed[name], name
    past = {"history", "change"}
    assert {
        customer_id: {name: value for name, value in row.items() if name not in past} for customer_id, row in state["predictions"].items()
    } == {
        customer_id: {name: value for name, value in row.items() if name not in past}
        for customer_id, row in undisturbed["predictions"].items()
    }


def test_the_state_machine_goes_on_when_processes_are_killed(undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "statemachines/scoring.asl.yaml").read_text()
    text = text.replace("${ScoringFunctionArn}", function_arn("scoring")).replace("${MaxConcurrency}", "2")
    text = text.replace("${HistoryFunctionArn}", function_arn("history")).replace("IntervalSeconds: 2", "IntervalSeconds: 1")
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    with account(), served() as address:
        fresh_base()
        counted_first(Tasks(address))
        ends = chain(*(iter([Fate(1 + number), Fate()]) for number in range(3)))
        tasks = Tasks(address, ends, SMALL, again=False)

        def invoke(_self: Any, name: str, _qualifier: Any, body: Any, _headers: Any, response_headers: Any) -> bytes:
            try:
                return json.dumps(tasks.do(name.rsplit(":", 1)[-1], json.loads(body))).encode()
            except Killed:
                response_headers["x-amz-function-error"] = "Unhandled"
                return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: signal: killed"}).encode()

        monkeypatch.setattr(LambdaBackend, "invoke", invoke)
        states = boto3.client("stepfunctions")
        machine = states.create_state_machine(
            name="test-scoring", definition=json.dumps(yaml.safe_load(text)), roleArn="arn:aws:iam::123456789012:role/states"
        )["stateMachineArn"]
        states.start_execution(stateMachineArn=machine, name="once", input='{"started_by": "test"}')
        deadline = time.monotonic() + 60
        while (not (run := Runs().get("once")) or run["status"] == "RUNNING") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(tasks.killed) == 3
        assert state_after("once", tasks) == undisturbed
