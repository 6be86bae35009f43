"""Loading one part of a file: every row is judged by the schema, and written where it says something new.

A part is loaded in spans of SPAN_ROWS rows, or fewer where many of them are to be corrected. When all rows of a span are written, its
counts, its faults and the rows to correct go to the bucket, under the place at which the span begins. So a turn that is tried again passes
over the spans that are done, and the sums at the end have every row once.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from retainstream.customers.arrival import Arrival
from retainstream.customers.intake import Intake
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables import TableProblem
from retainstream.engine.tables.parts import TablePart, part_of
from retainstream.engine.tables.reading import NEW
from retainstream.engine.tables.splitting import Place
from retainstream.engine.tables.unread import Unread, UnreadCount
from retainstream.runs.imports.compare import repeated_lines
from retainstream.runs.imports.known_ids import Spelling, kept_spelling
from retainstream.runs.imports.merge import Import
from retainstream.runs.imports.rejects import Kinds, RowsToCorrect, error_of, error_of_unread
from retainstream.runs.imports.rows import store_page, without_repeats
from retainstream.runs.imports.survey import RESERVE_SECONDS, schema_of
from retainstream.runs.imports.view import ImportRun, RejectedRow, moments_asked
from retainstream.runs.imports.work import FileRecord, Part, PartRecord, RunEvent, errors_in_words, get_document, put_document, work_key
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import NotStored
from retainstream.storage.history import Arrivals, ArrivingPart
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import StoredFile

SPAN_ROWS = 20_000
PAGE = 500
MOST_LISTED = 1_000
"""Kinds of faults, and texts of cells that could not be read, which a span lists; all others are counted together."""
_SPAN_BYTES = 16 << 20
"""A span ends when its rows to correct are this long."""
_PAGE_CHARACTERS = 8 << 20


class LoadTurn(TypedDict):
    """A part, the offset and line at which the next turn begins (null at first), and the counts so far."""

    part: PartRecord
    next: list[int] | None
    counts: Mapping[str, int]


class PartLoaded(LoadTurn):
    done: bool


class LoadEvent(RunEvent):
    file: FileRecord
    turn: LoadTurn


class Span(TypedDict):
    """A span that is done: offset and line of its start and end, its counts, the kinds of faults of its rejected rows, the cells that
    could not be read, and whether it has rejected rows and accepted rows with such cells. Spans of earlier versions have the first faults
    in place of the kinds."""

    start: list[int]
    end: list[int]
    counts: Mapping[str, int]
    first: NotRequired[list[RejectedRow]]
    kinds: NotRequired[list[RejectedRow]]
    rejects: bool
    unread: NotRequired[list[UnreadCount]]
    unread_rows: NotRequired[bool]


@dataclass
class Loaded:
    """The counts of some rows (rows, accepted, rejected, of the accepted their fates, and the facts in them), the kinds of their faults,
    their cells that could not be read, the rows to correct as lines of a file, and their features for the history."""

    counts: Counter[str] = field(default_factory=Counter)
    kinds: Kinds = field(default_factory=Kinds)
    unread: Unread = field(default_factory=Unread)
    rejected_rows: bytearray = field(default_factory=bytearray)
    unread_rows: bytearray = field(default_factory=bytearray)
    snapshots: ArrivingPart = field(default_factory=ArrivingPart)

    @property
    def is_full(self) -> bool:
        """Whether a span ends here."""
        return self.counts["rows"] >= SPAN_ROWS or len(self.rejected_rows) + len(self.unread_rows) >= _SPAN_BYTES


def load(stores: Stores, event: LoadEvent, seconds_left: SecondsLeft) -> PartLoaded:
    """Loads a part from where its last turn stopped.

    Raises:
        StorageUnavailable: storage did not answer; the turn may be tried again.
        ImportFailed: anything else.
    """
    import_id, turn, part = event["import_id"], event["turn"], Part(**event["turn"]["part"])
    end = Place(*turn["next"]) if turn["next"] else part.place
    total = Counter[str](turn["counts"])
    with errors_in_words(part.name):
        for span in Turn(seconds_left, RESERVE_SECONDS, _spans(stores, import_id, StoredFile(**event["file"]), part, end)):
            end = Place(*span["end"])
            total.update(span["counts"])
            stores.runs.note_part(import_id, part.part, total)
    return {"part": turn["part"], "next": [end.offset, end.line], "counts": total, "done": end.offset >= part.end}


def _spans(stores: Stores, import_id: str, file: StoredFile, part: Part, place: Place) -> Iterator[Span]:
    """The spans of a part from a place on, each as soon as it is done; a span that an earlier turn has done is not loaded again."""
    run: ImportRun = stores.runs.existing(import_id)
    schema, layout = schema_of(stores, import_id), get_document(stores, import_id, "layout.json")
    by = Import(import_id, moments_asked(run["asked"]), run["asked"].get("source", "import"))
    repeated, spelling = repeated_lines(stores, import_id, part), kept_spelling(stores, import_id)
    while place.offset < part.end:
        if span := kept_span(stores, import_id, place):
            yield span
            place = Place(*span["end"])
            continue
        table = part_of(layout, stores.uploads.open(file, place.offset, part.end), place)
        for loaded, end in load_spans(stores, schema, by, table, repeated, spelling):
            Arrivals(stores.documents).put_packed(import_id, f"{place.offset}", loaded.snapshots)
            yield _keep_span(stores, import_id, place, end, loaded)
            place = end
            if place.offset >= part.end:
                break  # a row that begins at the end of this part belongs to the next one


def load_spans(
    stores: Stores,
    schema: FeatureSchema,
    by: Import,
    table: TablePart,
    repeated: Container[int] | None = None,
    spelling: Spelling | None = None,
) -> Iterator[tuple[Loaded, Place]]:
    """Writes the rows of an open part, span by span. Yields what was loaded of each span, and where the next one begins.

    `repeated` are the lines of rows with the id of an earlier row; without it the ids of the part are remembered. `spelling` is that of
    all ids.
    """
    faults: dict[int, list[TableProblem]] = {}
    intake = Intake(
        table,
        schema,
        by.moments,
        lambda problem: faults.setdefault(problem.line, []).append(problem),
        repeated=repeated,
        source=by.source,
        partial=True,
    )
    to_correct = RowsToCorrect(table, intake.ignored, guarded=table.guarded)
    judged, ended = intake.judged(), False
    with_other = {column.header for column in schema.columns if column.other}
    while not ended:
        loaded, misencoded = Loaded(), table.misencoded
        while not ended and not loaded.is_full:
            faults.clear()
            page, texts, ended = _page(judged, table)
            rows = [replace(row, customer_id=spelling(row.customer_id)) if spelling else row for row in page if row is not None]
            loaded.counts.update(rows=len(page), accepted=len(rows), rejected=len(page) - len(rows))
            for several in without_repeats(rows):
                moment = datetime.now(UTC).isoformat(timespec="microseconds")
                page_stored = store_page(stores, several, by)
                loaded.counts.update(page_stored.counts)
                for row in page_stored.unknown:
                    intake.refuse_unknown(row)
                loaded.counts.update(accepted=-len(page_stored.unknown), rejected=len(page_stored.unknown))
                loaded.snapshots.add(row.snapshot(schema, moment) for row in page_stored.of_customers)
            for line in sorted(faults):
                loaded.rejected_rows += to_correct.row(texts[line], error_of(faults[line]))
                for fault in faults[line]:
                    loaded.kinds.add(fault.column, fault.detail, to_correct.value(texts[line], fault), line)
            for row in rows:
                if row.line in faults:
                    continue
                for cell in row.unread:
                    loaded.unread.add(cell)
                if any(cell.reason != NEW or cell.column not in with_other for cell in row.unread):
                    loaded.unread_rows += to_correct.row(texts[row.line], error_of_unread(row.unread))
        loaded.counts.update(snapshots=loaded.snapshots.rows)
        loaded.counts.update(misencoded=table.misencoded - misencoded)
        yield loaded, table.splitter.place


def _page(judged: Iterator[Arrival | None], table: TablePart) -> tuple[list[Arrival | None], dict[int, str], bool]:
    """The next rows, the texts of their lines, and whether they are the last ones."""
    rows: list[Arrival | None] = []
    texts: dict[int, str] = {}
    size = 0
    while len(rows) < PAGE and size < _PAGE_CHARACTERS:
        try:
            rows.append(next(judged))
        except StopIteration:
            return rows, texts, True
        line, text = table.last
        texts[line] = text
        size += len(text)
    return rows, texts, False


def kept_spans(stores: Stores, import_id: str, part: Part) -> Iterator[Span]:
    """The spans of a part that are done, in order."""
    place = part.place
    while place.offset < part.end and (span := kept_span(stores, import_id, place)):
        yield span
        place = Place(*span["end"])


def kept_span(stores: Stores, import_id: str, place: Place) -> Span | None:
    """The span that begins at a place, if it is done."""
    try:
        span: Span = get_document(stores, import_id, f"spans/{place.offset}.json")
    except NotStored:
        return None
    return span


def rejects_of(stores: Stores, import_id: str, span: Span) -> bytes:
    """The rows of the file of rejected rows that come from a span."""
    return stores.documents.get_bytes(work_key(import_id, f"rejects/{span['start'][0]}.csv")) if span["rejects"] else b""


def unread_of(stores: Stores, import_id: str, span: Span) -> bytes:
    """The rows of the file of unread rows that come from a span."""
    return stores.documents.get_bytes(work_key(import_id, f"unread/{span['start'][0]}.csv")) if span.get("unread_rows") else b""


def _keep_span(stores: Stores, import_id: str, start: Place, end: Place, loaded: Loaded) -> Span:
    for name, rows in (("rejects", loaded.rejected_rows), ("unread", loaded.unread_rows)):
        if rows:
            stores.documents.put_bytes(work_key(import_id, f"{name}/{start.offset}.csv"), bytes(rows), "text/csv; charset=utf-8")
    span: Span = {
        "start": [start.offset, start.line],
        "end": [end.offset, end.line],
        "counts": dict(sorted(loaded.counts.items())),
        "kinds": loaded.kinds.listed(MOST_LISTED),
        "rejects": bool(loaded.rejected_rows),
        "unread": loaded.unread.listed(MOST_LISTED),
        "unread_rows": bool(loaded.unread_rows),
    }
    put_document(stores, import_id, f"spans/{start.offset}.json", span)
    return span
