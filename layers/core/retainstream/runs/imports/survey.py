"""The first look at an uploaded file: its layout, its plain text where it is packed, and the parts by which it is loaded."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, TypedDict

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.parts import LayoutDocument, layout_document
from retainstream.engine.tables.safe_cells import unguarded
from retainstream.engine.tables.splitting import Place, Splitter
from retainstream.engine.tables.writings import fitting_writings
from retainstream.registry.active_schema import active_schema
from retainstream.runs.imports.known_ids import Reshaped, keep_spelling, reshaped, sample_of
from retainstream.runs.imports.plain_text import open_upload, plain_text
from retainstream.runs.imports.rejects import ERROR
from retainstream.runs.imports.view import ImportRun
from retainstream.runs.imports.work import (
    FileRecord,
    ImportFailed,
    Part,
    PartRecord,
    RunEvent,
    errors_in_words,
    get_document,
    put_document,
    record_of,
    upload_key,
    work_key,
)
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import Conflict, NotStored
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import PART, StoredFile, in_blocks

RESERVE_SECONDS = 60.0
"""A turn ends when less than this is left of its invocation."""
SMALLEST_PART = 8 << 20
MOST_PARTS = 300
LINES_PER_PARTITION = 2_000_000
MOST_UNPACKED = 50 * 10**9


class Begun(TypedDict):
    """`packed` files have to be unpacked first."""

    file: FileRecord
    packed: bool


class Upload(TypedDict):
    """An upload in parts, and how many parts it has."""

    id: str
    parts: int


class UnpackEvent(RunEvent):
    file: FileRecord
    upload: Upload | None


class Unpacked(TypedDict):
    """`file` is the plain file once it is done, and the packed one before."""

    done: bool
    file: FileRecord
    upload: Upload


class Survey(TypedDict):
    """The parts so far, and the offset and line of the next one."""

    done: Literal[False]
    parts: list[PartRecord]
    next: list[int]


class Surveyed(TypedDict):
    """The parts of the file, and the partitions in which ids are compared."""

    done: Literal[True]
    parts: list[PartRecord]
    part_count: int
    partitions: list[int]
    partition_count: int


class SurveyEvent(RunEvent):
    file: FileRecord
    found: Survey | None


def begin(stores: Stores, event: RunEvent) -> Begun:
    """Opens the run and reads the head of the file.

    Raises:
        ImportFailed: it is not the file that was announced, or no table that fits the schema.
    """
    schema, import_id = active_schema(stores.documents), event["import_id"]
    asked = _open(stores, import_id)["asked"]
    with errors_in_words(asked["file_name"]):
        file = stores.uploads.find(upload_key(import_id))
        if file is None:
            raise ImportFailed("The file is not in the bucket.")
        if file.size != asked["size"]:
            raise ImportFailed(f"The file has {file.size:,} bytes, but {asked['size']:,} were announced.")
        table, packed = open_upload(stores, file, asked)
        table.header = [unguarded(name) for name in table.header] if ERROR in table.header else table.header
        binding = bind(schema, table.header, source=table.source, line=table.header_line, partial=True, label_needed=False, hint=table.hint)
        fitting_writings(table, table.source, table.header, binding.placed(schema))
        put_document(stores, import_id, "layout.json", {**layout_document(table), "guarded": ERROR in binding.ignored})
        put_document(stores, import_id, "schema.json", schema.model_dump(mode="json"))
    return {"file": record_of(file), "packed": packed}


def _open(stores: Stores, import_id: str) -> ImportRun:
    try:
        run: ImportRun = stores.runs.begin(import_id)
    except (NotStored, Conflict) as error:
        raise ImportFailed("This import was never asked for, or has ended.") from error
    stores.runs.step_started(import_id, "survey")
    return run


def schema_of(stores: Stores, import_id: str) -> FeatureSchema:
    """The schema that was in force when the import began."""
    return FeatureSchema.model_validate(get_document(stores, import_id, "schema.json"))


def unpack(stores: Stores, event: UnpackEvent, seconds_left: SecondsLeft) -> Unpacked:
    """Writes the file's plain text, in UTF-8, beside it.

    A compressed stream or a workbook can only be entered at its beginning: so each turn reads the file from there, and writes from where
    the turn before stopped.

    Raises:
        ImportFailed: the file is damaged or too long, or a turn has no time to write more than the turn before.
    """
    packed, key, upload = StoredFile(**event["file"]), work_key(event["import_id"], "plain"), event["upload"]
    layout = get_document(stores, event["import_id"], "layout.json")
    with errors_in_words("The packed file"):
        upload_id = upload["id"] if upload else stores.uploads.begin(key)
        arrived = stores.uploads.parts(key, upload_id) if upload else {}
        written = upload["parts"] if upload else 0
        number, size = 0, 0
        turn = Turn(seconds_left, RESERVE_SECONDS, enumerate(in_blocks(plain_text(stores, packed, layout), PART), start=1))
        for number, block in turn:
            size += len(block)
            if size > MOST_UNPACKED:
                raise ImportFailed(f"The file unpacks to more than {MOST_UNPACKED // 10**9} GB. Split it into several.")
            if number > written:
                arrived[number] = stores.uploads.put_part(key, upload_id, number, block)
        if not number:
            raise ImportFailed("The file is empty; the first line must name the columns.")
        if turn.over:
            if number <= written:
                raise ImportFailed("The file takes too long to unpack. Split it into several, or upload it as plain CSV.")
            return {"done": False, "file": event["file"], "upload": {"id": upload_id, "parts": number}}
        stores.uploads.complete(key, upload_id, arrived)
        plain = stores.uploads.find(key)
        if plain is None:
            raise NotStored(key)
    return {"done": True, "file": record_of(plain), "upload": {"id": upload_id, "parts": number}}


def survey(stores: Stores, event: SurveyEvent, seconds_left: SecondsLeft) -> Survey | Surveyed:
    """Divides the file where records begin.

    Every byte is read in order, so that no part begins inside quotes and every line has its number.
    """
    import_id, file, before = event["import_id"], StoredFile(**event["file"]), event["found"]
    with errors_in_words("The survey of the file"):
        layout = get_document(stores, import_id, "layout.json")
        parts = [Part(**part) for part in before["parts"]] if before else []
        place = Place(*before["next"]) if before else Place(0, 1)
        splitter = Splitter(stores.uploads.open(file, place.offset), layout["delimiter"], place)
        if before is None:
            splitter.skip_lines(layout["header_line"])
        least = max(SMALLEST_PART, math.ceil(file.size / MOST_PARTS))
        *_, more = Turn(seconds_left, RESERVE_SECONDS, _divided(splitter, least, parts))
    records = [part.record for part in parts]
    if more:
        return {"done": False, "parts": records, "next": [splitter.place.offset, splitter.place.line]}
    ids = _reshaped_ids(stores, import_id, file, parts, layout)
    partitions = min(MOST_PARTS, math.ceil((sum(part.lines for part in parts) + 1) / LINES_PER_PARTITION))
    detail = {"bytes": file.size, "lines": splitter.place.line - 1, "parts": len(parts)}
    if ids:
        stores.runs.step_finished(import_id, "survey", {**detail, "question": {"sentence": ids.sentence, "examples": ids.examples}})
        raise ImportFailed(f"{ids.sentence}. Import the file again, and say with ids whether they are the same customers.")
    stores.runs.step_finished(import_id, "survey", detail)
    stores.runs.step_started(import_id, "compare")
    return {
        "done": True,
        "parts": records,
        "part_count": len(parts),
        "partitions": list(range(partitions)),
        "partition_count": partitions,
    }


def _reshaped_ids(stores: Stores, import_id: str, file: StoredFile, parts: Sequence[Part], layout: LayoutDocument) -> Reshaped | None:
    """The new customers of the file who are known in another spelling of their ids, where somebody has to be asked. Where the request says
    that they are the known ones, the spelling is kept for the whole import."""
    ids = stores.runs.existing(import_id)["asked"].get("ids")
    if ids == "as-written":
        return None
    sample = sample_of(stores, file, parts, layout, schema_of(stores, import_id))
    found = reshaped(sample, lambda texts: stores.customers.left(texts).keys())
    if found is None or ids is None:
        return found
    keep_spelling(stores, import_id, found.spelling)
    return None


def _divided(splitter: Splitter, least: int, parts: list[Part]) -> Iterator[bool]:
    """Appends one part after the other, of `least` bytes or the record at their end more, and says whether there may be more."""
    more = True
    while more:
        start = splitter.place
        more = splitter.skip_records(least)
        end = splitter.place
        if end.offset > start.offset:
            parts.append(Part(len(parts), start.offset, start.line, end.offset, end.line - start.line))
        yield more
