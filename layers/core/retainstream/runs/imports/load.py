"""The load of one part of a file: every row judged by the schema, and written where it says something new.

A part is loaded in spans of SPAN_ROWS rows. What was counted of a span, and the faults of its rejected rows, go to the bucket under the
place the span begins at, when all its rows are written: so an invocation that is tried again passes over the spans that are done, and
what is added up at the end has every row once.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import batched, islice
from typing import Any

from retainstream.customers.intake import Intake
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables import TableProblem
from retainstream.engine.tables.parts import TablePart, part_of
from retainstream.engine.tables.splitting import Place
from retainstream.runs.imports.compare import repeated_lines
from retainstream.runs.imports.keys import work_key
from retainstream.runs.imports.merge import Import
from retainstream.runs.imports.rejects import Rejects, as_csv
from retainstream.runs.imports.rows import store_page
from retainstream.runs.imports.survey import RESERVE_SECONDS
from retainstream.runs.imports.work import Document, Part, file_of, get_document, put_document, told_plainly
from retainstream.storage.errors import NotStored
from retainstream.storage.stores import Stores

SPAN_ROWS = 20_000
PAGE = 500
FIRST_REJECTS = 20


@dataclass
class Loaded:
    """What became of some rows: how many rows, accepted, rejected, and of the accepted created, changed, unchanged, older; the faults."""

    counts: Counter[str] = field(default_factory=Counter)
    rejects: Rejects = field(default_factory=Rejects)


def load(stores: Stores, import_id: str, file: Mapping[str, Any], turn: Mapping[str, Any], seconds_left: Callable[[], float]) -> Document:
    """Loads a part from where its last turn stopped: {part, next, counts, done}. `turn` is the same; `next` is null at first.

    Raises:
        StorageUnavailable: storage did not answer; the turn may be tried again.
        ImportFailed: anything else.
    """
    part = Part.of(turn["part"])
    place = Place(*turn["next"]) if turn["next"] else part.place
    total = Counter[str](turn["counts"])
    with told_plainly(part.name):
        schema = FeatureSchema.model_validate(get_document(stores, import_id, "schema.json"))
        layout = get_document(stores, import_id, "layout.json")
        by = Import(import_id, stores.runs.existing(import_id)["asked"]["as_of"], schema.horizon_days)
        repeated = repeated_lines(stores, import_id, part)
        while place.offset < part.end:
            done = kept_span(stores, import_id, place)
            if done:
                place = Place(*done["end"])
                total.update(done["counts"])
            else:
                stream = stores.uploads.open(file_of(file), place.offset, part.end)
                for loaded, end in load_spans(stores, schema, by, part_of(layout, stream, place), repeated):
                    _keep_span(stores, import_id, place, end, loaded)
                    place = end
                    total.update(loaded.counts)
                    stores.runs.note_part(import_id, part.part, total)
                    if place.offset >= part.end or seconds_left() < RESERVE_SECONDS:
                        break  # what begins at the end of this part is the next one's
            if seconds_left() < RESERVE_SECONDS:
                break
        stores.runs.note_part(import_id, part.part, total)
    return {"part": asdict(part), "next": [place.offset, place.line], "counts": total, "done": place.offset >= part.end}


def load_spans(
    stores: Stores, schema: FeatureSchema, by: Import, table: TablePart, repeated: Container[int] | None = None
) -> Iterator[tuple[Loaded, Place]]:
    """Writes the rows of an open part, span by span. Yields what became of each span, and where the next one begins.

    `repeated` are the lines of rows with the id of an earlier one; without it the ids of the part are remembered.
    """
    loaded = Loaded()
    intake = Intake(table, schema, lambda problem: loaded.rejects.add(problem), repeated=repeated)
    judged = intake.judged()
    while True:
        loaded, misencoded = Loaded(), table.misencoded
        for page in batched(islice(judged, SPAN_ROWS), PAGE):
            items = [item for item in page if item is not None]
            loaded.counts.update(rows=len(page), accepted=len(items), rejected=len(page) - len(items))
            loaded.counts.update(store_page(stores, items, by))
        loaded.counts.update(misencoded=table.misencoded - misencoded)
        yield loaded, table.splitter.place
        if loaded.counts["rows"] < SPAN_ROWS:
            return


def kept_spans(stores: Stores, import_id: str, part: Part) -> Iterator[Document]:
    """What is kept of the spans of a part, in order, as far as they are done."""
    place = part.place
    while place.offset < part.end and (span := kept_span(stores, import_id, place)):
        yield span
        place = Place(*span["end"])


def kept_span(stores: Stores, import_id: str, place: Place) -> Document | None:
    """{start, end, counts, first (rejects), rejects (whether there are any)} of the span that begins at a place, if it is done."""
    try:
        kept: Document = get_document(stores, import_id, f"spans/{place.offset}.json")
    except NotStored:
        return None
    return kept


def rejects_of(stores: Stores, import_id: str, span: Document) -> bytes:
    """The rows of the rejects file that come from a span."""
    return stores.documents.get_bytes(work_key(import_id, f"rejects/{span['start'][0]}.csv")) if span["rejects"] else b""


def _keep_span(stores: Stores, import_id: str, start: Place, end: Place, loaded: Loaded) -> None:
    listed = loaded.rejects.listed
    if listed:
        stores.documents.put_bytes(work_key(import_id, f"rejects/{start.offset}.csv"), as_csv(listed), "text/csv; charset=utf-8")
    span = {
        "start": [start.offset, start.line],
        "end": [end.offset, end.line],
        "counts": loaded.counts,
        "first": [_shown(problem) for problem in listed[:FIRST_REJECTS]],
        "rejects": bool(listed),
    }
    put_document(stores, import_id, f"spans/{start.offset}.json", span)


def _shown(problem: TableProblem) -> Document:
    return {"line": problem.line, "column": problem.column, "reason": problem.detail}
