"""The tasks that add a delivered file to its source: read it, merge its rows into the kept parts, and account for every row.

The rows of the file are divided into parts as the source is, and each part is merged with the kept one by itself. Parts of several
deliveries may be merged at the same time: a part is replaced on the condition that it is the one that was read.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.kept import KeptColumns, Merged, Stamp, kept_columns, merge, read_file
from retainstream.engine.tables import UnreadableTable
from retainstream.registry.active_schema import active_schema
from retainstream.runs.deliveries.request import start_arrived
from retainstream.runs.deliveries.view import Asked, DeliveryRun, Result
from retainstream.runs.deliveries.work import DeliveryFailed, errors_in_words, get_document, put_document, upload_key, work_key
from retainstream.runs.deliveries.workspace import workspace
from retainstream.runs.tasks import LongTask, Task
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.sources import PartFacts, SourceKind
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RESERVE_SECONDS = 120.0
"""A turn ends when less than this is left of its invocation."""
FOR_PEOPLE = frozenset({"DeliveryFailed", "UnusableSchema"})
"""The errors whose messages are shown as the reason why a run failed."""
AGAIN = "Deliver the same file again: rows that the source has already count as repeated."
_GZIP = b"\x1f\x8b"
_ATTEMPTS = 10
_MERGED = ("added", "changed", "repeated", "older")
_COUNTS = ("read", *_MERGED, "removed")


class RunEvent(TypedDict):
    """The fields of every task's event."""

    run_id: str


class StoredObject(TypedDict):
    key: str


class Arrival(TypedDict):
    object: StoredObject


class ArrivedEvent(TypedDict):
    """EventBridge's event of a new object in the bucket."""

    time: str
    detail: Arrival


class Started(TypedDict):
    """Whether the event started a run."""

    started: bool


class Parts(TypedDict):
    """The parts of the source that the file has rows for, or those that are still to be merged."""

    parts: list[str]


class MergeEvent(RunEvent):
    turn: Parts


class MergedParts(Parts):
    done: bool


class Finished(TypedDict):
    counts: Mapping[str, int]


def arrived(stores: Stores, event: ArrivedEvent) -> Started:
    """Starts the run that adds this file."""
    return {"started": start_arrived(stores, event["detail"]["object"]["key"], event["time"])}


def read(stores: Stores, event: RunEvent) -> Parts:
    """Reads the file, and leaves its rows divided into the parts of the source.

    Raises:
        DeliveryFailed: the file cannot be added to its source; the message is a sentence.
        StorageUnavailable: storage did not answer; the task may be tried again.
    """
    delivery_id = event["run_id"]
    asked = _open(stores, delivery_id)["asked"]
    with errors_in_words(), workspace() as (folder, connection):
        columns = _columns(active_schema(stores.documents), asked["kind"])
        put_document(stores, delivery_id, "columns.json", asdict(columns))
        path = folder / "file"
        _fetch(stores, delivery_id, asked, path)
        counts, notes, parts = _read(stores, connection, delivery_id, asked, columns, path)
        for name, part in parts.items():
            stores.sources.put(work_key(delivery_id, f"{name}.parquet"), part)
        put_document(stores, delivery_id, "read.json", {"counts": counts, "notes": notes, "parts": list(parts)})
    stores.runs.step_finished(delivery_id, "read", {"rows": counts["read"], "parts": len(parts)})
    stores.runs.step_started(delivery_id, "merge")
    return {"parts": list(parts)}


def _open(stores: Stores, delivery_id: str) -> DeliveryRun:
    try:
        run: DeliveryRun = stores.runs.begin(delivery_id)
    except (NotStored, Conflict) as error:
        raise DeliveryFailed("This delivery was never asked for, or has ended.") from error
    stores.runs.step_started(delivery_id, "read")
    return run


def _columns(schema: FeatureSchema, kind: SourceKind) -> KeptColumns:
    source = getattr(schema.sources, kind) if schema.sources else None
    if source is None:
        advice = f"Add sources.{kind} to it, which names the columns of the file, and deliver the file again."
        raise DeliveryFailed(f"The active feature schema does not read {kind}. {advice}")
    return kept_columns(schema, source)


def _fetch(stores: Stores, delivery_id: str, asked: Asked, path: Path) -> None:
    """Copies the file from the bucket, if it is the file that was announced."""
    key = asked.get("dropped") or upload_key(delivery_id)
    file = stores.uploads.find(key)
    if file is None:
        raise NotStored(key)
    if file.size != asked["size"]:
        raise DeliveryFailed(f"The file has {file.size:,} bytes, but {asked['size']:,} were announced.")
    stores.sources.read(file, path)
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if asked.get("gzip") is not None and asked["gzip"] != packed:
        raise DeliveryFailed(f"The file is {'' if packed else 'not '}compressed with gzip, other than announced.")


