"""Attempts with random pauses between them."""

import random
import time
from collections.abc import Iterator


def attempts(number: int, *, first: float = 0.0, longest: float = 0.0) -> Iterator[int]:
    """Counts from 1 to `number` and waits before each count but the first, as `pause` says. Without `first` there is no wait."""
    for attempt in range(1, number + 1):
        if attempt > 1 and first:
            time.sleep(pause(attempt - 1, first=first, longest=longest))
        yield attempt


def pause(failures: int, *, first: float, longest: float) -> float:
    """Seconds to wait after so many failures: evenly distributed from 0 to min(longest, first · 2^(failures − 1)).

    This is the "full jitter" of the AWS Builders' Library (Timeouts, retries, and backoff with jitter): callers that met each other do
    not meet again.
    """
    return random.uniform(0, min(longest, first * 2 ** (failures - 1)))  # noqa: S311
