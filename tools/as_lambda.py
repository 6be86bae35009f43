"""Python with the packages of a built function in Lambda: its own folder, its layers, those of the runtime, and no others."""

import compileall
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = ROOT / "build/runtime"
_BROUGHT_BY_RUNTIME = (
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "python-dateutil",
    "six",
    "urllib3",
    "snapshot-restore-py",
    "awslambdaric",
    "simplejson",
)


def search_path(built: Path, function: str, runtime: Path = RUNTIME) -> list[Path]:
    """Where a function of that logical id looks for modules, of a folder that `sam build` wrote, in Lambda's order."""
    from samtranslator.yaml_helper import yaml_parse

    resources: dict[str, Any] = yaml_parse((built / "template.yaml").read_text())["Resources"]
    properties = resources[function]["Properties"]
    layers = [built / resources[layer["Ref"]]["Properties"]["ContentUri"] / "python" for layer in properties["Layers"]]
    return [built / properties["CodeUri"], *layers, runtime]


def runtime_packages(folder: Path = RUNTIME) -> Path:
    """A folder with the AWS SDK as Lambda's runtime has it, compiled, copied from this environment once per version."""
    versions = json.dumps({name: importlib.metadata.version(name) for name in _BROUGHT_BY_RUNTIME})
    stamp = folder / "versions.json"
    if stamp.exists() and stamp.read_text() == versions:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for name in _BROUGHT_BY_RUNTIME:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if file.suffix != ".pyc" and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                source = Path(str(distribution.locate_file(file))).resolve()
                target.symlink_to(source) if "data" in file.parts else shutil.copyfile(source, target)
    compileall.compile_dir(folder, quiet=1)
    stamp.write_text(versions)
    return folder


def command(path: Sequence[Path], code: str, *options: str) -> list[str]:
    """A command that runs `code` with only `path` and the standard library to import from; `options` go to the interpreter."""
    start = f"import sys; sys.path[:0] = {[str(folder) for folder in path]!r}; "
    return [sys.executable, "-I", "-S", "-B", *options, "-c", start + code]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a function: its variables and nothing of ours but what finds programs."""
    return {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": "built", **variables}


def run(path: Sequence[Path], code: str, variables: Mapping[str, str], standard_input: str = "", *, core: int | None = None) -> str:
    """The standard output of `code`, with `standard_input`; on the processor core `core`, if set.

    Raises:
        RuntimeError: it ends with an error, which the message holds.
    """
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    done = subprocess.run(
        [*pinned, *command(path, code)], input=standard_input, env=environment(variables), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


@contextmanager
def emulated(path: Sequence[Path], variables: Mapping[str, str], emulator: Path, *, core: int) -> Iterator[str]:
    """A function behind AWS's runtime interface emulator and runtime client, while the context lasts: the address that takes events. The
    function's process is started by the first of them."""
    port, runtime_port = _free_port(), _free_port()
    client = command(path, "sys.argv = ['', 'app.handler']; from awslambdaric.__main__ import main; main(sys.argv)")
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{runtime_port}"]
    start = ["taskset", "--cpu-list", str(core), str(emulator), "--log-level", "error", *addresses, *client]
    running = subprocess.Popen(
        start, env=environment(variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("the emulator did not start")
