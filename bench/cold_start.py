"""Cold starts: fresh processes of every built function, from its first import to its first answer, on one core.

Each finds what it finds in Lambda and nothing else: its folder, its layers with their bytecode, and the SDK of the runtime. Tables, bucket
and key are those of a local stack in this process, so their answers cost what moto takes. The measure is the same libraries imported, and
the same AWS clients made, by a process that has none of our code.
"""

import json
import logging
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console

from bench.result import Result, Target
from bench.running import alone
from layers import as_lambda
from local.seed import ADMINISTRATOR, PASSWORD, seed
from local.stack import LocalStack

BUILT = as_lambda.ROOT / "build/x86_64"
NO_MODEL, MODEL, RATIO = Target("value", at_most=600), Target("value", at_most=1000), Target("ratio", at_most=1.25)
CUSTOMERS = 1000
FIRST_EVENTS = {
    "authorizer": "authorizer/request",
    "auth": "auth/me",
    "customers": "customers/high-risk",
    "model": "model/status",
    "rollups": "rollups/customers",
    "dashboard": "dashboard/metrics",
    "predictions": "predictions/generate",
    "scoring": "scoring/plan",
    "retraining": "retraining/begin",
}
"""What each function is asked first."""

START = """
import json, time, types
event = json.load(sys.stdin)
context = types.SimpleNamespace(
    function_name="built", function_version="1", memory_limit_in_mb=1769, aws_request_id="00000000-0000-4000-8000-000000000000",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:built", get_remaining_time_in_millis=lambda: 60_000,
)
started = time.perf_counter()
import app
imported = time.perf_counter()
answer = app.handler(event, context)
answered = time.perf_counter()
from retainstream.storage import clients
told = {
    "imported": imported - started, "answered": answered - started, "answer": answer,
    "clients": [name for name in ("dynamodb", "s3", "kms", "stepfunctions", "sns") if getattr(clients, name).cache_info().currsize],
    "modules": [[name, module.__file__] for name, module in sys.modules.items() if getattr(module, "__file__", None)],
}
print(json.dumps(told))
"""

LIBRARIES = """
import importlib, json, time
given = json.load(sys.stdin)
started = time.perf_counter()
for name in given["modules"]:
    importlib.import_module(name)
imported = time.perf_counter()
import boto3
for name in given["clients"]:
    boto3.client(name)
print(json.dumps({"imported": imported - started, "answered": time.perf_counter() - started}))
"""


@dataclass(frozen=True)
class Start:
    """One function's processes: milliseconds of each, and of the processes that only import what it imports."""

    imported: list[float]
    answered: list[float]
    libraries: list[float]
    libraries_and_clients: list[float]


def run(quick: bool) -> list[Result]:
    if not quick or not (BUILT / "template.yaml").exists():
        subprocess.run(["make", "--silent", "build"], cwd=as_lambda.ROOT, check=True)  # noqa: S607
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    results = []
    parameters = {"RateLimitUser": "1000000", "RateLimitAnonymous": "1000000"}
    with LocalStack(parameters=parameters, report=lambda _: None) as stack:
        seed(stack, CUSTOMERS, Console(quiet=True))
        for function in FIRST_EVENTS:
            taken = _starts(stack, function, 2 if quick else 11)
            model = function in ("dashboard", "predictions", "scoring")
            target = None if function == "retraining" else MODEL if model else NO_MODEL
            results += [
                Result(f"{function}: import to first answer", median(taken.answered), "ms", target=target),
                Result(f"{function}: its libraries and clients alone", median(taken.libraries_and_clients), "ms"),
                Result(
                    f"{function}: import",
                    median(taken.imported),
                    "ms",
                    ratio=median(a / b for a, b in zip(taken.imported, taken.libraries, strict=True)),
                    against="its libraries",
                    target=RATIO,
                ),
            ]
    return results


def _starts(stack: LocalStack, function: str, times: int) -> Start:
    path = as_lambda.search_path(BUILT, f"{function.capitalize()}Function", as_lambda.runtime_packages())
    made = next(made for name, made in stack.deployment.functions.items() if name.endswith(f"-{function}"))
    aws = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION")}
    variables = {**aws, **made.environment, "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL_S3"]}
    event = _event(stack, FIRST_EVENTS[function])
    first = _told(path, START, variables, event)  # also warms the file system
    ours = tuple(str(folder / name) for folder in path for name in ("app.py", "retainstream/"))
    libraries = [name for name, file in first["modules"] if file.startswith(tuple(map(str, path))) and not file.startswith(ours)]
    given = {"modules": libraries, "clients": first["clients"]}
    pairs = [(_told(path, START, variables, event), _told(path, LIBRARIES, variables, given)) for _ in range(times)]
    return Start(
        [1000 * start["imported"] for start, _ in pairs],
        [1000 * start["answered"] for start, _ in pairs],
        [1000 * bare["imported"] for _, bare in pairs],
        [1000 * bare["answered"] for _, bare in pairs],
    )


def _told(path: Sequence[Path], code: str, variables: Mapping[str, str], given: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        as_lambda.run(path, code, variables, json.dumps(given), core=max(os.sched_getaffinity(0))).splitlines()[-1]
    )
    answer = told.get("answer")
    if isinstance(answer, dict) and answer.get("statusCode", 200) >= 400:
        raise RuntimeError(f"answered {answer}")
    return told


def _event(stack: LocalStack, name: str) -> dict[str, Any]:
    """An event as it would come from the demonstration administrator."""
    text = (as_lambda.ROOT / f"events/{name}.json").read_text()
    for variable, table in stack.deployment.environment.items():
        logical_id = "".join(word.capitalize() for word in variable.split("_"))
        text = text.replace(f":table/{logical_id}/", f":table/{table}/")
    event: dict[str, Any] = json.loads(text)
    if name.startswith("authorizer/"):
        answer = httpx.post(f"{stack.url}/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD})
        event["headers"]["authorization"] = f"Bearer {answer.json()['data']['token']}"
    elif principal := event.get("requestContext", {}).get("authorizer", {}).get("lambda"):
        principal |= {"userId": ADMINISTRATOR, "role": "admin"}
    return event


if __name__ == "__main__":
    raise SystemExit(alone("cold_start", run))
