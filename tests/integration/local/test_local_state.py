"""What was there is there again, however the process ended."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.dynamodb.models import dynamodb_backends

from local.stack import LocalStack
from local.state import State
from local.state_file import StateError
from retainstream.storage.documents import Documents
from retainstream.storage.uploads import Uploads
from tests.patience import killed_after, killed_late
from tests.stored import stored_items, stored_keys

ROOT = Path(__file__).parents[3]
ECHO_TEMPLATE = Path(__file__).parent / "echo" / "template.yaml"


def things() -> list[str]:
    return [item["id"]["S"] for item in stored_items("retainstream-Things")]


def stored_secret() -> str:
    return boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SEALING_SECRET_ARN"])["SecretString"]


def counted() -> int:
    item = boto3.client("dynamodb").get_item(TableName="retainstream-Counts", Key={"name": {"S": "things"}}).get("Item", {})
    return int(item.get("things", {"N": "0"})["N"])


def echo(folder: Path) -> LocalStack:
    return LocalStack(template=ECHO_TEMPLATE, data=folder)


def rows_saved(folder: Path) -> int:
    """The highest number of a row in the last finished save of another process."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'state.sqlite3'}?mode=ro", uri=True)) as database:
        (highest,) = database.execute("SELECT max(item ->> '$.id.S') FROM items WHERE name='retainstream-Things'").fetchone()
        return int(highest or 0)


