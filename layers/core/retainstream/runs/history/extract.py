"""Extracting: the training rows of the history, with what is known of the customers' lives by now."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NotRequired, TypedDict, cast

from retainstream.engine.history.training_rows import AnchorCounts, training_rows
from retainstream.engine.learning.dataset import DataSet, Provenance
from retainstream.engine.learning.from_history import data_set, require_labelled
from retainstream.engine.learning.sagemaker.parts import parts_for
from retainstream.registry.active_schema import active_schema
from retainstream.runs.history.desk import desk
from retainstream.runs.history.expiry import newest_files
from retainstream.runs.retraining.files import PartExtracted, PartOfBase, ProvenanceRecord, TrainingEvent, WorkingFiles
from retainstream.settings import settings
from retainstream.storage.stores import Stores


class PartEvent(TypedDict):
    run_id: str
    part: PartOfBase


class Extracted(TypedDict):
    """`parts` are those to read the base in; `data` is the key of the data set."""

    in_parts: bool
    parts: NotRequired[list[PartOfBase]]
    data: NotRequired[str]


def extract(stores: Stores, event: TrainingEvent) -> Extracted:
    """Leaves the training rows of all customers. A base with too many customers or rows for that is to be read in parts.

    Raises:
        NothingLabelled: no outcome is known of any row.
    """
    run_id, most = event["run_id"], settings().sagemaker_row_threshold
    stores.runs.step_started(run_id, "extract")
    if parts := _parts(stores.customers.approximate_count()):
        return {"in_parts": True, "parts": parts}
    data, provenance, report = _rows(stores)
    require_labelled(report, data.schema.horizon_days)
    if most and len(data) > most:
        return {"in_parts": True, "parts": _parts(len(data))}
    files = WorkingFiles(stores.documents, run_id)
    stored = files.put_data(data)
    document = provenance.document()
    files.put_json("provenance.json", {**document, "anchors": report, "sha256": stored.sha256})
    stores.runs.step_finished(run_id, "extract", cast("dict[str, object]", document))
    return {"in_parts": False, "data": stored.key}


def extract_part(stores: Stores, event: PartEvent) -> PartExtracted:
    """Leaves the training rows of one part of the customers."""
    part, parts = event["part"]["part"], event["part"]["parts"]
    data, provenance, _ = _rows(stores, part, parts)
    WorkingFiles(stores.documents, event["run_id"]).put_part(part, data)
    return {"part": part, "provenance": cast("ProvenanceRecord", asdict(provenance))}


def _parts(count: int) -> list[PartOfBase]:
    """The parts of so many customers or rows; an empty list where one function reads all of them."""
    configured = settings()
    parts = parts_for(count, configured.sagemaker_row_threshold, configured.sagemaker_instance_count)
    return [{"part": part, "parts": parts} for part in range(parts)]


def _rows(stores: Stores, part: int = 0, parts: int = 1) -> tuple[DataSet, Provenance, Sequence[AnchorCounts]]:
    schema = active_schema(stores.documents)
    months = settings().history_months
    with desk(stores.history) as place:
        customers = place.read_lives(stores.customers, part, parts)
        files = place.copies(newest_files(stores.history.files(), months))
        table = training_rows(place.connection, files, schema, schema.horizon_days, newest_months=months)
    data, provenance = data_set(table, schema, customers)
    return data, provenance, table.anchors_report
