"""The lives of the state machines' runs, task by task, each told what the tasks before it answered."""

import gzip
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import boto3

from retainstream.registry.active_schema import set_active_schema
from retainstream.runs.retraining.promotion import scoring_run_of
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from tests.integration.athena import leave_counts
from tests.integration.faults.world import ADMIN, DELIVERY, FILE, PARTED, PARTED_DELIVERY, SECOND, SOURCE_FILE, WAITING, run
from tests.integration.training_jobs import training_jobs
from tests.made_sources import streaming_with_sources

PACKED = "c" * 32
TRAINED, LARGE = "training-2", "training-3"
ERROR = {"Error": "States.TaskFailed", "Cause": "{}"}


@dataclass(frozen=True)
class Task:
    """One task of a state machine; without a machine, an event that Lambda delivers again after an error.

    `figures`: whether its fractions are the same each time. `by`: the function that does it, if it is not the machine's own.
    """

    machine: str
    name: str
    event: dict[str, Any] = field(default_factory=dict)
    figures: bool = True
    by: str = ""

    @property
    def function(self) -> str:
        return self.by or {"import": "imports", "export": "exports"}.get(self.machine, self.machine)

    def do(self) -> Any:
        return run(self.function, task=self.name, **self.event)

    def __str__(self) -> str:
        return f"{self.machine} {self.name}"


type Story = Generator[Task, Any]


def an_import() -> Story:
    """A plain file of three rows: one changes a customer, one is refused, one is new."""
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=f"imports/uploads/{WAITING}", Body=FILE)
    begun = yield Task("import", "begin", {"import_id": WAITING})
    yield from _loaded(WAITING, begun["file"])


def a_packed_import() -> Story:
    """The same rows, compressed."""
    content = gzip.compress(FILE, mtime=0)
    asked = {"file_name": "c.csv.gz", "size": len(content), "gzip": True, "as_of": "2026-06-01T00:00:00.000000+00:00"}
    Runs().expect(PACKED, "import", ADMIN, asked)
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=f"imports/uploads/{PACKED}", Body=content)
    begun = run("imports", task="begin", import_id=PACKED)
    assert begun["packed"]
    unpacked = yield Task("import", "unpack", {"import_id": PACKED, "file": begun["file"], "upload": None})
    assert unpacked["done"]
    yield Task("import", "survey", {"import_id": PACKED, "file": unpacked["file"], "found": None})
    yield Task("import", "fail", {"import_id": PACKED, "error": ERROR})


def _loaded(import_id: str, file: Any) -> Story:
    known = {"import_id": import_id, "file": file}
    found = yield Task("import", "survey", {**known, "found": None})
    count = found["partition_count"]
    indexed = []
    for part in found["parts"]:
        told = yield Task("import", "index", {**known, "part": part, "partitions": count})
        indexed.append(told)
    compared = []
    for partition in found["partitions"]:
        event = {"import_id": import_id, "partition": partition, "partitions": count, "parts": found["part_count"]}
        compared.append((yield Task("import", "compare", event)))
    yield Task("import", "begin_load", {"import_id": import_id, "indexed": indexed, "compared": compared})
    turns = []
    for part in found["parts"]:
        turn = yield Task("import", "load", {**known, "turn": {"part": part, "next": None, "counts": {}}})
        turns.append(turn)
    verified = yield Task("import", "verify", {"import_id": import_id, "indexed": indexed, "turns": turns})
    yield from _kept("import", {"run_id": import_id})
    yield Task("import", "finish", {"import_id": import_id, "turns": turns, "verified": verified})


def _kept(machine: str, event: dict[str, Any]) -> Story:
    kept = yield Task(machine, "keep", event, by="history")
    assert kept["done"]
    yield Task(machine, "judge", event, by="history")


def a_failed_import() -> Story:
    yield Task("import", "fail", {"import_id": PARTED, "error": ERROR})


