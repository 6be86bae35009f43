"""The judgement of a task: it succeeds, or raises what its state machine retries, and the try after that ends as a clean run does."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.aws_state import AwsState
from tests.faults import Fault, Kind
from tests.integration.faults.judging import Bench, chosen, comparable
from tests.integration.faults.stories import Story, Task

_MACHINES = Path(__file__).parents[3] / "statemachines"

_LEFT = {
    "retraining": ("message ",),  # a topic may be told twice
    "export": ("exports/work/", "upload exports/"),
    "recount": ("recounts/",),
    "import": ("upload imports/work/",),
}

_RACES = {("recount", "look"), ("retraining", "promote")}
"""Tasks that take another way when somebody else was first, which an invented refusal makes untrue."""


@cache
def retried() -> dict[tuple[str, str], frozenset[str]]:
    """By machine and task, the names of the errors after which every state of that task tries again."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for path in _MACHINES.glob("*.asl.yaml"):
        machine = path.name.partition(".")[0].partition("-")[0]
        for state in _states(yaml.safe_load(path.read_text())):
            name = state.get("Parameters", {}).get("Payload", {}).get("task")
            if name:
                names = frozenset(error for retry in state.get("Retry", []) for error in retry["ErrorEquals"])
                found[machine, name] = found.get((machine, name), names) & names
    return found


def _states(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def judge_story(state: AwsState, story: Callable[[], Story], *, sparsely: bool = False) -> dict[tuple[str, str], int]:
    """Holds every task of a run to its promises under every chosen fault, one for each call where `sparsely`. Returns how many there
    were, by task."""
    beginning, told = state.put_aside(), dict[tuple[str, str], int]()
    tasks = story()
    task = next(tasks)
    with suppress(StopIteration):
        while True:
            bench = Bench(state, task.do, figures=task.figures, counted=False, left=_LEFT.get(task.machine, ()))
            after = state.put_aside()
            assert comparable(bench.again(), figures=task.figures) == comparable(bench.clean.answer, figures=task.figures), task
            bench.require_after(f"{task} again")
            faults = chosen(bench.clean.calls, sparsely=sparsely)
            for fault in faults:
                _judge(bench, task, fault)
            name = (task.machine, task.name)
            told[name] = told.get(name, 0) + len(faults)
            state.put_back(after)
            task = tasks.send(bench.clean.answer)
    state.put_back(beginning)
    return told


def _judge(bench: Bench, task: Task, fault: Fault) -> None:
    answer, layer = bench.with_fault(fault)
    assert layer.hits, f"{task}: {fault} did not happen"
    if fault.kind is Kind.REFUSED and (task.machine, task.name) in _RACES:
        return
    if isinstance(answer, Exception):
        name = type(answer).__name__
        if fault.kind not in (Kind.REFUSED, Kind.MET):
            assert name in retried()[task.machine, task.name], f"{task}: {fault}: {name}: {answer}"
        answer = bench.again()
    assert comparable(answer, figures=task.figures) == comparable(bench.clean.answer, figures=task.figures), f"{task}: {fault}"
    bench.require_after(fault)
