"""The allowance of a person for starting runs: a small number in each window, apart from the limit of requests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from retainstream.settings import RATE_LIMIT_WINDOW_SECONDS, settings
from retainstream.storage.errors import Conflict
from retainstream.storage.rate_limits import AllowanceSpent, RateLimits


@contextmanager
def one_start(limits: RateLimits, user_id: str) -> Iterator[None]:
    """Counts a start of a run by a user. A block that ends with a Conflict started none, so its count is taken back.

    Raises:
        AllowanceSpent: the user has started `rate_limit_runs` runs in this window.
    """
    now = int(time.time())
    window, elapsed = divmod(now, RATE_LIMIT_WINDOW_SECONDS)
    reset = RATE_LIMIT_WINDOW_SECONDS - elapsed
    subject, expires_at = f"runs#{user_id}", now + reset + RATE_LIMIT_WINDOW_SECONDS
    if limits.count(subject, window, expires_at).count > settings().rate_limit_runs:
        raise AllowanceSpent(reset)
    try:
        yield
    except Conflict:
        limits.count(subject, window, expires_at, requests=-1)
        raise
