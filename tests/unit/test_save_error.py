"""A full disk has one name, whoever notices it."""

import sqlite3
from pathlib import Path

import pytest

from local.save_error import reason


def test_the_system_says_that_a_disk_is_full(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    assert reason(caught.value, tmp_path) == f"the disk of {tmp_path} is full"


def test_sqlite_says_that_a_disk_is_full(tmp_path: Path) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA max_page_count=2")
    database.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as caught:
        database.execute("INSERT INTO t VALUES (zeroblob(1000000))")
    assert reason(caught.value, tmp_path) == f"the disk of {tmp_path} is full"


def test_other_reasons_are_named_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "none").read_bytes()
    with pytest.raises(sqlite3.Error) as wrong:
        sqlite3.connect(":memory:").execute("SELECT x FROM nowhere")
    assert reason(missing.value, tmp_path) == "no such file or directory"
    assert reason(wrong.value, tmp_path) == "no such table: nowhere"
    assert reason(KeyError("a"), tmp_path) == "KeyError: 'a'"