def a_delivery() -> Story:
    """A file of events with one row twice and one that the source has already."""
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=f"deliveries/uploads/{DELIVERY}", Body=SOURCE_FILE)
    set_active_schema(Documents(), streaming_with_sources())
    turn = yield Task("prepare", "read_delivery", {"run_id": DELIVERY})
    yield Task("prepare", "merge_delivery", {"run_id": DELIVERY, "turn": turn})
    yield Task("prepare", "finish_delivery", {"run_id": DELIVERY})


def a_failed_delivery() -> Story:
    yield Task("prepare", "fail", {"run_id": PARTED_DELIVERY, "input": {"work": "delivery"}, "error": ERROR})


def a_preparation() -> Story:
    """Two customers, of whom one was removed. The secret of the marks is read before, and kept."""
    set_active_schema(Documents(), streaming_with_sources())
    given: dict[str, Any] = {"run_id": "preparation-1", "input": {"work": "preparation", "started_by": ADMIN}}
    Removals().begin("C-000099")
    run("prepare", task="forget", **given, turn=None)
    Removals().begin("C-000004")
    yield Task("prepare", "forget", {**given, "turn": None})
    yield Task("prepare", "begin", given)
    built = yield Task("prepare", "build", given)
    turns = []
    for part in built["parts"]:
        turn = yield Task("prepare", "store", {**given, "turn": {"part": part, "next": 0, "counts": {}}})
        turns.append(turn)
    yield Task("prepare", "finish", {**given, "turns": turns})


def an_export() -> Story:
    given = {"started_by": ADMIN, "filters": {"group": "basic"}, "predictions": 7}
    begun = yield Task("export", "begin", {"run_id": "export-2", "input": given})
    written = yield Task("export", "write", {"run_id": "export-2", "progress": begun["progress"]})
    yield Task("export", "finish", {"run_id": "export-2", "progress": written["progress"]})


def a_failed_export() -> Story:
    given = {"started_by": ADMIN, "filters": {}, "predictions": 7}
    run("exports", task="begin", run_id="export-3", input=given)
    yield Task("export", "fail", {"run_id": "export-3", "input": given, "error": ERROR})


def a_scoring_run() -> Story:
    given = {"started_by": ADMIN}
    planned = yield Task("scoring", "plan", {"run_id": "scoring-2", "input": given})
    chosen = {name: planned[name] for name in ("model_version", "chosen_at")}
    parts = []
    for part in planned["segments"]:
        scored = yield Task("scoring", "score", {"run_id": "scoring-2", "part": part, **chosen})
        parts.append(scored)
    verified = yield Task("scoring", "verify", {"run_id": "scoring-2", "parts": parts, "planned": len(parts)})
    yield from _kept("scoring", {"run_id": "scoring-2", "model_version": SECOND})
    yield Task("scoring", "finish", {"run_id": "scoring-2", "model_version": SECOND, "counts": verified["counts"]})


def a_failed_scoring_run() -> Story:
    run("scoring", task="plan", run_id="scoring-3", input={"started_by": ADMIN})
    yield Task("scoring", "fail", {"run_id": "scoring-3", "input": {"started_by": ADMIN}, "error": ERROR})


def a_day_of_the_history() -> Story:
    """Somebody was removed the day before, for which the process has read the secret of the marks, and somebody else since then."""
    Removals().begin("C-000002")
    run("history", task="forget", progress=None)
    Removals().begin("C-000003")
    done = yield Task("history", "forget", {"progress": None})
    assert done["done"]


def a_recount() -> Story:
    """With a repair: the counters were never told of one customer."""
    boto3.client("dynamodb").delete_item(TableName=settings().customers_table, Key={"customer_id": {"S": "C-000005"}})
    plan = yield Task("recount", "open", {"run_id": "recount-2", "input": {"started_by": ADMIN, "repair": True}})
    counted: list[Any] = []
    while plan["next"] != "end":
        for source in plan["sources"]:
            if "ready_at" in source:
                source["ready_at"] = 0
        counted = []
        for part in plan["parts"]:
            counted.append((yield Task("recount", "count", {"run_id": "recount-2", "part": part})))
        plan = yield Task("recount", "look", {"run_id": "recount-2", "plan": plan, "parts": counted})


