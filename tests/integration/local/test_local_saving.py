"""What cannot be saved holds up nothing else, is reported, and is saved when it can be."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.saving import Saving
from local.stack import LocalStack
from local.state import State
from retainstream.registry.health import checks
from tests.integration.local.limits import largest_file
from tests.stored import stored_items, stored_keys

ROOT = Path(__file__).parents[3]
ECHO_TEMPLATE = Path(__file__).parent / "echo" / "template.yaml"
BUCKET = "retainstream-bucket"
MB = 1024 * 1024


def echo(folder: Path, report: Callable[[str], None] = lambda _: None) -> LocalStack:
    return LocalStack(template=ECHO_TEMPLATE, data=folder, report=report)


def put(name: str) -> None:
    boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": name}})


def things() -> set[str]:
    return {item["id"]["S"] for item in stored_items("retainstream-Things")}


def upload(name: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=name, Body=body)


def download(name: str) -> bytes:
    return boto3.client("s3").get_object(Bucket=BUCKET, Key=name)["Body"].read()


def remove_versions(name: str) -> None:
    listed = boto3.client("s3").list_object_versions(Bucket=BUCKET, Prefix=name)["Versions"]
    versions: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in listed]
    boto3.client("s3").delete_objects(Bucket=BUCKET, Delete={"Objects": versions})


def health() -> list[str]:
    """The problems that GET /api/health reports of this machine."""
    return [problem for check in checks if (problem := check())]


def eventually(condition: Callable[[], object]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    assert condition()


def as_killed(folder: Path, copy: Path) -> Path:
    """The folder as a kill at this moment would leave it."""
    shutil.copytree(folder, copy)
    return copy


def bodies(folder: Path) -> list[Path]:
    return list((folder / "objects").iterdir())


def saved(folder: Path, name: str) -> bool:
    """Whether the file of the state has a thing of this name."""
    with contextlib.closing(sqlite3.connect(folder / "state.sqlite3")) as database:
        query = "SELECT 1 FROM items WHERE name='retainstream-Things' AND item LIKE ?"
        return database.execute(query, (f'%"{name}"%',)).fetchone() is not None


def test_an_object_that_cannot_be_saved_holds_up_nothing_else(tmp_path: Path) -> None:
    folder, reports = tmp_path / "state", list[str]()
    with echo(folder, reports.append):
        put("before")
        upload("kept", b"kept")
        with largest_file(3 * MB):
            upload("large", b"x" * 4 * MB)
            put("after")
            upload("small", b"small")
            eventually(lambda: reports)
            put("later")
            eventually(lambda: saved(folder, "later"))
            killed = as_killed(folder, tmp_path / "killed")
            assert health() == [
                f"1 object cannot be saved ({BUCKET}/large): file too large. "
                "The stack tries again every second. Changes that are not saved are lost when it stops."
            ]
            assert reports == health()
        eventually(lambda: not health())
        assert reports[1:] == ["The state of the local stack is saved again."]
    with echo(killed) as stack:
        assert stack.feeder.wait_until_drained(10)
        assert things() == {"before", "after", "later"}
        assert stored_keys(BUCKET) == ["kept", "small"]
        assert (download("kept"), download("small")) == (b"kept", b"small")
    with echo(folder):
        assert download("large") == b"x" * 4 * MB


def test_a_disk_that_takes_nothing_is_reported_and_all_is_saved_later(tmp_path: Path) -> None:
    folder, reports = tmp_path / "state", list[str]()
    with echo(folder, reports.append):
        with largest_file(0):
            put("meanwhile")
            upload("meanwhile", b"object")
            eventually(reports.__len__)
            assert "cannot be saved" in health()[0]
        eventually(lambda: not health())
        killed = as_killed(folder, tmp_path / "killed")
        assert [report.startswith("The state of the local stack cannot be saved: ") for report in reports] == [True, False]
    with echo(killed):
        assert things() == {"meanwhile"}
        assert download("meanwhile") == b"object"


def test_the_stop_says_what_is_lost(tmp_path: Path) -> None:
    reports = list[str]()
    with largest_file(3 * MB):
        with echo(tmp_path, reports.append) as stack:
            upload("large", b"x" * 4 * MB)
            put("kept")
        assert reports[-1] == f"1 object cannot be saved ({BUCKET}/large): file too large. The changes that are not saved are lost."
        assert stack.problem
        assert health() == []
    with echo(tmp_path) as stack:
        assert things() == {"kept"}
        assert stored_keys(BUCKET) == []
    assert stack.problem is None


def run(name: str) -> None:
    item = {"run_id": {"S": name}, "status": {"S": "SUCCEEDED"}}
    boto3.client("dynamodb").put_item(TableName="retainstream-Runs", Item=item)


def test_a_missing_table_holds_up_nothing_else_and_removes_nothing(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        run("saved")
        stack.flush()
        with stack.feeder.between_batches:
            run("unsaved")
            boto3.client("dynamodb").delete_table(TableName="retainstream-Runs")
        put("meanwhile")
        eventually(health)
        assert health()[0].startswith("Changes of the table retainstream-Runs cannot be saved: it does not exist.")
    with echo(tmp_path):
        assert things() == {"meanwhile"}
        assert [item["run_id"]["S"] for item in stored_items("retainstream-Runs")] == ["saved"]


def test_a_missing_bucket_holds_up_nothing_else_and_removes_nothing(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        upload("saved", b"object")
        stack.flush()
        with stack.feeder.between_batches:
            remove_versions("saved")
            boto3.client("s3").delete_bucket(Bucket=BUCKET)
        put("meanwhile")
        eventually(health)
        assert health()[0].startswith(f"Changes of the bucket {BUCKET} cannot be saved: it does not exist.")
    with echo(tmp_path):
        assert things() == {"meanwhile"}
        assert download("saved") == b"object"


class BrokenOnce:
    """Two batches of the streams between which something unforeseen happens the first time."""

    def __init__(self) -> None:
        self.turns = 0

    def __enter__(self) -> None:
        self.turns += 1
        if self.turns == 1:
            raise KeyError("unforeseen")

    def __exit__(self, *_: object) -> None:
        pass


def test_an_unforeseen_error_is_reported_and_saving_goes_on(tmp_path: Path) -> None:
    reports = list[str]()
    with LocalStack(template=ECHO_TEMPLATE), contextlib.closing(State(tmp_path / "state")) as state:
        saving = Saving(state, BrokenOnce(), reports.append)
        with saving.running([BUCKET]):
            upload("a", b"first")
            eventually(lambda: len(reports) == 2)
            assert len(bodies(tmp_path / "state")) == 1
    assert reports == [
        "The state of the local stack cannot be saved (KeyError: 'unforeseen'). "
        "The stack tries again every second. Changes that are not saved are lost when it stops.",
        "The state of the local stack is saved again.",
    ]


OLD_LAYOUT = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items (name TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;
CREATE TABLE objects (bucket TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (bucket, name));
CREATE TABLE streams (name TEXT PRIMARY KEY, next_sequence TEXT NOT NULL, readers TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (name TEXT NOT NULL, sequence TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (name, sequence)) WITHOUT ROWID;
CREATE TABLE keys (logical_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, pem TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('format', '1');
INSERT INTO items VALUES ('retainstream-Things', '[["S", "old"], null]', '{"id": {"S": "old"}}');
"""


