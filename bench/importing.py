"""An import of a file: all steps of the state machine, one after the other, with AWS answered in the process.

Nobody of the file is known yet, so every row is written: the dearest import there is. One process does what the state machine gives to
several, and what storage does is not in it.
"""

import csv
import io
import time
from collections.abc import Mapping
from typing import Any

from bench.memory import watched_memory
from bench.one_instance import lambda_context, load, set_environment
from bench.result import Result
from bench.running import alone, in_a_process_of_its_own
from bench.stubbed_aws import Answer, AwsRequest, StubbedAws
from bench.stubbed_bucket import StubbedBucket

SIZES = (100_000, 1_000_000)
_ID = "bench"


def run(quick: bool) -> list[Result]:
    results: list[Result] = []
    for size in (500,) if quick else SIZES:
        print(f"{size:,} lines", flush=True)
        results += in_a_process_of_its_own(_measured, size)
    return results


def _measured(lines: int) -> list[Result]:
    set_environment()
    from retainstream.storage import clients

    file = synthetic_file(lines)
    bucket = StubbedBucket({f"imports/uploads/{_ID}": file})
    aws = StubbedAws({**bucket.answers, **_Tables(len(file)).answers})
    aws.attach(clients.dynamodb(), clients.s3())
    seconds: dict[str, float] = {}
    with watched_memory(0.05) as peak:
        rows = _imported(load("imports"), seconds)
    if rows != lines:
        raise AssertionError(f"{rows} rows were accepted of {lines}")
    whole = sum(seconds.values())
    name = f"{lines:,} lines"
    results = [
        Result(f"{name}: import", lines / whole, "rows/s", note="every row new, one process, no network"),
        Result(f"{name}: bytes", len(file) / lines, "bytes/row"),
        Result(
            f"{name}: memory",
            peak.added / 1e6,
            "MB",
            note="beyond the file and the imported rows; including the steps' files in the bucket",
        ),
    ]
    results += [Result(f"{name}: {step}", 1e6 * spent / lines, "µs/row", spent / whole, "the total") for step, spent in seconds.items()]
    requests = sorted(aws.counts.items())
    return results + [Result(f"{name}: {operation}", 1000 * count / lines, "requests/1,000 rows") for operation, count in requests]


def _imported(function: Any, seconds: dict[str, float]) -> int:
    """Walks the state machine's steps; seconds by step, and the rows accepted."""

    def task(name: str, **fields: Any) -> dict[str, Any]:
        started = time.perf_counter()
        answer: dict[str, Any] = function.handler({"task": name, "import_id": _ID, **fields}, context)
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
        return answer

    context = lambda_context("imports")
    context.get_remaining_time_in_millis = lambda: 900_000
    file = task("begin")["file"]
    survey = task("survey", file=file, found=None)
    indexed = [task("index", file=file, part=part, partitions=survey["partition_count"]) for part in survey["parts"]]
    compared = [
        task("compare", partition=partition, partitions=survey["partition_count"], parts=survey["part_count"])
        for partition in survey["partitions"]
    ]
    task("begin_load", indexed=indexed, compared=compared)
    turns = [task("load", file=file, turn={"part": part, "next": None, "counts": {}}) for part in survey["parts"]]
    verified = task("verify", indexed=indexed, turns=turns)
    counts: Mapping[str, int] = task("finish", turns=turns, verified=verified)["counts"]
    return counts["accepted"]


def synthetic_file(lines: int) -> bytes:
    """A CSV file of synthetic customers of the default schema."""
    from retainstream.engine.learning.synthetic import generate
    from retainstream.engine.schema import default_schema

    base, names = generate(lines, 3), [column.name for column in default_schema().columns]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([default_schema().id.header, *names])
    for customer_id, features in zip(base.ids, base.features(), strict=True):
        writer.writerow([customer_id, *(features.get(name, "") for name in names)])
    return text.getvalue().encode()


class _Tables:
    """The run's record, which is kept, and customers of whom nobody is known."""

    def __init__(self, size: int) -> None:
        from retainstream.storage.attributes import to_attributes

        body = {"file_name": "customers.csv", "size": size, "as_of": "2026-01-01T00:00:00.000000+00:00"}
        self._run = to_attributes({"run_id": _ID, "kind": "import", "status": "WAITING", "steps": [], "asked": body, "parts": {}})

    @property
    def answers(self) -> dict[str, Any]:
        return {
            "GetItem": lambda _: {"Item": self._run},
            "PutItem": lambda _: {},
            "UpdateItem": self._update,
            "BatchGetItem": lambda request: {"Responses": {table: [] for table in request.json["RequestItems"]}, "UnprocessedKeys": {}},
        }

    def _update(self, request: AwsRequest) -> Answer:
        names, values = request.json.get("ExpressionAttributeNames", {}), request.json["ExpressionAttributeValues"]
        if request.json["UpdateExpression"].startswith("SET #"):
            self._run |= {names[f"#{name[1:]}"]: value for name, value in values.items() if f"#{name[1:]}" in names and name != ":before"}
        return {"Attributes": self._run}


if __name__ == "__main__":
    raise SystemExit(alone("importing", run))
