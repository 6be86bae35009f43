"""The tasks of the import. At its end every row of the file was accepted or rejected, and the file of the rejected rows is there."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import TypedDict

from retainstream.customers.intake import UNREAD_OUTCOME, notes_on
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.outcomes import high_churn, outcomes_sentence
from retainstream.engine.tables.parts import misencoding_note, part_of
from retainstream.engine.tables.splitting import Place
from retainstream.engine.tables.unread import Unread
from retainstream.runs.failure import CaughtError, Failed, reason_of
from retainstream.runs.imports.compare import Compared, Indexed, compare, index
from retainstream.runs.imports.known_ids import kept_spelling
from retainstream.runs.imports.load import PartLoaded, Span, kept_spans, load, rejects_of, unread_of
from retainstream.runs.imports.merge import FACTS, FATES
from retainstream.runs.imports.rejects import ERROR, Kinds, RowsToCorrect, reject_sentence
from retainstream.runs.imports.request import start_uploaded
from retainstream.runs.imports.survey import begin, schema_of, survey, unpack
from retainstream.runs.imports.view import MOST_KINDS, RejectedRow, Result, moments_asked
from retainstream.runs.imports.work import ImportFailed, Part, RunEvent, get_document, put_document, rejects_key, unread_key
from retainstream.runs.tasks import LongTask, ReadFigures, Task
from retainstream.storage.errors import NotStored
from retainstream.storage.runs import Status
from retainstream.storage.stores import Stores
from retainstream.telemetry.metrics import Figures

FOR_PEOPLE = frozenset({"ImportFailed", "UnusableSchema"})
"""The errors whose messages are shown as the reason why a run failed."""
AGAIN = "Ask for a new import of the same file: rows that are stored already count as unchanged."
_READERS = 8
_SHOWN_KINDS = 3
_CSV = "text/csv; charset=utf-8"


class BeginLoadEvent(RunEvent):
    indexed: Sequence[Indexed]
    compared: Sequence[Compared]


class Rows(TypedDict):
    """Rows in the file."""

    rows: int


class VerifyEvent(RunEvent):
    indexed: Sequence[Indexed]
    turns: Sequence[PartLoaded]


class Verified(TypedDict):
    """The counts of the whole file, and the kinds of faults of its rejected rows."""

    counts: dict[str, int]
    first: list[RejectedRow]


class FinishEvent(RunEvent):
    turns: Sequence[PartLoaded]
    verified: Verified


class Finished(TypedDict):
    counts: dict[str, int]


class FailEvent(RunEvent):
    error: CaughtError


class StoredObject(TypedDict):
    key: str


class Arrival(TypedDict):
    object: StoredObject


class UploadedEvent(TypedDict):
    """EventBridge's event of a new object in the bucket."""

    detail: Arrival


class Started(TypedDict):
    """Whether the event started an import."""

    started: bool


def uploaded(stores: Stores, event: UploadedEvent) -> Started:
    """Starts the import that waits for this file."""
    return {"started": start_uploaded(stores, event["detail"]["object"]["key"])}


def begin_load(stores: Stores, event: BeginLoadEvent) -> Rows:
    """Ends the comparison."""
    import_id, rows = event["import_id"], sum(part["rows"] for part in event["indexed"])
    repeated = sum(partition["repeated"] for partition in event["compared"])
    stores.runs.step_finished(import_id, "compare", {"rows": rows, "repeated": repeated})
    stores.runs.step_started(import_id, "load")
    return {"rows": rows}


def verify(stores: Stores, event: VerifyEvent) -> Verified:
    """Compares the rows that were loaded with the rows that were counted before.

    Raises:
        ImportFailed: a part is absent, double or unfinished, or has rows that were neither accepted nor rejected.
    """
    import_id = event["import_id"]
    stores.runs.step_finished(import_id, "load")
    stores.runs.step_started(import_id, "verify")
    rows = {part["part"]: part["rows"] for part in event["indexed"]}
    parts = [Part(**turn["part"]) for turn in event["turns"] if turn["done"]]
    if sorted(part.part for part in parts) != sorted(rows):
        raise ImportFailed(f"The file was divided into {len(rows)} parts; {len(parts)} were loaded.")
    total = Counter[str]()
    kinds, unread = Kinds(), Unread()
    with ThreadPoolExecutor(_READERS) as pool:
        for part, spans in zip(parts, pool.map(lambda part: list(kept_spans(stores, import_id, part)), parts), strict=True):
            counts = Counter[str]()
            for span in spans:
                counts.update(span["counts"])
                kinds.merge(span.get("kinds", span.get("first", [])))
                unread.merge(span.get("unread", []))
            _require_all(part, rows[part.part], counts, spans[-1]["end"][0] if spans else part.start)
            total.update(counts)
    put_document(stores, import_id, "unread.json", unread.listed())
    stores.runs.step_finished(import_id, "verify")
    whole = {name: total[name] for name in ("rows", "accepted", "rejected", *FATES, *FACTS, "misencoded")}
    return {"counts": whole, "first": kinds.listed(MOST_KINDS)[:MOST_KINDS]}


def _require_all(part: Part, rows: int, counts: Mapping[str, int], end: int) -> None:
    fates = sum(counts[fate] for fate in FATES)
    if end != part.end or not rows == counts["rows"] == counts["accepted"] + counts["rejected"] or counts["accepted"] != fates:
        raise ImportFailed(
            f"{part.name} has {rows:,} rows, but {counts['accepted']:,} were accepted and {counts['rejected']:,} rejected, "
            f"and the outcome of {fates:,} is known."
        )


