"""One instance of a function, called as Lambda calls it, with storage answered in the process."""

import importlib.util
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from local.isolation import isolate_from_aws
from retainstream.settings import Settings

FUNCTIONS = Path(__file__).parents[1] / "functions"
_MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"


def set_environment(**more: str) -> None:
    """What the template gives a function, with made-up names; before anything reads the settings."""
    isolate_from_aws()
    for name, field in Settings.model_fields.items():
        if field.is_required():
            made_up = f"bench-{name.replace('_', '-')}"
            os.environ[name.upper()] = f"{_MACHINES}:{made_up}" if name.endswith("_state_machine_arn") else made_up
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ.update({"RATE_LIMIT_USER": "1000000000", "LOG_LEVEL": "INFO", **threads, **more})


def load(function: str) -> ModuleType:
    """A function's app.py. What it logs goes nowhere, by way of a file as in Lambda."""
    name = f"bench_function_{function}"
    specification = importlib.util.spec_from_file_location(name, FUNCTIONS / function / "app.py")
    if specification is None or specification.loader is None:
        raise FileNotFoundError(function)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    with redirect_stdout(Path(os.devnull).open("w")):
        specification.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Invocation:
    """One call of a handler: the event as JSON, which the runtime parses for every call, and the context."""

    event: str
    context: Any

    def of(self, module: ModuleType) -> dict[str, Any]:
        answer: dict[str, Any] = module.handler(json.loads(self.event), self.context)
        return answer


def post(path: str, body: Mapping[str, Any], *, role: str = "analyst") -> Invocation:
    """A POST as the HTTP API hands it over (payload 2.0), with what the authorizer said."""
    route = f"POST {path}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "bench.example", "user-agent": "bench", "authorization": "Bearer x"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "bench",
            "authorizer": {"lambda": {"userId": "bench@example.com", "role": role, "tokenId": "bench", "tokenExpires": "4000000000"}},
            "domainName": "bench.example",
            "domainPrefix": "bench",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"},
            "requestId": str(uuid.uuid4()),
            "routeKey": route,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(1000 * time.time()),
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
    return Invocation(json.dumps(event), lambda_context(path))


def lambda_context(name: str) -> Any:
    """What Lambda tells a handler about its invocation."""
    return SimpleNamespace(
        function_name=name,
        function_version="1",
        memory_limit_in_mb=1769,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: 29_000,
    )
