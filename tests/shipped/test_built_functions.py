"""Every event in events/ answered by the built functions, each in a process that finds nothing but what it would find in Lambda."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from retainstream.settings import Settings
from tests.contract.test_events import CHAPTERS, GOES_ON, STATUS, do_the_job, event, leave_what_others_bring, stack_of_the_story
from tests.shipped.conftest import BUILT
from tools import as_lambda

# Reads events, each with whether it goes on from what an earlier answer left; writes an answer for each, and which files were imported.
TELL = """
import json, types
import app

context = types.SimpleNamespace(
    function_name="built", function_version="1", memory_limit_in_mb=1769, aws_request_id="00000000-0000-4000-8000-000000000000",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:built", get_remaining_time_in_millis=lambda: 60_000,
)
answers, left = [], {}
for event, goes_on in json.load(sys.stdin):
    answer = app.handler({**event, **left} if goes_on else event, context)
    left = {"progress": answer["progress"]} if isinstance(answer, dict) and "progress" in answer else left
    answers.append(answer)
files = [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
print(json.dumps({"answers": answers, "files": files}))
"""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Where the stack of this process answers other processes."""
    with stack_of_the_story():
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


def variables(endpoint: str) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields} | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
    return {name: os.environ[name] for name in ours if name in os.environ} | {"AWS_ENDPOINT_URL": endpoint}


def test_every_event_is_answered_by_the_built_functions_from_their_own_layers(endpoint: str) -> None:
    """Among them a whole retraining: with shap, scikit-learn and pandas as they are shipped."""
    runtime = as_lambda.runtime_packages()
    imported: dict[str, set[Path]] = defaultdict(set)
    paths = {name: as_lambda.search_path(BUILT["x86_64"], f"{name.capitalize()}Function", runtime) for name, _ in CHAPTERS}
    for function, names in CHAPTERS:
        named = [f"{function}/{name}" for name in names.split()]
        for name in named:
            leave_what_others_bring(name)
        told = tell(paths[function], [(event(name), name in GOES_ON) for name in named], variables(endpoint))
        imported[function] |= {Path(file) for file in told["files"]}
        for name, answer in zip(named, told["answers"], strict=True):
            if isinstance(answer, dict) and "statusCode" in answer:
                assert answer["statusCode"] == STATUS.get(name, 200), (name, answer["body"])
            elif name == "retraining/prepare-job":
                do_the_job(answer)
    for function, path in paths.items():
        ours = [folder for folder in path if folder.is_relative_to(BUILT["x86_64"])]
        assert not [folder for folder in ours if not any(file.is_relative_to(folder) for file in imported[function])], function


def tell(path: Sequence[Path], events: Sequence[Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """{answers: one for each event, files: of all modules that were imported}."""
    told: dict[str, Any] = json.loads(as_lambda.run(path, TELL, environment, json.dumps(events)).splitlines()[-1])
    return told
