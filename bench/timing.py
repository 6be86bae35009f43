"""Timing on a busy machine: compared subjects are measured in turn, round by round."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """Seconds of each call, by round."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def median(self) -> float:
        """The median of the rounds' medians, in seconds."""
        return statistics.median(statistics.median(calls) for calls in self.rounds)

    @property
    def p95(self) -> float:
        """The 95th percentile of all calls, in seconds."""
        calls = sorted(call for calls in self.rounds for call in calls)
        return calls[min(len(calls) - 1, round(0.95 * len(calls)))]

    def ratio_to(self, other: "Timings") -> float:
        """This over the other: the median over the rounds of the ratio of their medians, so that a slow minute weighs on both."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(statistics.median(mine) / statistics.median(theirs) for mine, theirs in pairs)


def interleaved[Name: str](
    subjects: Mapping[Name, Callable[[], object]], *, rounds: int, calls: int, warm: int = 1, turning: bool = True
) -> dict[Name, Timings]:
    """Calls every subject `calls` times in each of `rounds` rounds, after `warm` calls each.

    `turning` reverses the order from round to round; without it, the order is always the same.
    """
    for subject in subjects.values():
        for _ in range(warm):
            subject()
    taken: dict[Name, list[tuple[float, ...]]] = {name: [] for name in subjects}
    order = list(subjects)
    for number in range(rounds):
        for name in reversed(order) if turning and number % 2 else order:
            taken[name].append(tuple(_seconds(subjects[name]) for _ in range(calls)))
    return {name: Timings(tuple(calls)) for name, calls in taken.items()}


def _seconds(subject: Callable[[], object]) -> float:
    started = time.perf_counter()
    subject()
    return time.perf_counter() - started
