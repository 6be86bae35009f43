"""What the definitions of all state machines have in common."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEFINITIONS = sorted((Path(__file__).parents[2] / "statemachines").glob("*.asl.yaml"))
PASSING = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "StorageUnavailable",
}
"""Errors that say nothing against the work: the service's own, and the death of the process that did it."""


def tasks(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner:
                yield from tasks(inner)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_every_task_is_tried_again_when_its_process_dies(path: Path) -> None:
    found = {name: state for name, state in tasks(yaml.safe_load(path.read_text())) if ":lambda:invoke" in state["Resource"]}
    assert found
    lacking = {
        name: sorted(PASSING - {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}) for name, state in found.items()
    }
    assert {name: errors for name, errors in lacking.items() if errors} == {}
