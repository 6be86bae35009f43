"""Runs the commands of the documentation, page by page, like a reader: in one folder, against one local stack."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs import make_run
from tests.docs.conftest import COMMANDS
from tests.docs.shell_blocks import MARKS, ROOT, RUN, blocks_of, shell_blocks

TOOLS = ("curl", "jq", "node")
TYPED = ("sh", "js")
STARTED = '[ -f "$RETAINSTREAM_DOCS_STATE/pid" ] || make run'
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Reader:
    """Runs scripts like a reader: in `folder`, which looks like the project, with the command line installed."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def path(self) -> str:
        return self.environment["PATH"]

    def __call__(self, script: str) -> subprocess.CompletedProcess[str]:
        moved = script.replace("localhost:5000", f"localhost:{self.environment['PORT']}")
        return subprocess.run(
            ["bash", "-c", moved],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader. The stack that was started last ends with the test module."""
    folder, state = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("stack")
    for name in ("examples", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "node_modules").mkdir()
    (folder / "node_modules/retainstream-client").symlink_to(ROOT / "client")
    make = state / "bin" / "make"
    make.parent.mkdir()
    make.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{make_run.__file__}" "$@"\n')
    make.chmod(0o755)
    (state / ".curlrc").write_text("fail-with-body\n")  # an error answer fails the page
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RETAINSTREAM_", "AWS_"))}
    tools = [make.parent, Path(sys.executable).parent, kept["PATH"], ROOT / ".venv-node/bin"]
    environment = {
        **kept,
        "PATH": os.pathsep.join(map(str, tools)),
        "RETAINSTREAM_URL": f"http://localhost:{port}",
        "RETAINSTREAM_CONFIG_DIR": str(state / "settings"),
        "RETAINSTREAM_DOCS_STATE": str(state),
        "PORT": str(port),
        "CURL_HOME": str(state),
        "NO_COLOR": "1",
    }
    yield Reader(folder, environment)
    make_run.stop(state)


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_work(page: str, reader: Reader, record_property: Callable[[str, str], None]) -> None:
    blocks = [block for block in blocks_of(page) if block.language in TYPED]
    starts = any(block.text.startswith("make run") for block in blocks)
    script, program = ["set -euo pipefail", "" if starts else STARTED, RUN[page]], []
    for block in blocks:
        why_not = block.not_run_because
        commands = "\n".join(f"    {line}" for line in block.text.splitlines() if line.strip())
        record_property(COMMANDS, f"{block}: {'run' if why_not is None else f'not run: {why_not}'}\n{commands}")
        if why_not is None and block.language == "js":
            program.append(block.text)
        elif why_not is None:
            script += [f"echo '>>> {block}'", block.text]
    if program:  # the blocks of a page are one program
        script += [f"echo '>>> {page}: JavaScript'", "cat > page.mjs <<'JAVASCRIPT'", *program, "JAVASCRIPT", "node page.mjs"]
    missing = [tool for tool in TOOLS if re.search(rf"\b{tool}\b", "\n".join(script)) and shutil.which(tool, path=reader.path) is None]
    if missing:
        pytest.skip(f"{page} is not run: it needs {', '.join(missing)}, which this machine does not have")
    result = reader("\n".join(script))
    sys.stdout.write(result.stdout)  # -rP shows it
    assert result.returncode == 0, result.stdout[-6000:]
    assert ">>>" in result.stdout, f"{page} has no command that is run; say so in CHECKED"


def test_a_block_that_fails_fails_its_page(reader: Reader) -> None:
    assert reader("set -euo pipefail\necho before\nretainstream no-such-command\necho after").returncode != 0


def test_an_error_answer_fails_its_page(reader: Reader) -> None:
    refused = 22  # curl's exit code for an error answer
    assert reader(f"{STARTED}\ncurl -s http://localhost:5000/api/customers/high-risk").returncode == refused


def test_only_make_run_is_replaced(reader: Reader) -> None:
    answer = reader("make clean")
    assert answer.returncode == 2
    assert "only `make run` is run here" in answer.stdout


def test_every_mark_says_why(record_property: Callable[[str, str], None]) -> None:
    for block in shell_blocks():
        assert set(block.words[1:]) <= MARKS.keys(), f"{block}: say sh alone, or one of {', '.join(MARKS)}"
        if block.page not in RUN:
            assert block.not_run_because, f"{block}: name the page in RUN or CHECKED"
            record_property(COMMANDS, f"{block}: only checked, {block.not_run_because}")
