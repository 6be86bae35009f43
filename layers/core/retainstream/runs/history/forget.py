"""Forgetting: removed people go from the files, and files go when they are too old. Runs each day."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NotRequired, TypedDict

from retainstream.engine.history.parquet import RemovedAmong
from retainstream.engine.history.parquet import forget as forget_in
from retainstream.runs.history.desk import desk
from retainstream.runs.history.expiry import oldest_anchor
from retainstream.runs.history.removed import removed_among
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.settings import settings
from retainstream.storage.errors import NotStored
from retainstream.storage.history import HistoryFile
from retainstream.storage.stores import Stores

FORGOTTEN = "history/forgotten.json"
RESERVE_SECONDS = 180.0
"""A turn ends when less than this is left of its invocation: a file takes seconds."""
_STILL_WRITING = timedelta(hours=1)
"""A file that is written now may have been made before a removal, but not longer ago than this."""
ABANDONED = timedelta(days=1)
"""Rows that no run has kept by then are those of a failed run."""


class Progress(TypedDict):
    """The last file that was looked at, and the moments of removals that are looked for (ISO 8601)."""

    after: str
    since: str
    until: str


class ForgetEvent(TypedDict):
    """Without `progress` the work begins."""

    progress: NotRequired[Progress | None]


class Forgotten(TypedDict):
    """Whether all files were looked at, and how far this turn came if not."""

    done: bool
    progress: Progress | None


def forget(stores: Stores, event: ForgetEvent, seconds_left: SecondsLeft) -> Forgotten:
    """Rewrites the files with people who were removed since the work was last finished, and removes what has expired."""
    now = datetime.now(UTC)
    progress = event.get("progress") or {"after": "", "since": _finished_until(stores), "until": (now - _STILL_WRITING).isoformat()}
    for part in stores.arrivals.older_than(now - ABANDONED):
        stores.arrivals.remove(part)
    files = sorted(stores.history.files(), key=lambda file: file.key)
    expires = oldest_anchor(files, settings().history_months)
    removed = removed_among(stores.removals, since=progress["since"])
    turn = Turn(seconds_left, RESERVE_SECONDS, [file for file in files if file.key > progress["after"]])
    for file in turn:
        if file.anchor <= expires:
            stores.history.remove(file)
        elif removed:
            _rewrite(stores, file, removed)
        progress = {**progress, "after": file.key}
    if turn.over:
        return {"done": False, "progress": progress}
    stores.documents.put_bytes(FORGOTTEN, json.dumps({"until": progress["until"]}).encode(), "application/json")
    return {"done": True, "progress": None}


def _rewrite(stores: Stores, file: HistoryFile, removed: RemovedAmong) -> None:
    with desk(stores.history) as place, suppress(NotStored):
        [copy] = place.copies([file])
        without = place.folder / "rewritten.parquet"
        if forget_in(place.connection, copy, removed, without):
            stores.history.replace(file, without)


def _finished_until(stores: Stores) -> str:
    try:
        return str(json.loads(stores.documents.get_bytes(FORGOTTEN))["until"])
    except NotStored:
        return ""
