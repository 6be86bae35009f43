"""An emulator of AWS that these tests start, and the commands of a person who deploys to it."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local.isolation import REGION
from tests.deploy.emulated import DIFFERENCES

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build/x86_64/template.yaml"
OUTPUT = ROOT / "build/deploy"
_PYTHON = ROOT / ".venv-deploy/bin/python"
_STARTS_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class Account:
    """The emulator as an account of AWS. `folder` has all that is written on the way; `log` is what the emulator printed."""

    endpoint: str
    folder: Path
    log: Path

    def client(self, service: str) -> Any:
        """A client of AWS's service."""
        session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    def run(self, *command: str | Path, seconds: float, variables: Mapping[str, str] | None = None) -> str:
        """What the command printed. It ends within so many seconds, with exit code 0.

        Raises:
            AssertionError: it did not; the message has all that it printed.
        """
        environment = {
            **_bare(self.folder),
            "AWS_ENDPOINT_URL": self.endpoint,
            "SAM_CLI_TELEMETRY": "0",
            "RETAINSTREAM_CONFIG_DIR": str(self.folder / "config"),
            **(variables or {}),
        }
        words = [str(word) for word in command]
        try:
            ended = subprocess.run(
                words,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{' '.join(words)} has not ended after {seconds:.0f} s: {late.stdout!r} {late.stderr!r}") from late
        printed = f"{ended.stdout[-3000:]}\n{ended.stderr[-6000:]}"
        assert ended.returncode == 0, f"{' '.join(words)} ended with {ended.returncode}:\n{printed}"
        return ended.stdout

    def errors(self) -> list[str]:
        """The lines of the emulator's log that report an error."""
        return [line for line in self.log.read_text().splitlines() if re.search(r" (ERROR|CRITICAL) ", line)]


def _bare(folder: Path) -> dict[str, str]:
    """An environment with nothing of the tests' own. The emulator hands its environment on to the functions."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if any("deploy/test_whole_path" in report.nodeid for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])):
        terminalreporter.section("what the emulator got otherwise than AWS")
        for part, reason in DIFFERENCES.items():
            terminalreporter.write_line(f"{part}: {reason}")
        terminalreporter.section("steps")
        terminalreporter.write_line((OUTPUT / "steps.txt").read_text())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any("deploy" in item.path.parts for item in items) and not (BUILT.exists() and _PYTHON.exists()):
        pytest.exit("nothing is built: run `make test-deploy`", returncode=1)


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """An empty account. The emulator ends with the tests, and when their process ends in any way."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    for name in ("config", "temporary"):
        (OUTPUT / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = OUTPUT / "emulator.log"
    account = Account(f"http://127.0.0.1:{port}", OUTPUT, log)
    with log.open("w") as printed:
        script = Path(__file__).with_name("emulator.py")
        process = subprocess.Popen(
            [_PYTHON, script, str(port)], env=_bare(OUTPUT), stdin=subprocess.PIPE, stdout=printed, stderr=printed, cwd=OUTPUT
        )
    try:
        _wait_for(account, process)
        yield account
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(OUTPUT / "temporary", ignore_errors=True)


def _wait_for(account: Account, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            httpx.get(f"{account.endpoint}/_ministack/health", timeout=5)
        except httpx.HTTPError:
            assert process.poll() is None, f"the emulator has ended:\n{account.log.read_text()[-4000:]}"
            assert time.monotonic() < deadline, f"the emulator does not answer:\n{account.log.read_text()[-4000:]}"
            time.sleep(0.5)
        else:
            return
