"""The tasks of the export run, which writes predictions of any number to one CSV file in the bucket.

Segments of a scan are read side by side and written, in parts of a fixed size, into one upload, in one or more turns. The progress between
two turns is kept in the bucket under a name that is never used again, and only the name goes from task to task. So a task that is tried
again begins where the one before it ended, whatever the broken try had done: its parts are put again in place of the same parts, and no
task goes on from its rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TypedDict

from retainstream.engine.records import Prediction
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.results import Filters
from retainstream.registry.active_schema import active_schema
from retainstream.runs.exports.file import CONTENT_TYPE, READ, header_of, rows_of
from retainstream.runs.exports.layout import FileLayout
from retainstream.runs.exports.progress import Place, Progress, Work
from retainstream.runs.exports.view import Asked, Result, file_key
from retainstream.runs.failure import CaughtError, Failed, reason_of
from retainstream.runs.tasks import LongTask, Task
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import NotStored
from retainstream.storage.predictions import Predictions
from retainstream.storage.stores import Stores
from retainstream.storage.table import Page, side_by_side
from retainstream.storage.uploads import PART, StoredFile, Uploads

SEGMENTS = 4
PAGE = 1_000
"""Predictions asked for in one request; DynamoDB answers no more than a megabyte of them."""
RESERVE_SECONDS = 30.0
"""A turn ends when less than this is left of its invocation."""
_ROUNDS_BETWEEN_NOTES = 20
_REMOVED = "A customer was removed while the file was made. Ask for it again."
FOR_PEOPLE = frozenset({"IncompleteExport", "UnusableSchema"})
"""The errors whose messages are shown as the reason why a run failed."""


class IncompleteExport(Exception):
    """The file does not hold the predictions that were read; the message says where."""


class Input(Asked):
    """The input of an execution."""

    started_by: str


class RunEvent(TypedDict):
    """The fields of every task's event."""

    run_id: str
    input: Input


class ProgressEvent(RunEvent):
    progress: str


class Written(TypedDict):
    """`progress` is the name from which the next turn goes on."""

    progress: str
    done: bool


class Finished(TypedDict):
    rows: int


class FailEvent(RunEvent):
    error: CaughtError


@contextmanager
def _withdrawn() -> Iterator[None]:
    """Reports a file that is gone by its cause: removing a customer withdraws all exports."""
    try:
        yield
    except NotStored as error:
        raise IncompleteExport(_REMOVED) from error


def begin(stores: Stores, event: RunEvent) -> Written:
    """Opens the run and the upload."""
    schema, run_id = active_schema(stores.documents), event["run_id"]
    _open(stores, event)
    stores.runs.step_started(run_id, "write")
    return {"progress": _begun(stores, schema, run_id, event["input"]), "done": False}


def _open(stores: Stores, event: RunEvent) -> None:
    asked: Asked = {
        "filters": event["input"]["filters"],
        "layout": asdict(_layout_of(event["input"])),
        "predictions": event["input"]["predictions"],
    }
    stores.runs.start(event["run_id"], "export", event["input"]["started_by"], asked)


def _layout_of(asked: Asked) -> FileLayout:
    return FileLayout(**asked.get("layout", {"data": True}))


def _begun(stores: Stores, schema: FeatureSchema, run_id: str, asked: Asked) -> str:
    removed = stores.removals.count()
    layout = _layout_of(asked)
    header = header_of(schema, layout)
    work = Work(stores.documents, run_id)
    progress = Progress(
        upload_id=stores.uploads.begin(file_key(run_id), CONTENT_TYPE),
        schema=schema,
        filters=Filters(**asked["filters"]),
        layout=layout,
        places=[Place(segment) for segment in range(SEGMENTS)],
        size=len(header),
        held=work.put(header),
        removed=removed,
    )
    return work.put(progress.to_bytes())


