"""Cold starts: fresh processes of all built functions, from the first import to the first answer, on one core.

Each process sees what it sees in Lambda and nothing else: its folder, its layers with their bytecode, and the SDK of the runtime. Tables,
bucket and key are those of a local stack in this process, served by moto's server, so their answers take moto's time. The comparison is a
process without our code that imports the same libraries and creates the same AWS clients.
"""

import json
import logging
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from moto.server import ThreadedMotoServer
from rich.console import Console

from bench.result import Result, Target
from bench.running import alone
from local.seed import ADMINISTRATOR, PASSWORD, seed
from local.stack import LocalStack
from tools import as_lambda

BUILT = as_lambda.ROOT / "build/x86_64"
NO_MODEL, MODEL, RATIO = Target("value", at_most=600), Target("value", at_most=1000), Target("ratio", at_most=1.25)
CUSTOMERS = 1000
CORE = max(os.sched_getaffinity(0))
ANSWERS_WITH_A_MODEL = ("dashboard", "predictions", "scoring")
EMULATOR = as_lambda.ROOT / ".venv-sam/lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
FIRST_EVENTS = {
    "authorizer": "authorizer/request",
    "auth": "auth/me",
    "customers": "customers/high-risk",
    "model": "model/status",
    "rollups": "rollups/customers",
    "recount": "recount/open",
    "dashboard": "dashboard/metrics",
    "predictions": "predictions/generate",
    "scoring": "scoring/plan",
    "retraining": "retraining/begin",
}
"""The first event of each function."""

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
    "clients": [
        name
        for name in ("dynamodb", "s3", "kms", "secretsmanager", "stepfunctions", "sns")
        if getattr(clients, name).cache_info().currsize
    ],
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


@dataclass(frozen=True)
class Subject:
    """A built function: where it finds modules, its environment, and its first event."""

    path: list[Path]
    variables: dict[str, str]
    event: dict[str, Any]


def run(quick: bool) -> list[Result]:
    if not quick or not (BUILT / "template.yaml").exists():
        subprocess.run(["make", "--silent", "build"], cwd=as_lambda.ROOT, check=True)  # noqa: S607
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parameters = {"RateLimitUser": "1000000", "RateLimitAnonymous": "1000000"}
    with LocalStack(parameters=parameters, report=lambda _: None) as stack, _served() as endpoint:
        seed(stack, CUSTOMERS, Console(quiet=True))
        return [result for function in FIRST_EVENTS for result in _results(function, _subject(stack, function, endpoint), quick=quick)]


@contextmanager
def _served() -> Iterator[str]:
    """The AWS of this process, for the processes that are measured."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _results(function: str, subject: Subject, *, quick: bool) -> Iterator[Result]:
    taken = _starts(subject, 2 if quick else 11)
    target = None if function == "retraining" else MODEL if function in ANSWERS_WITH_A_MODEL else NO_MODEL
    first, imported = f"{function}: import to first answer", f"{function}: import"
    yield Result(
        first, median(taken.answered), "ms", _ratio(taken.answered, taken.libraries_and_clients), "its libraries and clients", target
    )
    yield Result(imported, median(taken.imported), "ms", _ratio(taken.imported, taken.libraries), "its libraries", RATIO)
    if EMULATOR.exists():
        yield Result(f"{function}: first event to answer under the emulator", median(_emulated(subject, 1 if quick else 5)), "ms")


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Taken pair by pair, so that a slow moment weighs on both."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def _subject(stack: LocalStack, function: str, endpoint: str) -> Subject:
    path = as_lambda.search_path(BUILT, f"{function.capitalize()}Function", as_lambda.runtime_packages())
    made = next(made for name, made in stack.deployment.functions.items() if name.endswith(f"-{function}"))
    aws = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION")}
    variables = {**aws, **made.environment, "AWS_ENDPOINT_URL": endpoint}
    return Subject(path, variables, _event(stack, FIRST_EVENTS[function]))


def _starts(subject: Subject, times: int) -> Start:
    first = _run(subject, START, subject.event)  # also warms the file system
    ours = tuple(str(folder / name) for folder in subject.path for name in ("app.py", "retainstream/"))
    libraries = [name for name, file in first["modules"] if file.startswith(tuple(map(str, subject.path))) and not file.startswith(ours)]
    message = {"modules": libraries, "clients": first["clients"]}
    pairs = [(_run(subject, START, subject.event), _run(subject, LIBRARIES, message)) for _ in range(times)]
    return Start(
        [1000 * start["imported"] for start, _ in pairs],
        [1000 * start["answered"] for start, _ in pairs],
        [1000 * bare["imported"] for _, bare in pairs],
        [1000 * bare["answered"] for _, bare in pairs],
    )


def _emulated(subject: Subject, times: int) -> list[float]:
    """Milliseconds from the first event, which starts the interpreter and AWS's runtime client, to its answer."""
    taken = []
    for _ in range(times):
        with as_lambda.emulated(subject.path, subject.variables, EMULATOR, core=CORE) as address:
            started = time.perf_counter()
            answer = httpx.post(address, json=subject.event, timeout=30).json()
            taken.append(1000 * (time.perf_counter() - started))
        _check(answer)
    return taken


def _run(subject: Subject, code: str, message: Any) -> dict[str, Any]:
    output = as_lambda.run(subject.path, code, subject.variables, json.dumps(message), core=CORE)
    document: dict[str, Any] = json.loads(output.splitlines()[-1])
    _check(document.get("answer"))
    return document


def _check(answer: Any) -> None:
    if isinstance(answer, dict) and (answer.get("statusCode", 200) >= 400 or "errorMessage" in answer):
        raise RuntimeError(f"answered {answer}")


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
