"""The export run: predictions of any number as one CSV file in the bucket.

Segments of a scan are read side by side and written, in parts of a fixed size, into one upload. When the time of one invocation runs out,
the next goes on. What it needs for that is kept in the bucket under a name that is never used again, and only the name goes from step to
step. So a step that is tried again begins where the one before it ended, whatever the try that broke off had done: its parts are put
again in place of the same parts, and its rows are in no state that anyone goes on from.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from retainstream.engine.records import Prediction
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.results import Filters
from retainstream.runs.exports.file import CONTENT_TYPE, READ, header_of, rows_of
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.predictions import Predictions
from retainstream.storage.stores import Stores
from retainstream.storage.table import Key, Page, side_by_side
from retainstream.storage.uploads import PART, StoredFile, Uploads

SEGMENTS = 4
PAGE = 1_000
"""Predictions asked for at once; DynamoDB gives no more than a megabyte of them."""
RESERVE_SECONDS = 30.0
"""A turn ends when less than this is left of its invocation."""
_ROUNDS_BETWEEN_NOTES = 20

type Document = dict[str, Any]


class IncompleteExport(Exception):
    """The file is not what was read; the message says where."""


_REMOVED = "A customer was removed while the file was made. Ask for it again."
EXPORT_ERRORS = frozenset({"IncompleteExport", "UnusableSchema"})
"""The errors whose messages are told to who asked."""


@dataclass(frozen=True)
class Place:
    """Where a segment of the scan goes on."""

    segment: int
    start: Key | None = None
    done: bool = False


@dataclass
class Progress:
    """How far the file has come: `parts` are in the upload (size in bytes and tag, by number from 1), `held` (the name of what is less than
    a part) is not. Of `examined` predictions `rows` passed the filters, and with the header they are `size` bytes. `removed` customers
    had been removed when it began."""

    upload_id: str
    schema: FeatureSchema
    filters: Filters
    places: list[Place]
    size: int
    held: str
    removed: int
    parts: list[tuple[int, str]] = field(default_factory=list)
    examined: int = 0
    rows: int = 0

    @property
    def done(self) -> bool:
        return all(place.done for place in self.places)

    @property
    def counts(self) -> dict[str, int]:
        return {"examined": self.examined, "rows": self.rows}

    def to_bytes(self) -> bytes:
        plain = {name: value for name, value in vars(self).items() if name not in ("schema", "filters", "places")}
        places = [asdict(place) for place in self.places]
        plain |= {"schema": self.schema.model_dump(mode="json"), "filters": asdict(self.filters), "places": places}
        return json.dumps(plain, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        plain = json.loads(content)
        plain["schema"] = FeatureSchema.model_validate(plain["schema"])
        plain["filters"] = Filters(**plain["filters"])
        plain["places"] = [Place(**place) for place in plain["places"]]
        plain["parts"] = [(size, tag) for size, tag in plain["parts"]]
        return cls(**plain)


def file_key(run_id: str) -> str:
    """Where the file of an export is."""
    return f"exports/{run_id}.csv"


def begin(stores: Stores, schema: FeatureSchema, run_id: str, started_by: str, asked: Mapping[str, Any]) -> Document:
    """Opens the run and the upload: {progress (its name), done: False}. `asked` are the filters, and how many predictions there are."""
    stores.runs.start(run_id, "export", started_by, asked)
    stores.runs.step_started(run_id, "write")
    removed = stores.removals.count()
    header = header_of(schema)
    work = _Work(stores.documents, run_id)
    progress = Progress(
        upload_id=stores.uploads.begin(file_key(run_id), CONTENT_TYPE),
        schema=schema,
        filters=Filters(**asked["filters"]),
        places=[Place(segment) for segment in range(SEGMENTS)],
        size=len(header),
        held=work.put(header),
        removed=removed,
    )
    return {"progress": work.put(progress.to_bytes()), "done": False}


def write(stores: Stores, run_id: str, named: str, seconds_left: Callable[[], float]) -> Document:
    """Goes on with the progress of that name until all is written or the time is up: {progress (its new name), done}.

    Of the file, no more is held than PART bytes and what SEGMENTS pages give.

    Raises:
        StorageUnavailable: storage did not answer; the same call may be made again.
        IncompleteExport: a customer was removed, and with it what had been written.
        Conflict: the run has ended.
    """
    with _withdrawn():
        return _write(stores, run_id, named, seconds_left)


@contextmanager
def _withdrawn() -> Iterator[None]:
    try:
        yield
    except NotStored as error:
        raise IncompleteExport(_REMOVED) from error


def _write(stores: Stores, run_id: str, named: str, seconds_left: Callable[[], float]) -> Document:
    work = _Work(stores.documents, run_id)
    progress = Progress.from_bytes(work.get(named))
    held = bytearray(work.get(progress.held))
    rounds = 0
    while not progress.done:
        for place, found in _next_pages(stores.predictions, progress.places):
            passed = [prediction for prediction in found.items if progress.filters.keep(prediction)]
            lines = rows_of(progress.schema, passed)
            held += lines
            progress.examined += len(found.items)
            progress.rows += len(passed)
            progress.size += len(lines)
            progress.places[place.segment] = Place(place.segment, found.next_key, found.next_key is None)
        while len(held) >= PART:
            _put_part(stores.uploads, run_id, progress, held[:PART])
            del held[:PART]
        rounds += 1
        if rounds % _ROUNDS_BETWEEN_NOTES == 0:
            stores.runs.note(run_id, progress.counts)
        if seconds_left() < RESERVE_SECONDS:
            break
    if progress.done and held:
        _put_part(stores.uploads, run_id, progress, held)
        held.clear()
    stores.runs.note(run_id, progress.counts)
    progress.held = work.put(bytes(held))
    return {"progress": work.put(progress.to_bytes()), "done": progress.done}


def finish(stores: Stores, run_id: str, named: str) -> Document:
    """Makes the file of its parts, compares it with what was read, and ends the run well: {rows}.

    Raises:
        IncompleteExport: the file has not the bytes of the rows that were read, or a customer was removed since.
    """
    with _withdrawn():
        return _finish(stores, run_id, named)


def _finish(stores: Stores, run_id: str, named: str) -> Document:
    progress = Progress.from_bytes(_Work(stores.documents, run_id).get(named))
    key = file_key(run_id)
    if not progress.done or sum(size for size, _ in progress.parts) != progress.size:
        raise IncompleteExport("Not all that was read has been written.")
    if stores.uploads.find(key) is None:  # or a try that broke off has completed it
        parts = {number: StoredFile(key, size, tag) for number, (size, tag) in enumerate(progress.parts, start=1)}
        stores.uploads.complete(key, progress.upload_id, parts)
    found = stores.uploads.find(key)
    if found is None or found.size != progress.size:
        raise IncompleteExport(f"The file has {found.size if found else 0:,} bytes; {progress.rows:,} rows of {progress.size:,} were read.")
    stores.uploads.abort(key)
    if stores.removals.count() != progress.removed:
        stores.documents.withdraw(key)
        raise IncompleteExport(_REMOVED)
    if stores.runs.existing(run_id)["status"] == "RUNNING":
        stores.runs.step_finished(run_id, "write")
    stores.runs.finish(run_id, counts=progress.counts, result={"bytes": progress.size})
    return {"rows": progress.rows}


def fail(stores: Stores, run_id: str, started_by: str, asked: Mapping[str, Any], reason: str) -> Document:
    """Ends the run badly, with the reason as a sentence, and gives up the upload: {reason}."""
    stores.runs.start(run_id, "export", started_by, asked)
    stores.runs.fail(run_id, reason)
    stores.uploads.abort(file_key(run_id))
    return {"reason": reason}


def _next_pages(predictions: Predictions, places: list[Place]) -> list[tuple[Place, Page[Prediction]]]:
    waiting = [place for place in places if not place.done]

    def read(place: Place) -> Page[Prediction]:
        return predictions.page(PAGE, place.start, segment=place.segment, segments=len(places), attributes=READ)

    return list(zip(waiting, side_by_side(read, waiting), strict=True))


def _put_part(uploads: Uploads, run_id: str, progress: Progress, content: bytes | bytearray) -> None:
    stored = uploads.put_part(file_key(run_id), progress.upload_id, len(progress.parts) + 1, bytes(content))
    progress.parts.append((stored.size, stored.tag))


@dataclass(frozen=True)
class _Work:
    """What one export leaves for itself in the bucket; each thing under a new name."""

    documents: Documents
    run_id: str

    def put(self, content: bytes) -> str:
        name = uuid.uuid4().hex
        self.documents.put_bytes(self._key(name), content)
        return name

    def get(self, name: str) -> bytes:
        return self.documents.get_bytes(self._key(name))

    def _key(self, name: str) -> str:
        return f"exports/work/{self.run_id}/{name}"
