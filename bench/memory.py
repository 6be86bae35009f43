"""How much memory a piece of work needs, and which processor it may use."""

import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int | str = "self") -> int:
    """The memory a process holds at this moment."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def with_children_bytes(pid: int) -> int:
    """The memory a process and all it started hold at this moment."""
    total, waiting = 0, [str(pid)]
    while waiting:
        number = waiting.pop()
        try:
            total += resident_bytes(number)
            for task in Path(f"/proc/{number}/task").iterdir():
                waiting += (task / "children").read_text().split()
        except OSError:  # it has just ended
            continue
    return total


@dataclass
class Peak:
    """The most memory held while it was watched, beside what was held before."""

    before: int
    highest: int = field(default=0)

    @property
    def added(self) -> int:
        return max(0, self.highest - self.before)


@contextmanager
def watched_memory(every_seconds: float = 0.01) -> Iterator[Peak]:
    """Watches this process's memory while the block runs. Not for a block that is timed."""
    peak = Peak(resident_bytes())
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(every_seconds):
            peak.highest = max(peak.highest, resident_bytes())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
        peak.highest = max(peak.highest, resident_bytes())


def most_allocated(work: Callable[[], object]) -> int:
    """The most bytes that Python and numpy held for a piece of work, its result included, above what was held before. It slows it down."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@contextmanager
def one_core() -> Iterator[int]:
    """Keeps the calling thread, and the threads it starts, on one of the processors it may use: the last."""
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed)
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)
