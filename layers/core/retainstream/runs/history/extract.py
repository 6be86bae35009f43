"""Extracting: the training rows of the history, with what is known of the customers' lives by now.

DuckDB reads the history here. A history of more than `HistoryEngineRowThreshold` rows is read by Athena: `extract` and `read_answer`
answer with a statement, the state machine runs it, and `read_answer` goes on from Athena's answer.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NotRequired, TypedDict, cast

from retainstream.engine.history.training_rows import AnchorCounts, TrainingTable, training_rows
from retainstream.engine.learning.from_history import data_set, require_labelled
from retainstream.engine.learning.sagemaker.parts import parts_for
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.active_schema import active_schema
from retainstream.runs.history import on_athena
from retainstream.runs.history.desk import Desk, desk
from retainstream.runs.history.expiry import newest_files
from retainstream.runs.retraining.files import PartExtracted, PartOfBase, ProvenanceRecord, TrainingEvent, WorkingFiles
from retainstream.settings import settings
from retainstream.storage.stores import Stores


class AnswerEvent(TypedDict):
    """`answered` is the statement that Athena has run, and `customers` are those whose lives were read."""

    run_id: str
    answered: on_athena.Name
    customers: int


class PartEvent(TypedDict):
    run_id: str
    part: PartOfBase


class Extracted(TypedDict):
    """`query` is what Athena is asked next; `parts` are those to read the base in; `data` is the key of the data set."""

    on_athena: bool
    in_parts: bool
    query: NotRequired[on_athena.Query]
    parts: NotRequired[list[PartOfBase]]
    data: NotRequired[str]


def extract(stores: Stores, event: TrainingEvent) -> Extracted:
    """Leaves the training rows of all customers, or asks Athena. A base with too many customers or rows for that is to be read in parts.

    Raises:
        NothingLabelled: no outcome is known of any row.
    """
    run_id, most = event["run_id"], settings().sagemaker_row_threshold
    stores.runs.step_started(run_id, "extract")
    schema = active_schema(stores.documents)
    files = newest_files(stores.history.files(), settings().history_months)
    with desk(stores.history) as place:
        if on_athena.is_large(place, files):
            return _asked(on_athena.first_query(stores, place, run_id, schema, files))
        if parts := _parts(stores.customers.approximate_count()):
            return _in_parts(parts)
        customers, table = _read_here(stores, place, schema)
    if most and len(table) > most:
        return _in_parts(_parts(len(table)))
    return _left(stores, run_id, schema, table, customers)


def read_answer(stores: Stores, event: AnswerEvent) -> Extracted:
    """Goes on from Athena's answer: to the next statement, to parts, or to the training rows of all customers.

    Raises:
        NothingLabelled: no outcome is known of any row.
    """
    run_id, customers = event["run_id"], event["customers"]
    schema = active_schema(stores.documents)
    with desk(stores.history) as place:
        plan = on_athena.plan_in(stores, place, run_id, schema)
        if event["answered"] == "counts" and plan.days:
            return _asked(on_athena.second_query(stores, run_id, schema, plan, customers))
        if parts := _parts(on_athena.labelled_rows(stores, place, run_id)):
            return _in_parts([{**part, "customers": customers if part["part"] == 0 else 0} for part in parts])
        table = on_athena.rows_of(stores, place, run_id, schema, plan)
    return _left(stores, run_id, schema, table, customers)


def extract_part(stores: Stores, event: PartEvent) -> PartExtracted:
    """Leaves the training rows of one part of the customers."""
    part, parts = event["part"]["part"], event["part"]["parts"]
    schema = active_schema(stores.documents)
    with desk(stores.history) as place:
        if "customers" in event["part"]:
            plan = on_athena.plan_in(stores, place, event["run_id"], schema)
            customers, table = event["part"]["customers"], on_athena.rows_of(stores, place, event["run_id"], schema, plan, part, parts)
        else:
            customers, table = _read_here(stores, place, schema, part, parts)
    data, provenance = data_set(table, schema, customers)
    WorkingFiles(stores.documents, event["run_id"]).put_part(part, data)
    return {"part": part, "provenance": cast("ProvenanceRecord", asdict(provenance))}


def _asked(query: on_athena.Query) -> Extracted:
    return {"on_athena": True, "in_parts": False, "query": query}


def _in_parts(parts: list[PartOfBase]) -> Extracted:
    return {"on_athena": False, "in_parts": True, "parts": parts}


def _left(stores: Stores, run_id: str, schema: FeatureSchema, table: TrainingTable, customers: int) -> Extracted:
    """Leaves the data set, and ends the step."""
    data, provenance = data_set(table, schema, customers)
    report: Sequence[AnchorCounts] = table.anchors_report
    require_labelled(report, schema.horizon_days)
    files = WorkingFiles(stores.documents, run_id)
    stored = files.put_data(data)
    document = provenance.document()
    files.put_json("provenance.json", {**document, "anchors": report, "sha256": stored.sha256})
    stores.runs.step_finished(run_id, "extract", cast("dict[str, object]", document))
    return {"on_athena": False, "in_parts": False, "data": stored.key}


def _parts(count: int) -> list[PartOfBase]:
    """The parts of so many customers or rows; an empty list where one function reads all of them."""
    configured = settings()
    parts = parts_for(count, configured.sagemaker_row_threshold, configured.sagemaker_instance_count)
    return [{"part": part, "parts": parts} for part in range(parts)]


def _read_here(stores: Stores, place: Desk, schema: FeatureSchema, part: int = 0, parts: int = 1) -> tuple[int, TrainingTable]:
    """The number of customers whose lives were read, and their training rows."""
    months = settings().history_months
    customers = place.read_lives(stores.customers, part, parts)
    files = place.copies(newest_files(stores.history.files(), months))
    return customers, training_rows(place.connection, files, schema, schema.horizon_days, newest_months=months)