def a_failed_recount() -> Story:
    given = {"started_by": ADMIN, "repair": False}
    run("recount", task="open", run_id="recount-3", input=given)
    yield Task("recount", "fail", {"run_id": "recount-3", "input": given, "error": ERROR})


def a_training_run() -> Story:
    given = {"run_id": TRAINED, "started_by": ADMIN}
    begun = yield Task("retraining", "begin", {"execution": TRAINED, "input": given})
    yield Task("retraining", "extract", begun, figures=False, by="history")
    for name in ("validate", "train", "evaluate", "gate"):
        yield Task("retraining", name, begun, figures=False)
    registered = yield Task("retraining", "register", begun, figures=False)
    version = {**begun, "version": registered["version"]}
    promoted = yield Task("retraining", "promote", version, figures=False)
    yield Task("retraining", "score", begun, figures=False)
    yield Task("retraining", "check_scoring", begun, figures=False)
    Runs().finish(scoring_run_of(TRAINED), counts={"scored": 7})
    yield Task("retraining", "check_scoring", begun, figures=False)
    yield Task("retraining", "notify", {**version, "promotion": promoted}, figures=False)


def a_failed_training_run() -> Story:
    given = {"run_id": "training-4", "started_by": ADMIN}
    run("retraining", task="begin", execution="training-4", input=given)
    yield Task("retraining", "fail", {"execution": "training-4", "input": given, "error": ERROR})


def a_large_training_run() -> Story:
    begun = run("retraining", task="begin", execution=LARGE, input={"started_by": "schedule"})
    run("history", task="extract", **begun)
    part = {"part": 0, "parts": 1}
    extracted = yield Task("retraining", "extract_part", {"run_id": begun["run_id"], "part": part}, figures=False, by="history")
    yield Task("retraining", "gather", {**begun, "parts": [extracted]}, figures=False)
    run("retraining", task="validate", **begun)
    yield Task("retraining", "shape", begun, figures=False)
    exported = yield Task("retraining", "export_part", {"run_id": begun["run_id"], "part": part}, figures=False)
    job = yield Task("retraining", "prepare_job", begun, figures=False)
    with training_jobs():
        boto3.client("sagemaker").create_training_job(**job, RoleArn="arn:aws:iam::123456789012:role/job")
    yield Task(
        "retraining", "import_model", {**begun, "exported": [exported], "job": {**job, "TrainingJobStatus": "Completed"}}, figures=False
    )


def a_training_run_on_athena() -> Story:
    begun = run("retraining", task="begin", execution="training-on-athena", input={"started_by": "schedule"})
    leave_counts(begun["run_id"])
    yield Task("retraining", "read_answer", {**begun, "answered": "counts", "customers": 300}, figures=False, by="history")


STORIES: dict[Callable[[], Story], str] = {
    an_import: "import: begin survey index compare begin_load load verify keep judge finish",
    a_packed_import: "import: unpack survey fail",
    a_failed_import: "import: fail",
    a_delivery: "prepare: read_delivery merge_delivery finish_delivery",
    a_failed_delivery: "prepare: fail",
    a_preparation: "prepare: forget begin build store finish",
    an_export: "export: begin write finish",
    a_failed_export: "export: fail",
    a_scoring_run: "scoring: plan score verify keep judge finish",
    a_failed_scoring_run: "scoring: fail",
    a_day_of_the_history: "history: forget",
    a_recount: "recount: open count look",
    a_failed_recount: "recount: fail",
    a_training_run: "retraining: begin extract validate train evaluate gate register promote score check_scoring notify",
    a_failed_training_run: "retraining: fail",
    a_training_run_on_athena: "retraining: read_answer",
    a_large_training_run: "retraining: extract_part gather shape export_part prepare_job import_model",
}
"""The tasks that each of them tells."""


def tasks_of(story: Callable[[], Story]) -> set[tuple[str, str]]:
    machine, _, names = STORIES[story].partition(": ")
    return {(machine, name) for name in names.split()}