def written_and_saved_before_the_kill(folder: Path, first: int, seconds: float) -> int:
    """Let a process write for some seconds, kill it once a save holds what it had written then, and return the number of those rows."""
    command = [sys.executable, str(Path(__file__).parent / "writing.py"), str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        with killed_after(process), killed_late(process):
            began: float | None = None
            written: int | None = None
            for line in process.stdout:
                moment, number = line.split()
                began = began or float(moment)
                if written is None and float(moment) - began > seconds:
                    written = int(number)
                if written is not None and rows_saved(folder) >= written:
                    return written
                assert float(moment) - began < 60, f"no save holds the rows that were written {60 - seconds:.0f} s ago"
    raise AssertionError("the process ended by itself")


def test_a_kill_loses_the_last_moments_only_and_the_counters_agree(tmp_path: Path) -> None:
    first = 0
    for seconds in (0.2, 1.4, 2.8):
        certain = written_and_saved_before_the_kill(tmp_path, first, seconds)
        with echo(tmp_path) as stack:
            assert stack.feeder.wait_until_drained(20)
            kept = sorted(things())
            assert counted() == len(kept)
            expected = {f"{number:06d}" for number in range(certain) if number % 40 != 39}
            assert not expected - set(kept)
            assert not {name for name in kept if int(name) < certain and int(name) % 40 == 39}
            objects = stored_keys("retainstream-bucket")
            assert not {f"written/{number:06d}" for number in range(39, min(certain, 39_999), 40)} - set(objects)
            first = max((int(name) for name in kept), default=0) // 40 * 40  # the block that was cut is written again


def test_a_stop_loses_nothing(tmp_path: Path) -> None:
    with echo(tmp_path):
        dynamodb, s3, kms = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("kms")
        for number in range(30):
            dynamodb.put_item(TableName="retainstream-Things", Item={"id": {"S": str(number)}})
        dynamodb.delete_item(TableName="retainstream-Things", Key={"id": {"S": "7"}})
        s3.put_object(Bucket="retainstream-bucket", Key="a/b ü", Body=b"\x00old")
        s3.put_object(Bucket="retainstream-bucket", Key="a/b ü", Body=b"\x00new", ContentType="text/x", Metadata={"who": "me"})
        s3.put_object(Bucket="retainstream-bucket", Key="gone", Body=b"x")
        s3.delete_object(Bucket="retainstream-bucket", Key="gone")
        written = s3.head_object(Bucket="retainstream-bucket", Key="a/b ü")
        key_id = os.environ["SIGNING_KEY_ID"]
        signature = kms.sign(KeyId=key_id, Message=b"hello", MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
        secret = stored_secret()
        assert len(secret) == 40
    with echo(tmp_path) as stack:
        assert stack.loaded >= 29
        assert stack.feeder.wait_until_drained(10)
        dynamodb, s3, kms = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("kms")
        assert sorted(things()) == sorted(str(number) for number in range(30) if number != 7)
        assert counted() == 29
        found = s3.get_object(Bucket="retainstream-bucket", Key="a/b ü")
        assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"\x00new", "text/x", {"who": "me"})
        assert found["ETag"] == written["ETag"]
        assert found["LastModified"] == written["LastModified"]
        assert stored_keys("retainstream-bucket") == ["a/b ü"]
        assert stored_secret() == secret
        assert os.environ["SIGNING_KEY_ID"] == key_id
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signature, b"hello", ec.ECDSA(hashes.SHA256()))
    for path in tmp_path.glob("state.*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_records_not_yet_worked_on_are_worked_on_after_the_restart(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        stack.feeder.stop()
        boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": "late"}})
        stack.flush()
        before = counted()
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in ("state.sqlite3", "state.sqlite3-wal"):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    assert before == 0
    with echo(copy) as stack:
        assert stack.feeder.wait_until_drained(10)
        assert (things(), counted()) == (["late"], 1)


def test_sequence_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    numbers = []
    for name in ("one", "two"):
        with echo(tmp_path) as stack:
            boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": name}})
            assert stack.feeder.wait_until_drained(10)
            table = dynamodb_backends["123456789012"]["us-east-1"].tables["retainstream-Things"]
            assert table.stream_shard is not None
            numbers.append((table.latest_stream_label, table.stream_shard.starting_sequence_number))
    assert numbers[0][0] == numbers[1][0]
    assert numbers[1][1] == numbers[0][1] + 1


def test_a_run_that_was_going_on_has_failed_after_the_restart(tmp_path: Path) -> None:
    def run(run_id: str, status: str) -> dict[str, Any]:
        steps = {"L": [{"M": {"name": {"S": "train"}, "status": {"S": status}, "started_at": {"S": "2026-01-01T00:00:00+00:00"}}}]}
        return {"run_id": {"S": run_id}, "status": {"S": status}, "steps": steps, "kind": {"S": "training"}}

    with echo(tmp_path):
        for run_id, status in (("a", "RUNNING"), ("b", "SUCCEEDED")):
            boto3.client("dynamodb").put_item(TableName="retainstream-Runs", Item=run(run_id, status))
    with echo(tmp_path):
        items = stored_items("retainstream-Runs")
        found = {item["run_id"]["S"]: item for item in items}
        assert found["a"]["status"] == {"S": "FAILED"}
        assert "restart" in found["a"]["reason"]["S"]
        assert found["a"]["steps"]["L"][0]["M"]["status"] == {"S": "FAILED"}
        assert found["b"]["status"] == {"S": "SUCCEEDED"}


def test_what_is_past_its_time_to_live_is_gone_after_the_restart(tmp_path: Path) -> None:
    with echo(tmp_path):
        for run_id, expires in (("old", time.time() - 60), ("new", time.time() + 600)):
            item = {"run_id": {"S": run_id}, "expires_at": {"N": str(int(expires))}}
            boto3.client("dynamodb").put_item(TableName="retainstream-Runs", Item=item)
    with echo(tmp_path):
        assert [item["run_id"]["S"] for item in stored_items("retainstream-Runs")] == ["new"]


def test_reset_forgets_everything(tmp_path: Path) -> None:
    with echo(tmp_path):
        boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": "1"}})
    with LocalStack(template=ECHO_TEMPLATE, data=tmp_path, reset=True) as stack:
        assert stack.loaded == 0
        assert things() == []


def test_a_browsers_upload_by_signed_link_is_kept(tmp_path: Path) -> None:
    with echo(tmp_path) as stack:
        link = Uploads().link("up", 8, seconds=60)
        preflight = {"Origin": "http://web.example", "Access-Control-Request-Method": "PUT"}
        assert httpx.options(link, headers=preflight).status_code == 200
        assert httpx.put(link, content=b"uploaded", headers={"Content-Type": "text/csv"}).status_code == 200
        before = Documents().download_link("up", file_name="up.csv", seconds=60)
        assert boto3.client("s3").get_object(Bucket="retainstream-bucket", Key="up")["Body"].read() == b"uploaded"
    with LocalStack(template=ECHO_TEMPLATE, data=tmp_path, port=urlsplit(stack.url).port or 0):
        answer = httpx.get(Documents().download_link("up", file_name="up.csv", seconds=60))
        assert (answer.content, answer.headers["content-type"]) == (b"uploaded", "text/csv")
        assert httpx.get(before).status_code == 403, "a link ends with the stack that signed it"


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\x00" * 5000])
def test_a_state_that_is_no_state_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.sqlite3").write_bytes(content)
    with pytest.raises(StateError, match="Start again with RESET=1") as caught:
        State(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "state.sqlite3").read_bytes() == content


def test_a_state_of_another_version_is_told(tmp_path: Path) -> None:
    State(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "state.sqlite3")) as database, database:
        database.execute("UPDATE meta SET value='0' WHERE name='format'")
    with pytest.raises(StateError, match="another version"):
        State(tmp_path)
    State(tmp_path, reset=True).close()


def test_a_database_of_somebody_else_is_told(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "state.sqlite3")) as database, database:
        database.execute("CREATE TABLE other (x)")
    with pytest.raises(StateError, match="another version"):
        State(tmp_path)


def test_items_that_do_not_fit_the_template_are_told(tmp_path: Path) -> None:
    with echo(tmp_path):
        boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": "1"}})
    with contextlib.closing(sqlite3.connect(tmp_path / "state.sqlite3")) as database, database:
        database.execute("UPDATE items SET name='retainstream-Nowhere'")
    with pytest.raises(StateError, match="does not fit"):
        echo(tmp_path).start()


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    state = State(tmp_path)
    with pytest.raises(StateError, match="in use"):
        State(tmp_path)
    state.close()
    State(tmp_path).close()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be used"):
        State(tmp_path / "file")
