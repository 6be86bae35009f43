"""Runs the commands that the documentation shows, page by page, as a reader would: in one folder, against one local stack."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs import make_run
from tests.docs.conftest import COMMANDS
from tests.docs.shell_blocks import MARKS, ROOT, RUN, blocks_of, shell_blocks

TOOLS = ("curl", "jq")
LONGEST_SECONDS = 300
JAVASCRIPT = "docs/front-end.md"

type Reader = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Runs a script where a reader would be: in a folder that looks like the project, with the command line set up."""
    folder, state = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("stack")
    for name in ("examples", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    make = state / "bin" / "make"
    make.parent.mkdir()
    make.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{make_run.__file__}" "$@"\n')
    make.chmod(0o755)
    (state / ".curlrc").write_text("fail-with-body\n")  # an answer that is an error fails the page
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RETAINSTREAM_", "AWS_"))}
    environment = {
        **kept,
        "PATH": os.pathsep.join([str(make.parent), str(Path(sys.executable).parent), kept["PATH"]]),
        "RETAINSTREAM_URL": f"http://localhost:{port}",
        "RETAINSTREAM_CONFIG_DIR": str(state / "settings"),
        "RETAINSTREAM_DOCS_STATE": str(state),
        "PORT": str(port),
        "CURL_HOME": str(state),
        "NO_COLOR": "1",
    }

    def read(script: str) -> subprocess.CompletedProcess[str]:
        moved = script.replace("localhost:5000", f"localhost:{port}")
        return subprocess.run(
            ["bash", "-c", moved], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=LONGEST_SECONDS,
        )  # fmt: skip

    yield read
    make_run.stop(state)


def test_what_a_page_tells_to_write_in_javascript_works(reader: Reader, record_property: Callable[[str, str], None]) -> None:
    node = shutil.which("node") or shutil.which(ROOT / ".venv-node/bin/node")
    if node is None:
        pytest.skip(f"{JAVASCRIPT} is not run: this machine has no Node, and make run has not installed one")
    blocks = [block for block in blocks_of(JAVASCRIPT) if block.language == "js"]
    assert blocks
    for block in blocks:
        told = "\n".join(f"    {line}" for line in block.text.splitlines() if line.strip())
        record_property(COMMANDS, f"{block}: run by Node\n{told}")
    program = "\n".join(block.text for block in blocks)
    done = reader(
        f"set -e\nmkdir -p node_modules\nln -sfn '{ROOT / 'client'}' node_modules/retainstream-client\nmake run\n"
        f"cat > page.mjs <<'JAVASCRIPT'\n{program}\nJAVASCRIPT\n'{node}' page.mjs"
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "watch_time_hours" in done.stdout, "the refusal names the field at fault"


@pytest.mark.parametrize("page", RUN)
def test_what_a_page_tells_to_type_works(page: str, reader: Reader, record_property: Callable[[str, str], None]) -> None:
    blocks = [block for block in shell_blocks() if block.page == page]
    typed = "\n".join(block.text for block in blocks)
    missing = [tool for tool in TOOLS if re.search(rf"\b{tool}\b", typed) and shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{page} is not run: it needs {', '.join(missing)}, which this machine does not have")
    script = ["set -euo pipefail", RUN[page]]
    for block in blocks:
        if block.not_run_because is None:
            script += [f"echo '>>> {block}'", block.text]
        told = "\n".join(f"    {line}" for line in block.text.splitlines() if line.strip())
        record_property(COMMANDS, f"{block}: {'run' if block.not_run_because is None else 'not run: ' + block.not_run_because}\n{told}")
    done = reader("\n".join(script))
    assert done.returncode == 0, done.stdout[-6000:]
    assert ">>>" in done.stdout, f"{page} has no command that is run; say so in CHECKED"


def test_a_block_that_fails_fails_its_page(reader: Reader) -> None:
    assert reader("set -euo pipefail\necho before\nretainstream no-such-command\necho after").returncode != 0


def test_an_answer_that_is_an_error_fails_its_page(reader: Reader) -> None:
    assert reader("make run\ncurl -s http://localhost:5000/api/customers/high-risk").returncode != 0


def test_only_make_run_is_stood_in_for(reader: Reader) -> None:
    answer = reader("make clean")
    assert answer.returncode == 2
    assert "only `make run` is tried" in answer.stdout


def test_every_mark_says_why(record_property: Callable[[str, str], None]) -> None:
    for block in shell_blocks():
        assert set(block.words[1:]) <= MARKS.keys(), f"{block}: say sh alone, or one of {', '.join(MARKS)}"
        if block.page not in RUN:
            assert block.not_run_because, f"{block}: name the page in RUN or CHECKED"
            record_property(COMMANDS, f"{block}: looked at only, {block.not_run_because}")
