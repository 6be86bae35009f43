"""The counts that a run's invocations leave in the bucket for its last steps.

A state machine carries at most 256 kB, which the counts of a thousand segments exceed; so they go through the bucket. Each invocation
writes its own counts, under its segment and its turn in the segment. An invocation that is tried again writes the same document again, so
the sum at the end has every invocation once.
"""

import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from retainstream.engine.monitoring.tally import Tally, tally_from, total
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored

_READERS = 8


class LostCounts(Exception):
    """An invocation's counts are not in the bucket; the message names its segment."""


@dataclass(frozen=True)
class Counted:
    """The counts of some customers: the run's counts by name, and the tally for drift and for the estimate of performance."""

    counts: Counter[str]
    tally: Tally

    def to_bytes(self) -> bytes:
        return json.dumps({"counts": self.counts, "tally": self.tally.document()}, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Counted":
        document = json.loads(content)
        return cls(Counter(document["counts"]), tally_from(document["tally"]))


@dataclass(frozen=True)
class Partials:
    """The partial counts of one run."""

    documents: Documents
    run_id: str

    def put(self, segment: int, turn: int, counted: Counted) -> None:
        self.documents.put_bytes(self._key(f"{segment}-{turn}"), counted.to_bytes(), "application/json")

    def add_up(self, turns_of: Iterable[tuple[int, int]]) -> Counted:
        """The sum of all turns, which is kept for `whole`. `turns_of` are the segments, each with its number of turns.

        Raises:
            LostCounts: the counts of a turn are not there.
        """
        places = [(segment, turn) for segment, turns in turns_of for turn in range(turns)]
        with ThreadPoolExecutor(_READERS) as pool:
            partials = list(pool.map(self._get, places))
        counted = Counted(sum((partial.counts for partial in partials), Counter()), total(partial.tally for partial in partials))
        self.documents.put_bytes(self._key("whole"), counted.to_bytes(), "application/json")
        return counted

    def whole(self) -> Counted:
        """The sum of all turns.

        Raises:
            NotStored: the turns were not added up yet.
        """
        return Counted.from_bytes(self.documents.get_bytes(self._key("whole")))

    def _get(self, place: tuple[int, int]) -> Counted:
        segment, turn = place
        try:
            return Counted.from_bytes(self.documents.get_bytes(self._key(f"{segment}-{turn}")))
        except NotStored as error:
            raise LostCounts(f"The counts of segment {segment + 1} are not in the bucket.") from error

    def _key(self, name: str) -> str:
        return f"scoring/{self.run_id}/{name}.json"
