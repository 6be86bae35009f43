"""Counting the rows of a table anew, part by part, as a recount does.

The sums of a part go to the bucket under a name of their own, which the part then carries. So an invocation that was taken for dead and is
not can write nothing into what its successor counts.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import READ, Counters, Row, recount, total
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Source
from retainstream.storage.stores import Stores

ROWS_PER_SEGMENT = 50_000
PAGE = 1000
RESERVE_SECONDS = 20.0
"""A part answers where to go on when less than this is left of its invocation."""
_READERS = 8
_FINGERPRINT_BYTES = 16
_ATTRIBUTES = tuple(sorted(READ | {"customer_id", "updated_at", "scored_at", "run_id"}))

type Document = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """What was counted of some rows. The fingerprint is that of the set of rows, each with the moment it was written."""

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
    """Tallies of different rows, as one."""
    parts = list(tallies)
    fingerprint = sum(part.fingerprint for part in parts) % (1 << 8 * _FINGERPRINT_BYTES)
    return Tally(sum(part.rows for part in parts), fingerprint, total(part.counters for part in parts))


def tally(source: Source, rows: Sequence[Row]) -> Tally:
    """What these rows add."""
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
        with ThreadPoolExecutor(_READERS) as pool:
            return add_up(pool.map(self.get, names))


def parts_of(stores: Stores, source: Source, *, most_segments: int) -> list[Document]:
    """The parts that a count of the table is divided into."""
    rows = _table(stores, source).approximate_count()
    segments = max(1, min(most_segments, -(-rows // ROWS_PER_SEGMENT)))
    return [
        {"source": source, "segment": segment, "segments": segments, "start": None, "tally": None, "done": False}
        for segment in range(segments)
    ]


def count_part(stores: Stores, tallies: Tallies, part: Mapping[str, Any], seconds_left: Callable[[], float]) -> Document:
    """Counts a part from its `start`, by strongly consistent reads. Returns it with the new `start`, the name of its `tally` so far, and
    whether it is `done`."""
    source, start = part["source"], part["start"]
    counted = tallies.get(part["tally"]) if part["tally"] else Tally()
    place: dict[str, Any] = {"segment": part["segment"], "segments": part["segments"], "attributes": _ATTRIBUTES, "consistent": True}
    while True:
        page = _table(stores, source).page(PAGE, start, **place)
        counted += tally(source, page.items)
        start = page.next_key
        if start is None or seconds_left() < RESERVE_SECONDS:
            return {**part, "start": start, "tally": tallies.put(counted), "done": start is None}


def _table(stores: Stores, source: Source) -> Customers | Predictions:
    return stores.customers if source == "customers" else stores.predictions
