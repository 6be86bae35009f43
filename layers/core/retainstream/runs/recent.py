"""The list of the recent runs of a kind, newest first: an empty object of the bucket for each, whose key sorts by its start.

The list ends when the bucket's rule deletes the objects. Reading a page costs as much as the page shows.
"""

from datetime import UTC, datetime

from retainstream.storage.runs import Run
from retainstream.storage.stores import Stores

_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)
KEY = r"[0-9]{15}-[0-9a-f]{32}$"
"""What follows the list's prefix in a key, as a pattern."""


def note_recent(stores: Stores, prefix: str, run: Run) -> None:
    """Adds a run to the list below a prefix. Again, it changes nothing."""
    left = _LAST_MOMENT - datetime.fromisoformat(run["started_at"])
    stores.documents.put_bytes(f"{prefix}{int(left.total_seconds() * 1000):015d}-{run['run_id']}", b"")


def recent_runs(stores: Stores, prefix: str, *, limit: int, after: str | None) -> tuple[list[Run], str | None]:
    """Runs, newest first, and the key after which the next page begins."""
    keys = stores.uploads.keys(prefix, limit + 1, after or "")
    runs = [run for key in keys[:limit] if (run := stores.runs.get(key.rsplit("-", 1)[1]))]
    return runs, keys[limit - 1] if len(keys) > limit else None
