"""Keeping: the rows that a run left become Parquet files, and are removed."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

from retainstream.engine.history.parquet import keep as keep_rows
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.active_schema import active_schema
from retainstream.registry.loading import schema_of
from retainstream.registry.versions import get
from retainstream.runs.history.desk import desk
from retainstream.runs.history.removed import removed_among
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.documents import StoredObject
from retainstream.storage.stores import Stores

RESERVE_SECONDS = 300.0
"""A turn ends when less than this is left of its invocation: a group takes about a minute."""
_PACKED_AT_ONCE = 256_000_000
"""Bytes of packed rows in a group, which becomes one file for each anchor: about a million rows of 20 columns."""

type Group = list[tuple[str, StoredObject]]


class KeepEvent(TypedDict):
    """`model_version` is the one that scored the rows; without it they have the columns of the active schema."""

    run_id: str
    model_version: NotRequired[str]


class Kept(TypedDict):
    """Whether all rows are kept."""

    done: bool


def keep(stores: Stores, event: KeepEvent, seconds_left: SecondsLeft) -> Kept:
    """Keeps the rows of a run as far as time allows. A repeated turn writes the same files again."""
    stores.runs.step_started(event["run_id"], "keep")
    kept = keep_arrivals(stores, event, seconds_left)
    if kept["done"]:
        stores.runs.step_finished(event["run_id"], "keep")
    return kept


def keep_arrivals(stores: Stores, event: KeepEvent, seconds_left: SecondsLeft) -> Kept:
    """The same, for rows that belong to no run of the runs table."""
    run_id = event["run_id"]
    turn = Turn(seconds_left, RESERVE_SECONDS, _groups(stores, run_id))
    for group in turn:
        with desk(stores.history) as place:
            arrivals = [place.folder / f"{number}.ndjson.gz" for number in range(len(group))]
            for (_, part), path in zip(group, arrivals, strict=True):
                stores.documents.get_file(part.key, path)
            files = keep_rows(place.connection, arrivals, _schema(stores, event), run_id, place.folder, removed_among(stores.removals))
            for file in files:
                stores.history.put(file.anchor, f"{run_id}-{group[0][0]}", file.path)
        for _, part in group:
            stores.arrivals.remove(part)
    return {"done": not turn.over}


def _groups(stores: Stores, run_id: str) -> Iterator[Group]:
    """The parts of a run in groups. A group has the name of its first part, and the same parts when it is begun again."""
    group: Group = []
    size = 0
    for name, part in stores.arrivals.parts(run_id):
        if group and size + part.size > _PACKED_AT_ONCE:
            yield group
            group, size = [], 0
        group.append((name, part))
        size += part.size
    if group:
        yield group


def _schema(stores: Stores, event: KeepEvent) -> FeatureSchema:
    if version := event.get("model_version"):
        return schema_of(get(stores.models, version), stores.documents)
    return active_schema(stores.documents)
