"""The rows of a file that have the id (and the day, where a column says it) of an earlier row, found without holding all ids in memory.

Every part writes a digest of each id with its line, in order, divided by the digest's value into partitions. A partition has every row of
an id, whichever part it is in, and is small enough for a function's memory.
"""

import hashlib
import struct
from array import array
from collections.abc import Iterator
from typing import TypedDict

from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.parts import BrokenRecord, part_of
from retainstream.engine.tables.spelling import cleaned
from retainstream.runs.imports.known_ids import kept_spelling
from retainstream.runs.imports.survey import schema_of
from retainstream.runs.imports.work import FileRecord, Part, PartRecord, RunEvent, errors_in_words, get_document, work_key
from retainstream.storage.errors import NotStored
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import StoredFile

_DIGEST = 12
_ROW = struct.Struct(f"<{_DIGEST}sI")


class IndexEvent(RunEvent):
    """`partitions` is their number."""

    file: FileRecord
    part: PartRecord
    partitions: int


class Indexed(TypedDict):
    part: int
    rows: int


class CompareEvent(RunEvent):
    """`partition` is a number from 0; `partitions` and `parts` are how many there are."""

    partition: int
    partitions: int
    parts: int


class Compared(TypedDict):
    """`repeated` rows have the id of an earlier one."""

    partition: int
    repeated: int


class RepeatedLines:
    """Lines of one part whose rows have the id of an earlier row."""

    def __init__(self, part: Part) -> None:
        self._first = part.line
        self._marks = bytearray(part.lines + 1)

    def add(self, lines: array[int]) -> None:
        """Takes in lines, counted from the part's first."""
        for line in lines:
            self._marks[line] = 1

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and bool(self._marks[line - self._first])


def index(stores: Stores, event: IndexEvent) -> Indexed:
    """Counts the rows of a part, and writes the digests of their ids."""
    import_id, part, partitions = event["import_id"], Part(**event["part"]), event["partitions"]
    schema = schema_of(stores, import_id)
    with errors_in_words(part.name):
        layout = get_document(stores, import_id, "layout.json")
        table = part_of(layout, stores.uploads.open(StoredFile(**event["file"]), part.start, part.end), part.place)
        binding = bind(schema, table.header, source=table.source, partial=True, label_needed=False)
        place, day = binding.id, binding.day
        spelling = kept_spelling(stores, import_id)
        sections = [bytearray() for _ in range(partitions)]
        rows = 0
        for line, record in table.records():
            rows += 1
            if place is None or isinstance(record, BrokenRecord) or not (customer_id := cleaned(record[place])):
                continue
            customer_id = spelling(customer_id) if spelling else customer_id
            key = customer_id if day is None else f"{customer_id}\0{record[day].strip()}"
            digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
            sections[int.from_bytes(digest[:4]) % partitions] += _ROW.pack(digest, line - part.line)
        lengths = struct.pack(f"<{partitions}Q", *map(len, sections))
        stores.documents.put_bytes(work_key(import_id, f"ids/{part.part}"), lengths + b"".join(sections))
    return {"part": part.part, "rows": rows}


def compare(stores: Stores, event: CompareEvent) -> Compared:
    """Finds the repeated ids of one partition, and writes their lines for each part."""
    import_id, partition, partitions = event["import_id"], event["partition"], event["partitions"]
    seen: set[bytes] = set()
    repeated = 0
    with errors_in_words(f"The comparison of ids ({partition + 1} of {partitions})"):
        for part in range(event["parts"]):
            lines = array("I")
            for digest, line in _ROW.iter_unpack(_read_section(stores, import_id, part, partition, partitions)):
                if digest in seen:
                    lines.append(line)
                else:
                    seen.add(digest)
            if lines:
                repeated += len(lines)
                stores.documents.put_bytes(work_key(import_id, f"repeated/{part}/{partition}"), lines.tobytes())
    return {"partition": partition, "repeated": repeated}


def repeated_lines(stores: Stores, import_id: str, part: Part) -> RepeatedLines:
    """The repeated lines of a part, from all partitions."""
    repeated = RepeatedLines(part)
    for key in _keys(stores, work_key(import_id, f"repeated/{part.part}/")):
        repeated.add(array("I", stores.documents.get_bytes(key)))
    return repeated


def _keys(stores: Stores, prefix: str) -> Iterator[str]:
    last = ""
    while keys := stores.uploads.keys(prefix, 1000, last):
        yield from keys
        last = keys[-1]


def _read_section(stores: Stores, import_id: str, part: int, partition: int, partitions: int) -> bytes:
    key = work_key(import_id, f"ids/{part}")
    file = stores.uploads.find(key)
    if file is None:
        raise NotStored(key)
    lengths = struct.unpack(f"<{partitions}Q", stores.uploads.read(file, 0, 8 * partitions))
    start = 8 * partitions + sum(lengths[:partition])
    return stores.uploads.read(file, start, start + lengths[partition])