def with_bodies_inside(folder: Path) -> None:
    """A state as the first format stored it."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "state.sqlite3")) as database, database:
        database.executescript(OLD_LAYOUT)
        metadata = json.dumps({"metadata": {"Content-Type": "text/x"}, "last_modified": "2026-11-21T10:00:00"})
        rows = [(BUCKET, "small", metadata, b"small"), (BUCKET, "large", metadata, b"x" * 2 * MB), (BUCKET, "empty", metadata, b"")]
        database.executemany("INSERT INTO objects VALUES (?, ?, ?, ?)", rows)


def test_a_state_with_the_bodies_in_the_database_is_carried_over(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with_bodies_inside(folder)
    for _ in range(2):
        with echo(folder):
            assert things() == {"old"}
            assert [download(name) for name in ("small", "large", "empty")] == [b"small", b"x" * 2 * MB, b""]
            assert boto3.client("s3").head_object(Bucket=BUCKET, Key="small")["ContentType"] == "text/x"
    assert sorted(path.stat().st_size for path in bodies(folder)) == [0, 5, 2 * MB]
    assert (folder / "state.sqlite3").stat().st_size < MB


def test_a_state_that_cannot_be_carried_over_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with_bodies_inside(folder)
    with largest_file(MB), pytest.raises(Exception, match="cannot be carried over to this version: file too large"):
        echo(folder).start()
    with echo(folder):
        assert download("large") == b"x" * 2 * MB
    assert len(bodies(folder)) == 3


def test_a_file_goes_with_the_last_version_that_needs_it(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        for name, body in (("a", b"first"), ("b", b"removed"), ("c", b"erased")):
            upload(name, body)
        stack.flush()
        earlier = boto3.client("s3").head_object(Bucket=BUCKET, Key="a")["VersionId"]
        upload("a", b"second")
        boto3.client("s3").delete_object(Bucket=BUCKET, Key="b")
        remove_versions("c")
        stack.flush()
        assert boto3.client("s3").get_object(Bucket=BUCKET, Key="a", VersionId=earlier)["Body"].read() == b"first"
        assert {path.read_bytes() for path in bodies(tmp_path)} == {b"first", b"second", b"removed"}
        remove_versions("b")
        stack.flush()
        assert {path.read_bytes() for path in bodies(tmp_path)} == {b"first", b"second"}
    (tmp_path / "objects" / "cut.part").write_bytes(b"half")
    (tmp_path / "objects" / "left").write_bytes(b"of an earlier try")
    with echo(tmp_path):
        assert [path.read_bytes() for path in bodies(tmp_path)] == [b"second"]
        assert download("a") == b"second"


def test_an_object_without_its_file_is_reported_and_left_out(tmp_path: Path) -> None:
    with echo(tmp_path):
        upload("a", b"first")
        upload("b", b"second")
    next(path for path in bodies(tmp_path) if path.read_bytes() == b"first").unlink()
    reports = list[str]()
    with echo(tmp_path, reports.append):
        assert stored_keys(BUCKET) == ["b"]
        assert download("b") == b"second"
    assert [report.split(":")[0] for report in reports] == [f"The object {BUCKET}/a is left out"]


def test_loaded_and_saved_objects_take_no_memory(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        tracemalloc.start()
        try:
            for number in range(20):
                upload(str(number), number.to_bytes() * 3 * MB)
            stack.flush()
            assert tracemalloc.get_traced_memory()[0] < 10 * MB
        finally:
            tracemalloc.stop()
    tracemalloc.start()
    try:
        with echo(tmp_path):
            assert tracemalloc.get_traced_memory()[0] < 40 * MB
            assert [download(str(number)) == number.to_bytes() * 3 * MB for number in range(20)] == [True] * 20
    finally:
        tracemalloc.stop()


def test_the_parts_of_an_upload_are_one_object_after_the_restart(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        s3 = boto3.client("s3")
        begun: Any = {"Bucket": BUCKET, "Key": "parts", "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]}
        parts: list[Any] = [
            {"PartNumber": number, "ETag": s3.upload_part(**begun, PartNumber=number, Body=body)["ETag"]}
            for number, body in ((1, b"a" * 5 * MB), (2, b"b"))
        ]
        s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": parts})
        stack.flush()
        tag = s3.head_object(Bucket=BUCKET, Key="parts")["ETag"]
        assert s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": parts})["ETag"] == tag
        assert download("parts") == b"a" * 5 * MB + b"b"
    with echo(tmp_path):
        assert download("parts") == b"a" * 5 * MB + b"b"
        assert boto3.client("s3").head_object(Bucket=BUCKET, Key="parts")["ETag"] == tag


FULL_DISK = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o size=8m none "$1" && shift && exec "$@"',
    "sh",
]


def test_a_full_disk_is_named_and_all_is_saved_once_there_is_room(tmp_path: Path) -> None:
    if subprocess.run([*FULL_DISK, str(tmp_path), "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let a process mount a small disk of its own")
    command = [*FULL_DISK, str(tmp_path), sys.executable, str(Path(__file__).parent / "full_disk.py"), str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout.splitlines() == [
        f"The state of the local stack cannot be saved: the disk of {tmp_path} is full. "
        "The stack tries again every second. Changes that are not saved are lost when it stops.",
        "The state of the local stack is saved again.",
        "True True",
    ]
