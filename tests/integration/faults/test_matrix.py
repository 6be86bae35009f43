"""Nothing is left out: every operation of the interface and every task of the state machines is put under faults."""

import json
from importlib.resources import files
from pathlib import Path

from tests.integration.faults.routes import ROUTES
from tests.integration.faults.stories import STORIES, tasks_of
from tests.integration.faults.tasks_under_fault import retried


def test_every_operation_of_the_interface_is_put_under_faults() -> None:
    paths = json.loads(files("retainstream.http").joinpath("openapi.json").read_text())["paths"]
    assert {route.operation for route in ROUTES} == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_every_task_of_every_state_machine_is_put_under_faults() -> None:
    """What is said of a story here, the tests of the tasks hold it to."""
    assert {task for story in STORIES for task in tasks_of(story)} == set(retried())
    folder = Path(__file__).parent
    tests = "".join(path.read_text() for path in folder.glob("test_tasks_*.py"))
    assert [story.__name__ for story in STORIES if story.__name__ not in tests] == []


def test_every_task_is_tried_again_when_storage_does_not_answer() -> None:
    assert {task for task, names in retried().items() if "StorageUnavailable" not in names} == set()
