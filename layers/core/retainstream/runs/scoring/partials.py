"""What the invocations of a run leave in the bucket for its end.

A state machine carries at most 256 kB, which the counts of a thousand segments exceed; so they go by way of the bucket. Each invocation
writes what it counted itself, under its segment and its turn in the segment. One that is tried again writes the same document again: what
is added up at the end holds every invocation once.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from retainstream.engine.monitoring.tally import Tally, tally_from, total
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored

_READERS = 8


class LostCounts(Exception):
    """An invocation's counts are not in the bucket; the message names its segment."""


@dataclass(frozen=True)
class Counted:
    """What was counted of some customers: the run's counts by name, and the tally for drift and the estimate of performance."""

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

    def add_up(self, parts: Sequence[Mapping[str, Any]]) -> Counted:
        """The counts of every turn of every part, added up and kept for `whole`.

        Raises:
            LostCounts: those of a turn are not there.
        """
        turns = [(part["segment"], turn) for part in parts for turn in range(part["turns"])]
        with ThreadPoolExecutor(_READERS) as pool:
            found = list(pool.map(self._get, turns))
        counted = Counted(sum((one.counts for one in found), Counter()), total(one.tally for one in found))
        self.documents.put_bytes(self._key("whole"), counted.to_bytes(), "application/json")
        return counted

    def whole(self) -> Counted:
        """What was added up.

        Raises:
            NotStored: nothing was yet.
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
