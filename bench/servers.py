"""The measured servers, ours and the peers': each is started on its own port, called over HTTP, and stopped."""

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.memory import with_children_bytes
from bench.peers import REQUIREMENTS, ROOT, environment, python_of

_START_SECONDS = 120.0


class NoAnswer(Exception):
    """A server did not start, or answered with an error; the message has the reason."""


@dataclass(frozen=True)
class Server:
    """The start command and the request of a server. `explains`: its answer has contributions."""

    name: str
    command: Sequence[str]
    path: str
    body: Mapping[str, Any]
    explains: bool
    folder: Path = ROOT
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    server: Server
    port: int
    process: "subprocess.Popen[bytes]"

    def memory(self) -> int:
        """Bytes resident, its children's included."""
        return with_children_bytes(self.process.pid)

    def ask(self, clients: int, requests: int) -> "Load":
        """`requests` requests of each of `clients` clients at a time, each on a connection of its own that it keeps.

        Raises:
            NoAnswer: an answer was not a 200.
        """
        body = json.dumps(self.server.body).encode()
        taken: list[list[float]] = [[] for _ in range(clients)]
        failures: list[str] = []
        ready = threading.Barrier(clients + 1)

        def client(mine: list[float]) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.wait()
                for _ in range(requests):
                    started = time.perf_counter()
                    connection.request("POST", self.server.path, body, {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    content = answer.read()
                    mine.append(time.perf_counter() - started)
                    if answer.status != 200:
                        failures.append(f"{self.server.name}: {answer.status} {content[:300]!r}")
                        return
            except (OSError, http.client.HTTPException) as error:
                failures.append(f"{self.server.name}: {error!r}")
                ready.abort()
            finally:
                connection.close()

        threads = [threading.Thread(target=client, args=(mine,)) for mine in taken]
        for thread in threads:
            thread.start()
        with suppress(threading.BrokenBarrierError):
            ready.wait()
        started = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        if failures:
            raise NoAnswer(failures[0])
        calls = sorted(call for mine in taken for call in mine)
        return Load(statistics.median(calls), calls[round(0.95 * (len(calls) - 1))], len(calls) / seconds)


@dataclass(frozen=True)
class Load:
    """Seconds of a request (median and 95th percentile), and requests a second of all clients together."""

    median: float
    p95: float
    rate: float


def median_of(loads: Sequence[Load]) -> Load:
    """The medians of several rounds."""
    return Load(*(statistics.median(getattr(load, part) for load in loads) for part in ("median", "p95", "rate")))


@contextmanager
def running(server: Server, log: Path) -> Iterator[Running]:
    """The server until the end of the block; its output goes to `log`.

    Raises:
        NoAnswer: it ended, or did not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [part.replace("{port}", str(port)) for part in server.command]
    variables = {name: value.replace("{port}", str(port)) for name, value in (server.variables or {}).items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=server.folder, env=environment(**variables), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    answering = Running(server, port, process)
    try:
        _wait(answering, log)
        yield answering
    finally:
        _end(process)


def _wait(started: Running, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            started.ask(1, 1)
        except NoAnswer as error:
            if started.process.poll() is not None or time.monotonic() > until:
                last = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
                raise NoAnswer(f"{started.server.name} did not start: {error}; {last[-400:]}") from error
            time.sleep(0.3)
        else:
            return


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (15, 9):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(10)
            break
        except subprocess.TimeoutExpired:
            continue


def ours(shape: str, row: Mapping[str, Any]) -> Server:
    """The predictions function behind a minimal HTTP door."""
    command = [sys.executable, "-m", "bench.http_door", "{port}", shape]
    return Server(
        "ours",
        command,
        "/api/predictions/generate",
        {"rows": [row]},
        True,
        variables={"PYTHONPATH": f"{ROOT / 'layers/core'}{os.pathsep}{ROOT}"},
    )


def flask_shap(model: Path, encoded: Sequence[float], work: Path) -> Server:
    programs = python_of("flask_shap").parent
    command = [str(programs / "gunicorn"), "--workers", "1", "--threads", "8", "--bind", "127.0.0.1:{port}", "flask_shap_server:app"]
    variables = {"MODEL_FILE": str(model), "OMP_NUM_THREADS": "1", "TMPDIR": str(work)}
    return Server("Flask + pandas + shap", command, "/score", {"rows": [encoded]}, True, REQUIREMENTS, variables)


def bentoml(model: Path, encoded: Sequence[float], work: Path) -> Server:
    programs = python_of("bentoml").parent
    command = [str(programs / "bentoml"), "serve", "bentoml_server:Churn", "--host", "127.0.0.1", "--port", "{port}"]
    variables = {"MODEL_FILE": str(model), "OMP_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(work / "bentoml")}
    return Server("BentoML", command, "/score", {"rows": [encoded]}, True, REQUIREMENTS, {**variables, "PATH": _path(programs)})


def mlflow(model: Path, encoded: Sequence[float], work: Path) -> Server:
    python, saved = python_of("mlflow"), work / "mlflow"
    variables = {"MODEL_FILE": str(model), "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    variables["PATH"] = _path(python.parent)
    if not saved.exists():
        made = subprocess.run(
            [str(python), "mlflow_model.py", str(saved)],
            cwd=REQUIREMENTS,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoAnswer(f"MLflow could not save the model: {made.stderr[-400:]}")
    command = [
        str(python.parent / "mlflow"),
        "models",
        "serve",
        "-m",
        str(saved),
        "--env-manager",
        "local",
        "-h",
        "127.0.0.1",
        "-p",
        "{port}",
    ]
    return Server("MLflow", [*command, "-w", "1"], "/invocations", {"inputs": [encoded]}, True, work, variables)


def mlserver(model: Path, encoded: Sequence[float], work: Path) -> Server:
    return _mlserver("MLServer, probability only", "mlserver_xgboost.XGBoostModel", model, encoded, work / "mlserver")


def mlserver_explaining(model: Path, encoded: Sequence[float], work: Path) -> Server:
    return _mlserver("MLServer, custom runtime", "mlserver_runtime.Explaining", model, encoded, work / "mlserver-explaining")


def _mlserver(name: str, runtime: str, model: Path, encoded: Sequence[float], folder: Path) -> Server:
    programs = python_of("mlserver").parent
    folder.mkdir(exist_ok=True)
    (folder / "model-settings.json").write_text(json.dumps({"name": "churn", "implementation": runtime, "parameters": {"uri": str(model)}}))
    (folder / "settings.json").write_text(json.dumps({"debug": False, "metrics_endpoint": None, "parallel_workers": 0}))
    variables = {"MLSERVER_HTTP_PORT": "{port}", "MLSERVER_GRPC_PORT": "0", "MLSERVER_METRICS_PORT": "0", "MLSERVER_HOST": "127.0.0.1"}
    variables |= {"MODEL_FILE": str(model), "OMP_NUM_THREADS": "1", "PATH": _path(programs), "PYTHONPATH": str(REQUIREMENTS)}
    body = {"inputs": [{"name": "rows", "shape": [1, len(encoded)], "datatype": "FP32", "data": list(encoded)}]}
    explains = runtime.startswith("mlserver_runtime")
    return Server(name, [str(programs / "mlserver"), "start", "."], "/v2/models/churn/infer", body, explains, folder, variables)


def _path(programs: Path) -> str:
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


PEERS: Mapping[str, Callable[[Path, Sequence[float], Path], Server]] = {
    "mlserver": mlserver,
    "mlserver_explaining": mlserver_explaining,
    "bentoml": bentoml,
    "mlflow": mlflow,
    "flask_shap": flask_shap,
}
