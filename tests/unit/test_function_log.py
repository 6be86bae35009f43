"""A log on a full disk hinders nobody."""

import logging
from pathlib import Path

import pytest

from local.function_log import FunctionLog


def test_a_full_disk_is_reported_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "functions.log").symlink_to("/dev/full")
    reports = list[str]()
    log = FunctionLog(tmp_path / "functions.log", reports.append)
    logger = logging.Logger("function")
    logger.addHandler(logging.StreamHandler(log))
    for _ in range(100):
        logger.warning("x" * 300)
        print("a line of a function", file=log)
    log.flush()
    assert reports == [f"{tmp_path / 'functions.log'} cannot be written (No space left on device). Lines of the functions are lost."]
    assert capfd.readouterr() == ("", "")


def test_lines_are_in_the_file_at_once(tmp_path: Path) -> None:
    path, reports = tmp_path / "functions.log", list[str]()
    path.write_text("before\n")
    log = FunctionLog(path, reports.append)
    print("Grüße \udc80", file=log)
    assert path.read_text() == "before\nGrüße \\udc80\n"
    log.close()
    assert reports == []
