"""`make run` for the documentation's commands: starts the stack in the background, in place of a running one, and returns when it is ready.

    python make_run.py run RESET=1 SCHEMA=schema.yaml DATA=customers.csv

RETAINSTREAM_DOCS_STATE is the folder for its data, log and process id; PORT is its port. Without DATA and
CUSTOMERS it generates few customers, of one moment. Trainings are short.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FEW = "400"
LONGEST_SECONDS = 240
TRAINING_SECONDS = 2


def stop(state: Path) -> None:
    """Ends the stack that was started last, if it is running."""
    pid = state / "pid"
    if not pid.exists():
        return
    try:
        os.kill(int(pid.read_text()), signal.SIGTERM)
        for _ in range(200):
            os.kill(int(pid.read_text()), 0)
            time.sleep(0.05)
        os.kill(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass
    pid.unlink()


def run(state: Path, variables: dict[str, str]) -> int:
    """Starts the stack with the variables of the make command. Returns the exit code."""
    stop(state)
    resolved = {name: str(Path(value).resolve()) if name in ("SCHEMA", "DATA") else value for name, value in variables.items()}
    environment = {"CUSTOMERS": FEW, "MONTHS": "0", **os.environ, **resolved, "PYTHONPATH": f"{ROOT / 'layers/core'}{os.pathsep}{ROOT}"}
    with (state / "log").open("w") as log:
        command = [sys.executable, "-m", "local", "--data-dir", str(state / "data"), "--parameter", f"TrainingSeconds={TRAINING_SECONDS}"]
        stack = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (state / "pid").write_text(str(stack.pid))
    for _ in range(LONGEST_SECONDS * 5):
        output = (state / "log").read_text()
        if "Ready after" in output:
            sys.stdout.write(output)
            return 0
        if stack.poll() is not None:
            break
        time.sleep(0.2)
    sys.stdout.write((state / "log").read_text())
    return stack.poll() or 1


def main(arguments: list[str]) -> int:
    targets = [argument for argument in arguments if "=" not in argument]
    if targets != ["run"]:
        sys.stderr.write(f"only `make run` is run here, not `make {' '.join(targets)}`: mark the block\n")
        return 2
    state = Path(os.environ["RETAINSTREAM_DOCS_STATE"])
    return run(state, dict(argument.split("=", 1) for argument in arguments if "=" in argument))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
