"""The first look at an uploaded file: how it is written, its plain text where it is packed, and the parts it is loaded by."""

import codecs
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables import open_table
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.parts import layout_document
from retainstream.engine.tables.splitting import Place, Splitter
from retainstream.runs.imports.keys import upload_key, work_key
from retainstream.runs.imports.work import (
    Document,
    ImportFailed,
    Part,
    file_document,
    file_of,
    get_document,
    put_document,
    told_plainly,
)
from retainstream.storage.errors import Conflict, NotStored
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import PART, StoredFile, in_blocks

RESERVE_SECONDS = 60.0
"""A step answers where to go on when less than this is left of its invocation."""
SMALLEST_PART = 8 << 20
MOST_PARTS = 300
LINES_PER_PARTITION = 2_000_000
MOST_UNPACKED = 50 * 10**9
_HEAD = 4 << 20
_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def begin(stores: Stores, schema: FeatureSchema, import_id: str) -> Document:
    """Opens the run and reads the head of the file: {file, packed (it has to be unpacked first)}.

    Raises:
        ImportFailed: it is not the file that was announced, or no table that fits the schema.
    """
    run = _open(stores, import_id)
    asked = run["asked"]
    with told_plainly(asked["file_name"]):
        file = stores.uploads.find(upload_key(import_id))
        if file is None:
            raise ImportFailed("The file is not in the bucket.")
        if file.size != asked["size"]:
            raise ImportFailed(f"The file has {file.size:,} bytes, but {asked['size']:,} were announced.")
        magic = stores.uploads.read(file, 0, min(2, file.size))
        if asked.get("gzip") is not None and asked["gzip"] != (magic == _GZIP):
            raise ImportFailed(f"The file is {'' if magic == _GZIP else 'not '}compressed with gzip, other than announced.")
        head = next(in_blocks(_unzipped(stores, file, magic == _GZIP), _HEAD), b"")
        table = open_table(io.BytesIO(head), name=asked["file_name"])
        bind(schema, table.header, source=table.source, line=table.header_line, label_needed=False)
        put_document(stores, import_id, "layout.json", layout_document(table))
        put_document(stores, import_id, "schema.json", schema.model_dump(mode="json"))
    return {"file": file_document(file), "packed": magic == _GZIP or head[:2] in _UTF_16}


def _open(stores: Stores, import_id: str) -> Document:
    try:
        run = stores.runs.begin(import_id)
    except (NotStored, Conflict) as error:
        raise ImportFailed("This import was never asked for, or has ended.") from error
    stores.runs.step_started(import_id, "survey")
    return run


def unpack(
    stores: Stores, import_id: str, file: Mapping[str, Any], upload: Mapping[str, Any] | None, seconds_left: Callable[[], float]
) -> Document:
    """Writes the file's plain text, in UTF-8, beside it: {done, file (the plain one, once it is done), upload}.

    When the time of an invocation runs out, the next one reads from the beginning again, and writes from where this one stopped: a
    compressed stream can be entered nowhere else.

    Raises:
        ImportFailed: it is damaged, too long, or unpacking it again takes all the time there is.
    """
    packed, key = file_of(file), work_key(import_id, "plain")
    with told_plainly("The compressed file"):
        upload_id = upload["id"] if upload else stores.uploads.begin(key)
        arrived = stores.uploads.parts(key, upload_id) if upload else {}
        written = upload["parts"] if upload else 0
        number, size = 0, 0
        for number, block in enumerate(in_blocks(_plain(stores, packed), PART), start=1):
            size += len(block)
            if size > MOST_UNPACKED:
                raise ImportFailed(f"The file unpacks to more than {MOST_UNPACKED // 10**9} GB. Split it into several.")
            if number > written:
                arrived[number] = stores.uploads.put_part(key, upload_id, number, block)
            if seconds_left() < RESERVE_SECONDS:
                if number <= written:
                    raise ImportFailed("The file takes too long to unpack. Split it into several, or upload it as plain CSV.")
                return {"done": False, "file": dict(file), "upload": {"id": upload_id, "parts": number}}
        if not number:
            raise ImportFailed("The file is empty; the first line must name the columns.")
        stores.uploads.complete(key, upload_id, arrived)
        plain = stores.uploads.find(key)
        if plain is None:
            raise NotStored(key)
    return {"done": True, "file": file_document(plain), "upload": {"id": upload_id, "parts": number}}


def _unzipped(stores: Stores, file: StoredFile, zipped: bool) -> Iterator[bytes]:
    stream = stores.uploads.open(file)
    source = gzip.GzipFile(fileobj=stream) if zipped else stream
    try:
        while piece := source.read(_PIECE):
            yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportFailed("The compressed file is damaged, or ends too early.") from error


def _plain(stores: Stores, file: StoredFile) -> Iterator[bytes]:
    pieces = _unzipped(stores, file, stores.uploads.read(file, 0, min(2, file.size)) == _GZIP)
    first = next(pieces, b"")
    if first[:2] not in _UTF_16:
        yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def survey(
    stores: Stores, import_id: str, file: Mapping[str, Any], found: Mapping[str, Any] | None, seconds_left: Callable[[], float]
) -> Document:
    """Divides the file where records begin: {done, parts, part_count, partitions (of the comparison), partition_count}, or {done, parts,
    next}.

    Every byte is read in order, so that no part begins inside quotes and every line has its number; `next` is where to go on when the time
    of an invocation runs out.
    """
    stored = file_of(file)
    least = max(SMALLEST_PART, math.ceil(stored.size / MOST_PARTS))
    with told_plainly("The survey of the file"):
        layout = get_document(stores, import_id, "layout.json")
        parts = [Part.of(part) for part in found["parts"]] if found else []
        place = Place(*found["next"]) if found else Place(0, 1)
        splitter = Splitter(stores.uploads.open(stored, place.offset), layout["delimiter"], place)
        if found is None:
            splitter.skip_lines(layout["header_line"])
        while True:
            start = splitter.place
            more = splitter.skip_records(least)
            if splitter.place.offset > start.offset:
                end = splitter.place
                parts.append(Part(len(parts), start.offset, start.line, end.offset, end.line - start.line))
            if not more:
                break
            if seconds_left() < RESERVE_SECONDS:
                return {"done": False, "parts": [asdict(part) for part in parts], "next": [splitter.place.offset, splitter.place.line]}
        lines = sum(part.lines for part in parts) + 1
    partitions = min(MOST_PARTS, math.ceil(lines / LINES_PER_PARTITION))
    stores.runs.step_finished(import_id, "survey", {"bytes": stored.size, "lines": splitter.place.line - 1, "parts": len(parts)})
    stores.runs.step_started(import_id, "compare")
    return {
        "done": True,
        "parts": [asdict(part) for part in parts],
        "part_count": len(parts),
        "partitions": list(range(partitions)),
        "partition_count": partitions,
    }
