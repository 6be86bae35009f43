"""The plan of a search: its time, the estimated work that it has done, and work on all processors at once."""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from retainstream.engine.learning.additive import regressors
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.learning.work import CORES, bins_of, seconds_a_round, seconds_of_a_linear_fit, seconds_of_a_matrix

_SLOWNESS, _SLACK, _MOST_SECONDS = 3.0, 20.0, 700.0
"""A search may use this multiple of the planned processor time and some seconds, and so many seconds by the clock: a function has 900."""


class Plan:
    """Processor time for fits to `learned_rows` rows, of `seconds` on each of two processors.

    capacity, spent: estimated seconds of one processor. They depend on the data and on the fits alone. stopped_by_clock: the work takes
    several times as long as estimated, so it has ended early.
    """

    def __init__(self, data: DataSet, seconds: float, learned_rows: int) -> None:
        columns, left = data.schema.features, float(data.churned.mean())
        self._rows, self._learned_rows, self._columns = len(data), learned_rows, columns
        self._bins, self._spread = bins_of(data.rows), left * (1 - left)
        self._categories = sum(column.kind == "category" for column in columns) / len(columns)
        self.capacity, self.spent = CORES * seconds, 0.0
        self.stopped_by_clock = False
        self._used, self._begun = 0.0, time.monotonic()

    def of_a_fit(self, settings: TreeSettings, rounds: int) -> float:
        """Seconds of one processor for so many rounds."""
        return rounds * seconds_a_round(
            settings, self._learned_rows, len(self._columns), self._bins, categories=self._categories, spread=self._spread
        )

    @property
    def of_a_matrix(self) -> float:
        return seconds_of_a_matrix(self._rows, len(self._columns))

    @property
    def of_a_linear_fit(self) -> float:
        return seconds_of_a_linear_fit(self._learned_rows, len(self._columns), regressors(self._columns))

    def affords(self, work: float, reserved: float, share: float) -> bool:
        """Whether there is time for more work within a share of the time that is not reserved."""
        if self._used > _SLOWNESS * self.capacity + _SLACK or time.monotonic() - self._begun > _MOST_SECONDS:
            self.stopped_by_clock = True
            return False
        return self.spent + work <= share * (self.capacity - reserved)

    def in_parallel[W, T](self, work: Callable[[W], T], pieces: Iterable[W]) -> list[T]:
        """Does pieces of work on all processors; each piece uses one, so that the results do not depend on their number."""

        def timed(piece: W) -> tuple[T, float]:
            begun = time.thread_time()
            return work(piece), time.thread_time() - begun

        with ThreadPoolExecutor(os.process_cpu_count() or 1) as pool:
            done = list(pool.map(timed, pieces))
        self._used += sum(seconds for _, seconds in done)
        return [result for result, _ in done]
