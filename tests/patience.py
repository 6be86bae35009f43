"""Waits of tests, each with an end. A wait whose end does not come fails its test and says what it was for."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 120
"""How long a process of this machine may take for one thing, which may be a training on a busy machine."""
_PAUSE_SECONDS = 0.05


def wait_for(condition: Callable[[], object], what: str, process: subprocess.Popen[Any] | None = None) -> None:
    """Look again and again until the condition is true. `process` must not end before.

    Raises:
        AssertionError: it has not become true, or the process has ended.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert process is None or process.poll() is None, f"the process ended before {what}"
        assert time.monotonic() < deadline, f"{what}: not within {SECONDS} seconds"
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def killed_late(process: subprocess.Popen[Any], seconds: float = SECONDS) -> Iterator[None]:
    """Kill the process if the context lasts longer than so many seconds: whoever reads its output then comes to the output's end."""
    late = threading.Timer(seconds, process.kill)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


@contextmanager
def killed_after(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kill the process when the context ends, however it ends."""
    try:
        yield
    finally:
        process.kill()
        process.wait(SECONDS)
