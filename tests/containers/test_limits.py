"""A function that takes more memory or time than its template allows is ended, as in Lambda: else the other tests would show little."""

import json
from pathlib import Path

import pytest

from tests.containers.conftest import Lambda
from tests.containers.sam import InvocationError, Sam

MEGABYTES, SECONDS = 128, 3
GREEDY = """
import time

def handler(event, _context):
    if "megabytes" in event:
        return len(bytearray(event["megabytes"] * 1024 * 1024))
    time.sleep(event["seconds"])
    return event
"""


@pytest.fixture
def greedy(containers: Lambda, tmp_path: Path) -> Sam:
    """A function that takes what its event asks for."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(GREEDY)
    properties = {"Runtime": "python3.13", "Handler": "app.handler", "CodeUri": "code/", "MemorySize": MEGABYTES, "Timeout": SECONDS}
    function = {"Type": "AWS::Serverless::Function", "Properties": properties}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Greedy": function}}))
    return Sam(containers.engine, containers.folder, {}, template)


def test_a_function_within_its_limits_answers(greedy: Sam) -> None:
    assert greedy.invoke("Greedy", '{"megabytes": 32}') == 32 * 1024 * 1024
    assert greedy.invoke("Greedy", '{"seconds": 0.1}') == {"seconds": 0.1}


def test_a_function_that_takes_too_long_is_ended(greedy: Sam) -> None:
    with pytest.raises(InvocationError, match=f"timed out after {SECONDS} seconds"):
        greedy.invoke("Greedy", '{"seconds": 30}')


def test_a_function_that_takes_too_much_memory_is_ended(greedy: Sam) -> None:
    told = greedy.invoke("Greedy", '{"megabytes": 1024}')
    assert told["errorType"] == "Runtime.ExitError"
    assert told["errorMessage"].endswith("signal: killed")
