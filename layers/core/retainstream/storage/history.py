"""The history in the bucket: rows on their way as gzipped lines of JSON, and rows kept as Parquet files by anchor."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from retainstream.engine.history.rows import ArrivingRow
from retainstream.storage.documents import Documents, StoredObject

PREFIX = "history/"
PERFORMANCE = f"{PREFIX}performance.json"
"""The figures of earlier predictions by month, which the dashboard reads."""
_PACKED = ".ndjson.gz"
_FAST = 1
"""The level of compression: the lines live for minutes."""
_GZIP = 31
"""zlib's number for gzip with its largest window."""


class ArrivingPart:
    """Rows of one part of a run, packed as they come."""

    def __init__(self) -> None:
        self.rows = 0
        self._packed = bytearray()
        self._packing = zlib.compressobj(level=_FAST, wbits=_GZIP)

    def add(self, rows: Iterable[ArrivingRow]) -> None:
        for row in rows:
            line = json.dumps(row, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            self._packed += self._packing.compress(line.encode() + b"\n")
            self.rows += 1

    def content(self) -> bytes:
        """The packed rows; nothing is added afterwards."""
        return bytes(self._packed + self._packing.flush())


@dataclass(frozen=True)
class HistoryFile:
    """A file of the rows of one anchor (2026-01-31), and its size in bytes."""

    key: str
    anchor: str
    size: int


@dataclass(frozen=True)
class Arrivals:
    """Rows that runs leave, at history/arriving/<run id>/<part>.ndjson.gz, until they are kept as Parquet."""

    documents: Documents

    def put(self, run_id: str, part: str, rows: Iterable[ArrivingRow]) -> int:
        """Leaves the rows of a part, in place of those that an earlier attempt left. Returns their number."""
        packed = ArrivingPart()
        packed.add(rows)
        return self.put_packed(run_id, part, packed)

    def put_packed(self, run_id: str, part: str, packed: ArrivingPart) -> int:
        """The same, for rows that were packed as they came. A part without rows leaves nothing."""
        if packed.rows:
            self.documents.put_bytes(f"{_arriving(run_id)}{part}{_PACKED}", packed.content(), "application/gzip")
        return packed.rows

    def parts(self, run_id: str) -> list[tuple[str, StoredObject]]:
        """The parts of a run that are not kept yet, by name."""
        prefix = _arriving(run_id)
        return sorted((stored.key.removeprefix(prefix).removesuffix(_PACKED), stored) for stored in self.documents.objects(prefix))

    def remove(self, part: StoredObject) -> None:
        """Removes a part for good."""
        self.documents.remove(part.key)

    def older_than(self, moment: datetime) -> list[StoredObject]:
        """The parts of all runs that were left before this moment: of runs that failed before they kept them."""
        return [part for part in self.documents.objects(f"{PREFIX}arriving/") if part.written_at < moment]


@dataclass(frozen=True)
class History:
    """The kept rows, at history/anchor=<day>/<run id>-<part>.parquet."""

    documents: Documents

    def files(self) -> list[HistoryFile]:
        """All files, by anchor and name."""
        return [HistoryFile(stored.key, _anchor_in(stored.key), stored.size) for stored in self.documents.objects(f"{PREFIX}anchor=")]

    def fetch(self, file: HistoryFile, path: Path) -> None:
        """Copies a file to this machine.

        Raises:
            NotStored: the file has been removed.
        """
        self.documents.get_file(file.key, path)

    def put(self, anchor: str, name: str, path: Path) -> None:
        """Keeps a file, in place of the one that an earlier attempt left."""
        self.documents.put_file(f"{PREFIX}anchor={anchor}/{name}.parquet", path, "application/vnd.apache.parquet")

    def replace(self, file: HistoryFile, path: Path) -> None:
        """Puts another file in the place of this one, of which no version stays."""
        self.documents.put_file(file.key, path, "application/vnd.apache.parquet")
        self.documents.remove(file.key, but_latest=True)

    def remove(self, file: HistoryFile) -> None:
        """Removes a file for good."""
        self.documents.remove(file.key)


def _arriving(run_id: str) -> str:
    return f"{PREFIX}arriving/{run_id}/"


def _anchor_in(key: str) -> str:
    return key.removeprefix(f"{PREFIX}anchor=").partition("/")[0]
