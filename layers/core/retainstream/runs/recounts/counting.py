"""Counting the rows of a table, part by part.

The sums of a part go to the bucket under a name of their own, which the part then carries. So an invocation that was taken for dead, and
still runs, writes nothing into the sums of its successor.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypedDict

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import READ, Counters, Row, recount, total
from retainstream.engine.records import Customer, Prediction
from retainstream.runs.recounts.view import Difference
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Source
from retainstream.storage.stores import Stores
from retainstream.storage.table import Key, Page

ROWS_PER_SEGMENT = 50_000
PAGE = 1000
RESERVE_SECONDS = 20.0
"""A turn ends when less than this is left of its invocation."""
_READERS = 8
_FINGERPRINT_BYTES = 16
_ATTRIBUTES = tuple(sorted(READ | {"customer_id", "updated_at", "scored_at", "run_id"}))


class CountPart(TypedDict):
    """A segment of a table: the key after which its count goes on, and the name of its sums so far."""

    source: Source
    segment: int
    segments: int
    start: Key | None
    tally: str | None
    done: bool


@dataclass(frozen=True)
class Tally:
    """The sums of some rows. The fingerprint is that of the set of rows, each with the moment it was written."""

    rows: int = 0
    fingerprint: int = 0
    counters: Counters = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        return add_up([self, other])

    def to_bytes(self) -> bytes:
        return json.dumps({"rows": self.rows, "fingerprint": self.fingerprint, "counters": self.counters}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Tally":
        return cls(**json.loads(content))


def add_up(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies of different rows."""
    parts = list(tallies)
    fingerprint = sum(part.fingerprint for part in parts) % (1 << 8 * _FINGERPRINT_BYTES)
    return Tally(sum(part.rows for part in parts), fingerprint, total(part.counters for part in parts))


def tally(source: Source, rows: Sequence[Row]) -> Tally:
    """The sums of these rows."""
    fingerprint = sum(_fingerprint(row) for row in rows) % (1 << 8 * _FINGERPRINT_BYTES)
    return Tally(len(rows), fingerprint, recount(COUNT[source], rows))


def _fingerprint(row: Row) -> int:
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), default=repr)
    return int.from_bytes(blake2b(text.encode(), digest_size=_FINGERPRINT_BYTES).digest())


@dataclass(frozen=True)
class Tallies:
    """The tallies of one run, in the bucket."""

    documents: Documents
    run_id: str

    def put(self, counted: Tally) -> str:
        """Keeps a tally under a new name, which it returns."""
        name = uuid.uuid4().hex
        self.documents.put_bytes(f"recounts/{self.run_id}/{name}.json", counted.to_bytes(), "application/json")
        return name

    def get(self, name: str) -> Tally:
        return Tally.from_bytes(self.documents.get_bytes(f"recounts/{self.run_id}/{name}.json"))

    def whole(self, names: Sequence[str]) -> Tally:
        """The sum of several tallies."""
        with ThreadPoolExecutor(_READERS) as pool:
            return add_up(pool.map(self.get, names))


def parts_of(stores: Stores, source: Source, *, most_segments: int) -> list[CountPart]:
    """The parts into which a count of the table is divided."""
    rows = _table(stores, source).approximate_count()
    segments = max(1, min(most_segments, -(-rows // ROWS_PER_SEGMENT)))
    return [
        {"source": source, "segment": segment, "segments": segments, "start": None, "tally": None, "done": False}
        for segment in range(segments)
    ]


def count_part(stores: Stores, run_id: str, part: CountPart, seconds_left: SecondsLeft) -> CountPart:
    """Counts a part from its `start`, by strongly consistent reads. Returns it with the new `start` and `tally`, and whether it is done."""
    tallies, start = Tallies(stores.documents, run_id), part["start"]
    counted = tallies.get(part["tally"]) if part["tally"] else Tally()
    for page in Turn(seconds_left, RESERVE_SECONDS, _pages(stores, part)):
        counted += tally(part["source"], page.items)
        start = page.next_key
    return {**part, "start": start, "tally": tallies.put(counted), "done": start is None}


def _pages(stores: Stores, part: CountPart) -> Iterator[Page[Customer] | Page[Prediction]]:
    table, start = _table(stores, part["source"]), part["start"]
    while True:
        page = table.page(PAGE, start, segment=part["segment"], segments=part["segments"], attributes=_ATTRIBUTES, consistent=True)
        yield page
        if (start := page.next_key) is None:
            return


def _table(stores: Stores, source: Source) -> Customers | Predictions:
    return stores.customers if source == "customers" else stores.predictions


def differences(counted: Counters, recounted: Counters) -> list[Difference]:
    """Counters that differ from the rows, by name."""
    return [
        {"counter": name, "counted": counted.get(name, 0), "recounted": recounted.get(name, 0)}
        for name in sorted({*counted, *recounted})
        if counted.get(name, 0) != recounted.get(name, 0)
    ]


def put_differences(documents: Documents, run_id: str, source: Source, found: Sequence[Difference]) -> None:
    documents.put_bytes(_differences_key(run_id, source), json.dumps(found).encode(), "application/json")


def stored_differences(documents: Documents, run_id: str, source: Source) -> list[Difference]:
    """The differences that a run found.

    Raises:
        NotStored: the bucket no longer keeps them.
    """
    kept: list[Difference] = json.loads(documents.get_bytes(_differences_key(run_id, source)))
    return kept


def _differences_key(run_id: str, source: Source) -> str:
    return f"recounts/{run_id}/differences-{source}.json"
