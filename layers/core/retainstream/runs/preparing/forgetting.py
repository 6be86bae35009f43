"""Forgetting: the rows of removed customers go from the sources. Runs each day, before the preparation."""

from contextlib import suppress
from typing import NotRequired, TypedDict

from retainstream.engine.sources.kept import columns_of_kind, without_removed
from retainstream.runs.deliveries.steps import facts_of
from retainstream.runs.deliveries.workspace import workspace
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.sources import KINDS, SourceKind
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile

RESERVE_SECONDS = 120.0
"""A turn ends when less than this is left of its invocation: a part takes seconds."""
_ATTEMPTS = 10


class ForgetEvent(TypedDict):
    """`turn` is the answer of the turn before."""

    turn: NotRequired["Forgotten | None"]


class Forgotten(TypedDict):
    """Whether all parts of all sources were looked at, and the key of the last one."""

    done: bool
    after: str


def forget(stores: Stores, event: ForgetEvent, seconds_left: SecondsLeft) -> Forgotten:
    """Writes the parts of the sources anew that have rows of removed customers.

    Raises:
        StorageUnavailable: storage did not answer, or deliveries change a part all the time; the turn may be tried again.
    """
    after = (event.get("turn") or {"after": ""})["after"]
    kinds = KINDS if stores.removals.marks() else ()
    parts = sorted((file.key, kind, name) for kind in kinds for name, file in stores.sources.parts(kind).items())
    turn = Turn(seconds_left, RESERVE_SECONDS, [part for part in parts if part[0] > after])
    for key, kind, name in turn:
        _forget(stores, kind, name)
        after = key
    return {"done": not turn.over, "after": after}


def _forget(stores: Stores, kind: SourceKind, name: str) -> None:
    for _ in attempts(_ATTEMPTS, first=0.1, longest=5.0):
        with suppress(ChangedFile, NotStored):
            _rewrite(stores, kind, name)
            stores.sources.note(kind, [name])  # also where nothing was rewritten: an earlier try may have ended before it came here
            return
    raise StorageUnavailable("deliveries change the same part of a source all the time")


def _rewrite(stores: Stores, kind: SourceKind, name: str) -> None:
    file = stores.sources.part(kind, name)
    if file is None:
        return
    with workspace() as (folder, connection):
        stores.sources.read(file, folder / "kept")
        kept = without_removed(connection, columns_of_kind(kind), folder / "kept", stores.removals.among, folder / "rewritten")
        if kept:
            stores.sources.replace(kind, name, folder / "rewritten", facts_of(kept), file)
