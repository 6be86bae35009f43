"""What the definitions of all state machines have in common."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.machines import FOLDER
from tools.machines.validation import errors_in

DEFINITIONS = sorted(FOLDER.glob("*.asl.yaml"))
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


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_every_task_waits_long_for_a_free_execution(path: Path) -> None:
    for name, state in tasks(yaml.safe_load(path.read_text())):
        if ":lambda:invoke" in state["Resource"]:
            first = state["Retry"][0]
            assert first["ErrorEquals"] == ["Lambda.TooManyRequestsException"], name
            pauses = [
                min(first["MaxDelaySeconds"], first["IntervalSeconds"] * first["BackoffRate"] ** tries)
                for tries in range(first["MaxAttempts"])
            ]
            assert first["JitterStrategy"] == "FULL"
            assert sum(pauses) / 2 >= 900, f"{name} gives up before one other invocation can have ended"


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_lambda_ends_a_late_invocation_before_the_machine_does(path: Path) -> None:
    """Lambda's own end is repeated (Sandbox.Timedout); at the same second the two race."""
    assert not {
        name: state["TimeoutSeconds"] for name, state in tasks(yaml.safe_load(path.read_text())) if 870 < state["TimeoutSeconds"] < 930
    }


def test_an_independent_validator_accepts_every_definition() -> None:
    assert errors_in(DEFINITIONS) == ""


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-next-state": ({"Next": "Nowhere"}, "MISSING_TRANSITION_TARGET"),
    "no-next-state": ({"Next": ...}, "TERMINAL_STATE_WITH_NEXT"),
    "unknown-field": ({"Retries": []}, "SCHEMA_VALIDATION_FAILED"),
    "no-path": ({"ResultPath": "written[["}, "SCHEMA_VALIDATION_FAILED"),
    "unknown-function": ({"Parameters": {"FunctionName": "f", "Payload.$": "States.Nothing($.x)"}}, "SCHEMA_VALIDATION_FAILED"),
}


def test_the_validator_refuses_broken_definitions(tmp_path: Path) -> None:
    for name, (changes, _) in BROKEN.items():
        definition = yaml.safe_load((FOLDER / "export.asl.yaml").read_text())
        state = definition["States"]["Begin"] | changes
        definition["States"]["Begin"] = {key: value for key, value in state.items() if value is not ...}
        (tmp_path / f"{name}.asl.yaml").write_text(yaml.safe_dump(definition))
    errors = errors_in([*DEFINITIONS, *tmp_path.iterdir()])
    codes = dict(re.findall(r'definition "([a-z-]+)\.asl\.yaml" is invalid:\s+([A-Z_]+):', errors))
    assert codes == {name: code for name, (_, code) in BROKEN.items()}