def finish(stores: Stores, event: FinishEvent) -> Finished:
    """Writes the files of rows to correct, if there are any, and ends the run: badly where no row was accepted."""
    import_id, counts, kinds = event["import_id"], event["verified"]["counts"], event["verified"]["first"]
    parts = sorted((Part(**turn["part"]) for turn in event["turns"]), key=lambda part: part.part)
    header = _header_to_correct(stores, import_id)
    unread = _unread(stores, import_id)
    result: Result = {
        "first_rejects": kinds,
        "notes": _notes(stores, import_id, counts),
        "unread": unread.listed(MOST_KINDS)[:MOST_KINDS],
        "outcomes": _outcomes(counts, unread),
        "has_unread_rows": False,
    }
    if counts["rejected"]:
        stores.uploads.write(rejects_key(import_id), _rows(stores, import_id, parts, header, rejects_of), _CSV)
    if result["unread"]:
        stores.uploads.write(unread_key(import_id), _rows(stores, import_id, parts, header, unread_of), _CSV)
        result["has_unread_rows"] = True
    status, reason = _end(counts, kinds)
    stores.runs.finish(import_id, counts=counts, result=result, status=status, reason=reason)
    return {"counts": counts}


def _end(counts: Mapping[str, int], kinds: Sequence[RejectedRow]) -> tuple[Status, str]:
    """How an import ends, and the reason where it fails: no row, or less than half of the rows, may be accepted."""
    rows, accepted = counts["rows"], counts["accepted"]
    if not rows:
        return "FAILED", "The file has a header and no rows."
    if not accepted:
        said = "; ".join(map(reject_sentence, kinds[:_SHOWN_KINDS])) + (
            f"; and {len(kinds) - _SHOWN_KINDS} more" if len(kinds) > _SHOWN_KINDS else ""
        )
        return "FAILED", f"None of the {rows:,} rows was accepted: {said}." if rows > 1 else f"The only row was not accepted: {said}."
    return ("SUCCEEDED_WITH_REJECTS" if 2 * accepted < rows else "SUCCEEDED"), ""


def _outcomes(counts: Mapping[str, int], unread: Unread) -> str:
    """The sentence on outcomes; empty where the file has none."""
    texts = [(count["value"], count["rows"]) for count in unread.listed() if count["reason"] == UNREAD_OUTCOME]
    if not (texts or counts["left"] or counts["stayed"]):
        return ""
    return outcomes_sentence(counts, texts)


def _unread(stores: Stores, import_id: str) -> Unread:
    try:
        return Unread(get_document(stores, import_id, "unread.json"))
    except NotStored:  # verified by an earlier version
        return Unread()


def _header_to_correct(stores: Stores, import_id: str) -> bytes:
    layout = get_document(stores, import_id, "layout.json")
    table = part_of(layout, BytesIO(), Place(0, 1))
    ignored = bind(schema_of(stores, import_id), layout["header"], source=layout["source"], partial=True, label_needed=False).ignored
    return RowsToCorrect(table, ignored).header


def _rows(
    stores: Stores, import_id: str, parts: Iterable[Part], header: bytes, rows_of: Callable[[Stores, str, Span], bytes]
) -> Iterator[bytes]:
    yield header
    for part in parts:
        for span in kept_spans(stores, import_id, part):
            yield rows_of(stores, import_id, span)


def _notes(stores: Stores, import_id: str, counts: Mapping[str, int]) -> list[str]:
    layout = get_document(stores, import_id, "layout.json")
    schema = schema_of(stores, import_id)
    binding = bind(schema, layout["header"], source=layout["source"], partial=True, label_needed=False)
    binding = replace(binding, ignored=tuple(name for name in binding.ignored if name != ERROR))
    notes = [*layout.get("remarks", []), *notes_on(schema, binding)]
    if spelling := kept_spelling(stores, import_id):
        notes.append(f"ids were taken for the known ones, which are spelled {spelling.words}")
    moments = moments_asked(stores.runs.existing(import_id)["asked"])
    features_on, outcomes_on = moments.features_as_of[:10], moments.outcomes_as_of[:10]
    if outcomes_on < features_on:
        notes.append(
            f"the outcomes of {outcomes_on} are from before the features of {features_on}; they are paired with earlier features only"
        )
    if counts["stayed"] and (warning := high_churn(counts["left"], counts["left"] + counts["stayed"])):
        notes.append(warning)  # a file of customers who left, and no others, is usual
    if gone := counts.get("after_leaving"):
        customers = "1 customer" if gone == 1 else f"{gone:,} customers"
        notes.append(f"{customers} had left before the day of their features; those features are not used for training")
    return [*notes, *([misencoding_note(counts["misencoded"])] if counts["misencoded"] else [])]


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it. An import that was never asked for has no run to end."""
    reason = reason_of(event["error"], FOR_PEOPLE, work="imports", after_part=AGAIN)
    with suppress(NotStored):
        stores.runs.fail(event["import_id"], reason)
    return {"reason": reason}


def _figures(finished: Finished) -> Figures:
    """Rows of an import that has ended."""
    counts = finished["counts"]
    return {
        "ImportRowsAccepted": counts["accepted"],
        "ImportRowsRejected": counts["rejected"],
        **({"ImportRejectedShare": round(100 * counts["rejected"] / counts["rows"], 3)} if counts["rows"] else {}),
    }


TASKS: dict[str, Task] = {
    "uploaded": uploaded,
    "begin": begin,
    "index": index,
    "compare": compare,
    "begin_load": begin_load,
    "verify": verify,
    "finish": finish,
    "fail": fail,
}
TURNS: dict[str, LongTask] = {"unpack": unpack, "survey": survey, "load": load}
FIGURES: dict[str, ReadFigures] = {"finish": _figures}