def _read(
    stores: Stores, connection: "DuckDBPyConnection", delivery_id: str, asked: Asked, columns: KeptColumns, path: Path
) -> tuple[dict[str, int], list[str], dict[str, Path]]:
    try:
        stamp = Stamp(asked["as_of"], delivery_id)
        rows = read_file(connection, path, asked["file_name"], columns, stamp, stores.removals.among, path.parent)
    except UnreadableTable as error:
        problems = "; ".join(map(str, error.problems[:5]))
        raise DeliveryFailed(f"{asked['file_name']}: {problems}. Nothing was added, and the earlier deliveries are unchanged.") from error
    return {"read": rows.rows, "removed": rows.removed}, rows.notes, rows.parts


def merge_parts(stores: Stores, event: MergeEvent, seconds_left: SecondsLeft) -> MergedParts:
    """Merges parts into the source, one after the other, until the time is up. A part that was merged before has the same result again.

    Raises:
        StorageUnavailable: storage did not answer, or other deliveries change a part all the time; the turn may be tried again.
    """
    delivery_id, waiting = event["run_id"], list(event["turn"]["parts"])
    kind: SourceKind = stores.runs.existing(delivery_id)["asked"]["kind"]
    with errors_in_words():
        columns = _columns_of(stores, delivery_id)
        for name in Turn(seconds_left, RESERVE_SECONDS, event["turn"]["parts"]):
            _merge_part(stores, delivery_id, kind, columns, name)
            waiting.remove(name)
    return {"parts": waiting, "done": not waiting}


def _columns_of(stores: Stores, delivery_id: str) -> KeptColumns:
    document = get_document(stores, delivery_id, "columns.json")
    return KeptColumns(**{**document, "key": tuple(document["key"]), "values": tuple(document["values"])})


def _merge_part(stores: Stores, delivery_id: str, kind: SourceKind, columns: KeptColumns, name: str) -> None:
    arrived = stores.uploads.find(work_key(delivery_id, f"{name}.parquet"))
    if arrived is None:
        raise NotStored(name)
    for _ in attempts(_ATTEMPTS, first=0.1, longest=5.0):
        with workspace() as (folder, connection):
            kept = stores.sources.part(kind, name)
            before = folder / "kept" if kept else None
            with suppress(ChangedFile, NotStored):
                if kept and before:
                    stores.sources.read(kept, before)
                stores.sources.read(arrived, folder / "arrived")
                merged = merge(connection, columns, before, folder / "arrived", folder / "merged")
                _keep_counts(stores, delivery_id, name, {count: getattr(merged, count) for count in _MERGED})
                stores.sources.replace(kind, name, folder / "merged", facts_of(merged), kept)
                stores.sources.note(kind, [name])
                return
    raise StorageUnavailable("other deliveries change the same part of the source all the time")


def facts_of(part: Merged) -> PartFacts:
    """The facts of a part after a merge."""
    facts: PartFacts = {"rows": part.rows}
    if part.first and part.last:
        facts |= {"first": part.first, "last": part.last}
    return facts


def _keep_counts(stores: Stores, delivery_id: str, name: str, counts: Mapping[str, int]) -> None:
    """Keeps the counts of a part before the part is replaced. A merge that is repeated after that finds its own rows, and adds nothing."""
    if not counts["added"] and not counts["changed"]:
        with suppress(NotStored):
            get_document(stores, delivery_id, f"counts/{name}.json")
            return
    put_document(stores, delivery_id, f"counts/{name}.json", counts)


def finish(stores: Stores, event: RunEvent) -> Finished:
    """Adds up the counts of all parts, and ends the run.

    Raises:
        DeliveryFailed: rows of the file are neither added, changed, repeated, older nor those of removed customers.
    """
    delivery_id = event["run_id"]
    run: DeliveryRun = stores.runs.existing(delivery_id)
    asked = run["asked"]
    with errors_in_words():
        known = get_document(stores, delivery_id, "read.json")
        total = Counter[str](known["counts"])
        for name in known["parts"]:
            total.update(get_document(stores, delivery_id, f"counts/{name}.json"))
        counts = {name: total[name] for name in _COUNTS}
        accounted = sum(counts.values()) - counts["read"]
        if accounted != counts["read"]:
            raise DeliveryFailed(f"The file has {counts['read']:,} rows, but {accounted:,} of them are accounted for.")
        stores.sources.note(
            asked["kind"],
            [],
            {
                "delivery_id": delivery_id,
                "file_name": asked["file_name"],
                "as_of": asked["as_of"],
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "rows": counts["read"],
                "added": counts["added"],
            },
        )
    if run["status"] == "RUNNING":
        stores.runs.step_finished(delivery_id, "merge", counts)
    result: Result = {"notes": known["notes"]}
    stores.runs.finish(delivery_id, counts=counts, result=result)
    return {"counts": counts}


TASKS: dict[str, Task] = {"arrived": arrived, "read_delivery": read, "finish_delivery": finish}
TURNS: dict[str, LongTask] = {"merge_delivery": merge_parts}
