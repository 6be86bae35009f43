"""Tasks of functions in processes of their own, which speak to AWS over HTTP and may be killed at any moment.

What they have written stays: tables and bucket are those of the test's process, served by moto. A process is forked from one that has
everything imported, so that a hundred of them cost seconds.
"""

import json
import logging
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from typing import Any, Literal

from moto.server import ThreadedMotoServer

from tests.forked_tasks import work

type Moment = Literal["before-send", "after-call"]

_PATIENCE_SECONDS = 60
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.forked_tasks"])
_ONE_AT_A_TIME = threading.Lock()  # starting a process also asks how others ended, and that is told only once


class Killed(Exception):
    """A process was killed, and nobody tries again."""


class TaskFailed(Exception):
    """A handler raised; `name` is the error's class."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


@dataclass(frozen=True)
class Fate:
    """When a process is killed: at its n-th call of AWS, before that leaves or once it is answered, or after so many seconds. Or never."""

    calls: int | None = None
    moment: Moment = "before-send"
    seconds: float | None = None


@dataclass
class Tasks:
    """Does tasks as Lambda does, one process each. One whose process was killed is done `again`, as the state machines and streams do.

    Each attempt has the next of `fates`; when they are used up, the rest live. `patches` are {"module:NAME": value}, set in the processes.
    `killed` tells which tasks were killed, and how.
    """

    endpoint: str
    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))
    patches: Mapping[str, Any] = field(default_factory=dict)
    again: bool = True
    killed: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def do(self, function: str, event: Mapping[str, Any]) -> Any:
        """The task's answer.

        Raises:
            TaskFailed: its handler raised.
            Killed: its process was killed, and is not to be tried again.
        """
        while True:
            with self._lock:
                fate = next(self.fates, Fate())
            answer = self._attempt(function, event, fate)
            if answer is not None:
                if "error" in answer:
                    raise TaskFailed(*answer["error"])
                return answer["answer"]
            with self._lock:
                self.killed.append((event.get("task", function), "at some time" if fate.calls is None else fate.moment))
            if not self.again:
                raise Killed

    def _attempt(self, function: str, event: Mapping[str, Any], fate: Fate) -> dict[str, Any] | None:
        here, there = _processes.Pipe(duplex=False)
        given = (function, json.dumps(event), self.endpoint, dict(self.patches), fate.calls, fate.moment, there)
        process = _processes.Process(target=work, args=given, daemon=True)
        with _ONE_AT_A_TIME:
            process.start()
        there.close()
        try:
            assert here.poll(_PATIENCE_SECONDS), "a process did not begin"
            here.recv_bytes()
            if not here.poll(_PATIENCE_SECONDS if fate.seconds is None else fate.seconds):
                assert fate.seconds is not None, "a process did not end"
                process.kill()
            answer: dict[str, Any] = json.loads(here.recv_bytes())
        except EOFError:
            assert _end_of(process) == -signal.SIGKILL
            return None
        finally:
            here.close()
        assert _end_of(process) in (0, -signal.SIGKILL)  # killed, perhaps, when it had already answered
        return answer


def _end_of(process: ForkServerProcess) -> int | None:
    with _ONE_AT_A_TIME:
        process.join(_PATIENCE_SECONDS)
        return process.exitcode


def fates(chance: random.Random, *, calls: int, seconds: float) -> Iterator[Fate]:
    """For ever: every other attempt lives; the others end at one of the first `calls` calls, early ones more often, or within `seconds`."""
    while True:
        moment: Moment | None = chance.choice(["before-send", "after-call", None])
        if chance.random() < 0.5:
            yield Fate()
        elif moment is None:
            yield Fate(seconds=chance.uniform(0, seconds))
        else:
            yield Fate(int(calls ** chance.random()), moment)


def first_seed(default: int) -> int:
    """The first seed of a test: the same in every landing run, another one in everybody's own; the variable SEED repeats one."""
    given = os.environ.get("SEED")
    return int(given) if given else default if os.environ.get("CI") else random.SystemRandom().randrange(2**32)


@contextmanager
def served() -> Iterator[str]:
    """AWS in this process, served over HTTP while the context lasts: the address."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
