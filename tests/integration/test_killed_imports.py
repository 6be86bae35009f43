"""Imports whose processes are killed, again and again: what is stored in the end is what an undisturbed import stores."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from typing import Any

import pytest

from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from tests.conftest import account
from tests.importing import as_file, asked_for, line
from tests.integration.base_of_customers import prediction, watch_streams
from tests.integration.state_left import counters_left, rows_left, run_left
from tests.made_lives import seen
from tests.mortal_tasks import Fate, Killed, Tasks, fates, first_seed, served

SMALL = {
    "retainstream.runs.imports.survey:SMALLEST_PART": 2_000,
    "retainstream.runs.imports.load:SPAN_ROWS": 12,
    "retainstream.runs.imports.load:PAGE": 6,
}
KILLS, KILLS_FOR_GOOD = 52, 5
TASKS = {"begin", "survey", "index", "compare", "begin_load", "load", "verify", "finish", "rollups"}
ROWS = 114

_log = logging.getLogger(__name__)


def mixed_file() -> bytes:
    """Customers there are and new ones, outcomes, repeated ids, and rows at fault."""
    chance = random.Random(5)
    lines = []
    for number in range(110):
        plan = chance.choice(["basic", "standard", "premium", "premium", "gold"])
        watch = chance.choice(["1.5", "7", "30", "30", "much"])
        lines.append(line(f"c{chance.randrange(90)}", plan=plan, watch=watch, churned=chance.choice(["", "", "yes", "no"])))
        if number % 25 == 24:
            lines.append("c1,basic")
    return as_file(lines, outcomes=True)


def fresh_base() -> None:
    """Some of the customers of the file are there, most of them with a prediction that their outcome judges."""
    watch_streams()
    order = random.Random(6)
    for number in range(0, 90, 2):
        Customers().put({"customer_id": f"c{number}", "group": "basic", "features": {"plan": "basic"}, "source": "api", "life": seen()})
    Predictions().put_many(prediction(f"c{number}", order.choice([0.1, 0.5, 0.9])) for number in range(0, 90, 3))


def import_by(tasks: Tasks, key: str) -> str:
    """Asks for an import of the file and plays the state machine: its tasks in their order, parts side by side. Returns its id."""
    import_id = asked_for(mixed_file(), as_of="2026-11-20T00:00:00Z", key=key).import_id

    def do(task: str, **given: Any) -> Any:
        return tasks.do("imports", {"task": task, "import_id": import_id, **given})

    def load(part: Mapping[str, Any]) -> Any:
        turn: Any = {"part": part, "next": None, "counts": {}}
        while not (turn := do("load", file=file, turn=turn))["done"]:
            pass
        return turn

    try:
        file, found = do("begin")["file"], None
        while not (found := do("survey", file=file, found=found))["done"]:
            pass
        count = found["partition_count"]
        with ThreadPoolExecutor(2) as side_by_side:
            indexed = list(side_by_side.map(lambda part: do("index", file=file, part=part, partitions=count), found["parts"]))
            compared = [do("compare", partition=number, partitions=count, parts=found["part_count"]) for number in found["partitions"]]
            do("begin_load", indexed=indexed, compared=compared)
            turns = list(side_by_side.map(load, found["parts"]))
        do("finish", turns=turns, verified=do("verify", indexed=indexed, turns=turns))
    except Killed:
        tasks.fates = iter(())
        do("fail", error={"Error": "Runtime.ExitError", "Cause": "{}"})
    return import_id


def state_after(import_id: str, tasks: Tasks) -> dict[str, Any]:
    """All that an import leaves."""
    counters = counters_left(lambda batch: tasks.do("rollups", batch))
    rejects = Documents().get_bytes(f"imports/rejects/{import_id}.csv")
    return {**rows_left(), "counters": counters, "run": run_left(import_id), "rejects": rejects}


def imported_by(tasks: Callable[[str], Tasks]) -> tuple[dict[str, Any], Tasks]:
    """The state after an import of the file into the base, and what became of its processes."""
    with account(), served() as address:
        doing = tasks(address)
        fresh_base()
        return state_after(import_by(doing, "once"), doing), doing


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    state, _ = imported_by(lambda address: Tasks(address, patches=SMALL))
    assert state["run"]["counts"]["accepted"] + state["run"]["counts"]["rejected"] == state["run"]["counts"]["rows"] == ROWS
    assert state["run"]["counts"]["rejected"] > 20
    return state


def test_imports_whose_processes_are_killed_end_as_one_undisturbed(undisturbed: dict[str, Any]) -> None:
    killed: list[tuple[str, str]] = []
    seed = first_seed(1)
    while len(killed) < KILLS or {task for task, _ in killed} != TASKS:
        _log.warning("SEED=%d", seed)
        ends = fates(random.Random(seed), calls=40, seconds=0.3)
        state, tasks = imported_by(lambda address: Tasks(address, ends, SMALL))  # noqa: B023
        assert state == undisturbed
        killed += tasks.killed
        seed += 1


def test_a_new_import_of_the_file_ends_what_killed_ones_began(undisturbed: dict[str, Any]) -> None:
    seed = first_seed(1000)
    _log.warning("SEED=%d", seed)
    chance = random.Random(seed)
    with account(), served() as address:
        fresh_base()
        for number in range(KILLS_FOR_GOOD):
            lived = chance.randrange(16)
            ends: Iterator[Fate] = chain(repeat(Fate(), lived), repeat(Fate(int(40 ** chance.random()), "after-call")))
            tasks = Tasks(address, ends, SMALL, again=False)
            failed = import_by(tasks, f"import {number}")
            if tasks.killed:
                assert run_left(failed)["status"] == "FAILED"
        done = Tasks(address, patches=SMALL)
        state = state_after(import_by(done, "the last"), done)
    assert {name: state[name] for name in ("customers", "predictions", "counters", "rejects")} == {
        name: undisturbed[name] for name in ("customers", "predictions", "counters", "rejects")
    }
    for name in ("rows", "accepted", "rejected"):
        assert state["run"]["counts"][name] == undisturbed["run"]["counts"][name]
