"""The history in the bucket: rows on their way as gzipped lines of JSON, and rows kept as Parquet files by anchor."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from retainstream.engine.history.rows import ArrivingRow
from retainstream.storage.documents import Documents

PREFIX = "history/"
_FAST = 1
"""The level of compression: the lines live for minutes."""
_GZIP = 31
"""zlib's number for a stream with gzip's header."""


class ArrivingPart:
    """Rows of one part of a run, packed as they come."""

    def __init__(self) -> None:
        self.rows = 0
        self._packed = BytesIO()
        self._gzip = zlib.compressobj(_FAST, wbits=_GZIP)  # no file, which would have to be closed where a part is given up

    def add(self, rows: Iterable[ArrivingRow]) -> None:
        for row in rows:
            line = json.dumps(row, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"
            self._packed.write(self._gzip.compress(line))
            self.rows += 1

    def content(self) -> bytes:
        """The packed rows; nothing is added afterwards."""
        return self._packed.getvalue() + self._gzip.flush()


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
            self.documents.put_bytes(f"{_arriving(run_id)}{part}.ndjson.gz", packed.content(), "application/gzip")
        return packed.rows


def _arriving(run_id: str) -> str:
    return f"{PREFIX}arriving/{run_id}/"
