"""`sam local` as people call it, on what `make build` has written."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from local.isolation import REGION
from tests.containers.engine import DIES_WITH_US, Engine, stop
from tools.as_lambda import ROOT

TEMPLATE = ROOT / "build/x86_64/template.yaml"
_SAM = ROOT / ".venv-sam/bin/sam"
_STARTS_WITHIN_SECONDS = 120


class InvocationError(Exception):
    """`sam local` gave no answer; the message is what it printed."""


@dataclass(frozen=True)
class Sam:
    """The SAM CLI with an engine, and an environment for every function: variables by logical id. `folder` is for its own files."""

    engine: Engine
    folder: Path
    functions: Mapping[str, Mapping[str, str]]
    template: Path = TEMPLATE

    def __post_init__(self) -> None:
        (self.folder / "environment.json").write_text(json.dumps(self.functions))

    def invoke(self, function: str, event: Path | str) -> Any:
        """The answer of `sam local invoke` with an event of a file, or with the text of one.

        Raises:
            InvocationError: there is no answer.
        """
        source = str(event) if isinstance(event, Path) else "-"
        command = self._command("invoke", function, "--event", source)
        given = event if isinstance(event, str) else None
        with TemporaryDirectory(dir=self.folder) as own:  # of the same one sam makes a lock, and waits for others' images
            variables = self._variables() | {"TMPDIR": own}
            done = subprocess.run(command, env=variables, input=given, capture_output=True, text=True, check=False)
        with (self.folder / "invoke.log").open("a") as log:
            log.write(f"{function} {source}\n{done.stderr}\n")
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise InvocationError(f"{function} {source} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-4000:]}")
        return json.loads(lines[-1])

    @contextmanager
    def served(self, what: Literal["start-api", "start-lambda"]) -> Iterator[str]:
        """The HTTP API, or the functions by Lambda's own interface, while the context lasts: its address."""
        port = _free_port()
        with (self.folder / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(
                [*DIES_WITH_US, *self._command(what, "--host", "127.0.0.1", "--port", str(port), "--warm-containers", "LAZY")],
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                _wait_for(port, process, Path(log.name))
                yield f"http://127.0.0.1:{port}"
            finally:
                stop(process)

    def _command(self, *command: str) -> list[str]:
        chosen = ["--parameter-overrides", "Architecture=x86_64", "--env-vars", str(self.folder / "environment.json")]
        return [str(_SAM), "local", *command, "--template", str(self.template), "--skip-pull-image", *chosen]

    def _variables(self) -> dict[str, str]:
        """Nothing of AWS: with made-up keys the CLI asks AWS who they are, again and again."""
        home = str(self.folder)
        ours = {"HOME": home, "TMPDIR": home, "DOCKER_HOST": self.engine.host, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}
        return {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **ours}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise InvocationError(f"sam local does not start:\n{log.read_text()[-4000:]}") from None
            time.sleep(0.1)
        else:
            return