@_withdrawn()
def write(stores: Stores, event: ProgressEvent, seconds_left: SecondsLeft) -> Written:
    """Goes on with the progress of that name until everything is written or the time is up.

    At most PART bytes of the file and SEGMENTS pages are in memory.

    Raises:
        StorageUnavailable: storage did not answer; the same call may be made again.
        IncompleteExport: a customer was removed, and the file written so far with it.
        Conflict: the run has ended.
    """
    run_id, work = event["run_id"], Work(stores.documents, event["run_id"])
    progress = Progress.from_bytes(work.get(event["progress"]))
    held = bytearray(work.get(progress.held))
    for number, lines in enumerate(Turn(seconds_left, RESERVE_SECONDS, _rounds(stores.predictions, progress)), start=1):
        held += lines
        while len(held) >= PART:
            _put_part(stores.uploads, run_id, progress, held[:PART])
            del held[:PART]
        if number % _ROUNDS_BETWEEN_NOTES == 0:
            stores.runs.note(run_id, progress.counts)
    if progress.done and held:
        _put_part(stores.uploads, run_id, progress, held)
        held.clear()
    stores.runs.note(run_id, progress.counts)
    progress.held = work.put(bytes(held))
    return {"progress": work.put(progress.to_bytes()), "done": progress.done}


def _rounds(predictions: Predictions, progress: Progress) -> Iterator[bytes]:
    """The lines of one page of each segment at a time; `progress` is kept up to date."""
    while not progress.done:
        lines = b""
        for place, page in _next_pages(predictions, progress.places):
            passed = [prediction for prediction in page.items if progress.filters.keep(prediction)]
            lines += rows_of(progress.schema, progress.layout, passed)
            progress.examined += len(page.items)
            progress.rows += len(passed)
            progress.places[place.segment] = Place(place.segment, page.next_key, page.next_key is None)
        progress.size += len(lines)
        yield lines


def _next_pages(predictions: Predictions, places: list[Place]) -> list[tuple[Place, Page[Prediction]]]:
    waiting = [place for place in places if not place.done]

    def read(place: Place) -> Page[Prediction]:
        return predictions.page(PAGE, place.start, segment=place.segment, segments=len(places), attributes=READ)

    return list(zip(waiting, side_by_side(read, waiting), strict=True))


def _put_part(uploads: Uploads, run_id: str, progress: Progress, content: bytes | bytearray) -> None:
    stored = uploads.put_part(file_key(run_id), progress.upload_id, len(progress.parts) + 1, bytes(content))
    progress.parts.append((stored.size, stored.tag))


@_withdrawn()
def finish(stores: Stores, event: ProgressEvent) -> Finished:
    """Makes the file of its parts, compares its size with the rows that were read, and ends the run.

    Raises:
        IncompleteExport: the file does not have the bytes of the rows that were read, or a customer was removed since.
    """
    run_id = event["run_id"]
    progress = Progress.from_bytes(Work(stores.documents, run_id).get(event["progress"]))
    key = file_key(run_id)
    if not progress.done or sum(size for size, _ in progress.parts) != progress.size:
        raise IncompleteExport("Not all that was read has been written.")
    if stores.uploads.find(key) is None:  # or a broken try has completed it
        parts = {number: StoredFile(key, size, tag) for number, (size, tag) in enumerate(progress.parts, start=1)}
        stores.uploads.complete(key, progress.upload_id, parts)
    file = stores.uploads.find(key)
    if file is None or file.size != progress.size:
        raise IncompleteExport(f"The file has {file.size if file else 0:,} bytes; {progress.rows:,} rows of {progress.size:,} were read.")
    stores.uploads.abort(key)
    if stores.removals.count() != progress.removed:
        stores.documents.withdraw(key)
        raise IncompleteExport(_REMOVED)
    if stores.runs.existing(run_id)["status"] == "RUNNING":
        stores.runs.step_finished(run_id, "write")
    result: Result = {"bytes": progress.size}
    stores.runs.finish(run_id, counts=progress.counts, result=result)
    return {"rows": progress.rows}


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it, and gives up the upload."""
    reason = reason_of(event["error"], FOR_PEOPLE, work="exports")
    _open(stores, event)
    stores.runs.fail(event["run_id"], reason)
    stores.uploads.abort(file_key(event["run_id"]))
    return {"reason": reason}


TASKS: dict[str, Task] = {"begin": begin, "finish": finish, "fail": fail}
TURNS: dict[str, LongTask] = {"write": write}
