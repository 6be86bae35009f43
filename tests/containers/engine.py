"""A container engine of the tests' own, with a network of its own: one that is there already is not touched, and nothing is left behind."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

_STARTS_WITHIN_SECONDS = 60
_STOPS_WITHIN_SECONDS = 60
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""In front of a command: it is told to end when the process that started it has ended, however that came."""


class EngineError(Exception):
    """There is no container engine to run the tests with; the message says why."""


@dataclass(frozen=True)
class Engine:
    """A running dockerd: what DOCKER_HOST is, and the address at which its containers find this machine."""

    host: str
    address: str

    def docker(self, *arguments: str, given: IO[bytes] | None = None) -> str:
        """What a docker command prints.

        Raises:
            subprocess.CalledProcessError: it failed; what it says is on the standard error.
        """
        variables = {"PATH": os.environ["PATH"], "DOCKER_HOST": self.host}
        return (
            subprocess.run(["docker", *arguments], env=variables, stdin=given, stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        )

    def end_containers(self) -> None:
        """End all containers at once."""
        if running := self.docker("ps", "--quiet").split():
            self.docker("kill", *running)


@contextmanager
def running_engine(data: Path) -> Iterator[Engine]:
    """A dockerd that keeps its images and containers in the folder `data`, while the context lasts.

    Raises:
        EngineError: it does not start.
    """
    with ExitStack() as stack:
        bridge, address = stack.enter_context(_bridge())
        # Socket paths may be 107 bytes long, and the folder of a checkout may be deep.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True)))
        engine = Engine(f"unix://{folder}/docker.sock", address)
        places = ["--data-root", str(data), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid"), "--host", engine.host]
        network = ["--bridge", bridge, "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
        log = stack.enter_context((data / "dockerd.log").open("wb"))
        process = subprocess.Popen(
            [*DIES_WITH_US, "dockerd", *places, *network, "--shutdown-timeout", "5"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait_for(engine, process, Path(log.name))
            yield engine
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force if it takes too long."""
    process.terminate()
    try:
        process.wait(_STOPS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _bridge() -> Iterator[tuple[str, str]]:
    """A network bridge of our own and its address."""
    taken = subprocess.run(["ip", "-oneline", "address"], capture_output=True, text=True, check=True).stdout
    for number in range(16):
        name, address = f"retain{number}", f"172.30.{number}.1"
        own = f"02:42:ac:1e:{number:02x}:01"  # without one it takes over a container's, another with each that comes or goes
        if (
            f" {address}/" not in taken
            and subprocess.run(["ip", "link", "add", name, "address", own, "type", "bridge"], capture_output=True, check=False).returncode
            == 0
        ):
            break
    else:
        raise EngineError("No network bridge can be made: `ip link add retain0 type bridge` fails.")
    try:
        subprocess.run(["ip", "address", "add", f"{address}/24", "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield name, address
    finally:
        subprocess.run(["ip", "link", "delete", name], check=False)


def _wait_for(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    variables = {"PATH": os.environ["PATH"], "DOCKER_HOST": engine.host}
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while subprocess.run(["docker", "info"], env=variables, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineError(f"dockerd does not start; it says:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)
