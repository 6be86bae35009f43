"""A limit on the rate of writes."""

import threading
import time


class Pace:
    """Slows its callers, all threads together, to `per_second` units a second; 0 is no limit.

    Idle time is not saved up beyond one second.
    """

    def __init__(self, per_second: float = 0.0) -> None:
        self.per_second = per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, units: int) -> None:
        """Waits until so many units may be taken."""
        if not self.per_second:
            return
        with self._lock:
            now = time.monotonic()
            start = max(self._free_at, now - 1.0)
            self._free_at = start + units / self.per_second
        if start > now:
            time.sleep(start - now)


UNLIMITED = Pace()
