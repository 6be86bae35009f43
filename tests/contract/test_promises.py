"""Every test that docs/security.md names for a promise is run by `.ci/run`, whole: none is left to the long runs of the night."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.contract.test_docs import rows

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"`(tests/[^`]+)`")
PROOFS = sorted({path for cells in rows("docs/security.md", "promise", "done in", "shown by") for path in _CODE.findall(cells[2])})


@cache
def pytest_commands() -> list[str]:
    """The pytest commands of the make targets that `.ci/run` names, as make prints them."""
    targets = [name for names in re.findall(r"\bmake ([a-z0-9 -]+)", (ROOT / ".ci/run").read_text()) for name in names.split()]
    dry = subprocess.run(["make", "--dry-run", "--always-make", *targets], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in dry.stdout.splitlines() if "-m pytest" in line]


def is_run(path: str) -> bool:
    """Whether one of the commands collects this file: it names the file or a folder above it, or leaves the folders to pyproject.toml."""
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    for command in pytest_commands():
        named = re.findall(r"(?<= )tests/[\w/.]+", command) or folders
        if any(path == place or path.startswith(f"{place}/") for place in named):
            return True
    return False


def users_of(path: str) -> list[str]:
    """The test files, and the conftests of folders of tests, that import this module."""
    module = path.removesuffix(".py").replace("/", ".")
    uses = re.compile(rf"^(?:from|import) {re.escape(module)}\b", re.MULTILINE)
    return [
        str(user.relative_to(ROOT))
        for user in (ROOT / "tests").glob("*/**/*.py")
        if user.name.startswith(("test_", "conftest")) and uses.search(user.read_text())
    ]


def is_long(path: str) -> bool:
    return "mark.long" in (ROOT / path).read_text()


@pytest.mark.parametrize("path", PROOFS)
def test_the_test_of_a_promise_is_run_before_a_change_lands(path: str) -> None:
    name = Path(path).name
    tests = [path] if name.startswith("test_") else users_of(path)
    assert tests, f"{path} is used by no test"
    for test in tests:
        assert is_run(test), f"{test} is run by no command of .ci/run"
        assert not is_long(test), f"{test} guards a promise and has tests that .ci/run leaves out"


def test_only_long_tests_are_left_out() -> None:
    chosen = {
        choice for command in pytest_commands() for choice in re.findall(r" -m \"([^\"]+)\"| (-k|--ignore\S*|--deselect\S*) ", command)
    }
    assert chosen <= {("not long", "")}


def test_a_file_that_no_command_collects_is_noticed() -> None:
    assert not is_run("tests/elsewhere/test_nothing.py")
    assert not is_run("bench/test_nothing.py")
