"""The end of an import: that every row of the file was accepted or rejected, the file of the rejected ones, and the record."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables.binding import bind, some_of
from retainstream.engine.tables.parts import misencoding_note
from retainstream.runs.imports.keys import rejects_key
from retainstream.runs.imports.load import FIRST_REJECTS, kept_spans, rejects_of
from retainstream.runs.imports.merge import FATES
from retainstream.runs.imports.rejects import HEADER
from retainstream.runs.imports.work import Document, ImportFailed, Part, get_document
from retainstream.storage.errors import NotStored
from retainstream.storage.stores import Stores

_READERS = 8


def begin_load(stores: Stores, import_id: str, indexed: Sequence[Mapping[str, Any]], compared: Sequence[Mapping[str, Any]]) -> Document:
    """The comparison is done: {rows (in the file)}."""
    rows = sum(found["rows"] for found in indexed)
    stores.runs.step_finished(import_id, "compare", {"rows": rows, "repeated": sum(found["repeated"] for found in compared)})
    stores.runs.step_started(import_id, "load")
    return {"rows": rows}


def verify(stores: Stores, import_id: str, indexed: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]) -> Document:
    """Compares what was loaded with what was counted before: {counts, first (rejects)}.

    Raises:
        ImportFailed: a part is absent, double or unfinished, or has rows that were neither accepted nor rejected.
    """
    stores.runs.step_finished(import_id, "load")
    stores.runs.step_started(import_id, "verify")
    rows = {found["part"]: found["rows"] for found in indexed}
    parts = [Part.of(turn["part"]) for turn in turns if turn["done"]]
    if sorted(part.part for part in parts) != sorted(rows):
        raise ImportFailed(f"The file was divided into {len(rows)} parts; {len(parts)} were loaded.")
    total = Counter[str]()
    first: list[Document] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for part, spans in zip(parts, pool.map(lambda part: list(kept_spans(stores, import_id, part)), parts), strict=True):
            counts = Counter[str]()
            for span in spans:
                counts.update(span["counts"])
                first += span["first"]
            _require_all(part, rows[part.part], counts, spans[-1]["end"][0] if spans else part.start)
            total.update(counts)
    stores.runs.step_finished(import_id, "verify")
    whole = {name: total[name] for name in ("rows", "accepted", "rejected", *FATES, "misencoded")}
    return {"counts": whole, "first": sorted(first, key=lambda reject: reject["line"])[:FIRST_REJECTS]}


def _require_all(part: Part, rows: int, counts: Mapping[str, int], end: int) -> None:
    fates = sum(counts[fate] for fate in FATES)
    if end != part.end or not rows == counts["rows"] == counts["accepted"] + counts["rejected"] or counts["accepted"] != fates:
        raise ImportFailed(
            f"{part.name} has {rows:,} rows, but {counts['accepted']:,} were accepted and {counts['rejected']:,} rejected, "
            f"and of {fates:,} it is known what became of them."
        )


def finish(stores: Stores, import_id: str, turns: Sequence[Mapping[str, Any]], verified: Mapping[str, Any]) -> Document:
    """Writes the file of rejected rows, if there are any, and ends the run well: {counts}."""
    counts = verified["counts"]
    if counts["rejected"]:
        parts = sorted((Part.of(turn["part"]) for turn in turns), key=lambda part: part.part)
        stores.uploads.write(rejects_key(import_id), _rejects(stores, import_id, parts), "text/csv; charset=utf-8")
    result = {"first_rejects": verified["first"], "notes": _notes(stores, import_id, counts)}
    stores.runs.finish(import_id, counts=counts, result=result)
    return {"counts": counts}


def fail(stores: Stores, import_id: str, reason: str) -> Document:
    """Ends the run badly, with the reason as a sentence: {reason}. An import that was never asked for has no run to end."""
    with suppress(NotStored):
        stores.runs.fail(import_id, reason)
    return {"reason": reason}


def _rejects(stores: Stores, import_id: str, parts: Iterable[Part]) -> Iterator[bytes]:
    yield HEADER
    for part in parts:
        for span in kept_spans(stores, import_id, part):
            yield rejects_of(stores, import_id, span)


def _notes(stores: Stores, import_id: str, counts: Mapping[str, int]) -> list[str]:
    layout = get_document(stores, import_id, "layout.json")
    schema = FeatureSchema.model_validate(get_document(stores, import_id, "schema.json"))
    ignored = bind(schema, layout["header"], source=layout["source"], label_needed=False).ignored
    told = [f"columns that the schema does not have were not read: {some_of(ignored)}"] if ignored else []
    return [*told, *([misencoding_note(counts["misencoded"])] if counts["misencoded"] else [])]
