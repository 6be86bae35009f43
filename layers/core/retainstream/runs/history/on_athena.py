"""Extracting on Athena: what is asked, where the answers lie, and the training rows in them.

Two statements after each other: the customers of each anchor by label, from which the days follow, and the rows of these days.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

from retainstream.engine.history.athena import ask_counts, ask_rows, labelled_in, read_counts, read_rows, table_columns
from retainstream.engine.history.lives import keep_lives
from retainstream.engine.history.parquet import rows_in
from retainstream.engine.history.training_rows import Plan, TrainingTable, plan_of
from retainstream.engine.schema import FeatureSchema
from retainstream.runs.history.desk import Desk
from retainstream.settings import settings
from retainstream.storage.history import HistoryFile
from retainstream.storage.stores import Stores

LIVES = "training/lives/lives.parquet"
"""The lives of all customers, as the latest training that asked Athena read them. The table `lives` reads its folder."""

type Name = Literal["counts", "rows"]


class Query(TypedDict):
    """A statement for Athena. `token` is the same whenever the statement is asked again. `customers` are those whose lives were read."""

    name: Name
    statement: str
    token: str
    customers: int


def is_large(place: Desk, files: Sequence[HistoryFile]) -> bool:
    """Whether the files have more rows than `HistoryEngineRowThreshold`, by their sizes and the rows of the largest one."""
    threshold = settings().history_engine_row_threshold
    if not threshold or not files:
        return False
    largest = max(files, key=lambda file: file.size)
    (copy,) = place.copies([largest])
    return rows_in(place.connection, copy) * sum(file.size for file in files) / largest.size > threshold


def first_query(stores: Stores, place: Desk, run_id: str, schema: FeatureSchema, files: Sequence[HistoryFile]) -> Query:
    """Leaves the lives for Athena, describes the history's columns to it, and asks for the customers of each anchor."""
    customers = place.read_lives(stores.customers)
    path = place.folder / "lives.parquet"
    keep_lives(place.connection, path)
    stores.documents.put_file(LIVES, path, "application/vnd.apache.parquet")
    stores.catalog.describe("history", table_columns(schema))
    anchors = [file.anchor for file in files]
    statement = ask_counts(schema, settings().history_database, min(anchors), max(anchors), _location(stores, run_id, "counts"))
    return _query(run_id, "counts", statement, customers)


def second_query(stores: Stores, run_id: str, schema: FeatureSchema, plan: Plan, customers: int) -> Query:
    """Asks for the rows of the days of a plan."""
    statement = ask_rows(schema, plan, settings().history_database, _location(stores, run_id, "rows"))
    return _query(run_id, "rows", statement, customers)


def plan_in(stores: Stores, place: Desk, run_id: str, schema: FeatureSchema) -> Plan:
    """The plan that follows from the first answer."""
    counts = read_counts(place.connection, place.copies(_answer(stores, run_id, "counts")))
    return plan_of(counts, schema.horizon_days, newest_months=settings().history_months)


def labelled_rows(stores: Stores, place: Desk, run_id: str) -> int:
    """The number of rows with a known outcome in the second answer."""
    return labelled_in(place.connection, place.copies(_answer(stores, run_id, "rows")))


def rows_of(stores: Stores, place: Desk, run_id: str, schema: FeatureSchema, plan: Plan, part: int = 0, parts: int = 1) -> TrainingTable:
    """The training rows in the second answer, or those of one part of the customers."""
    return read_rows(place.connection, place.copies(_answer(stores, run_id, "rows")), schema, plan, part, parts)


def _query(run_id: str, name: Name, statement: str, customers: int) -> Query:
    return {"name": name, "statement": statement, "token": f"{run_id}-{name}".ljust(_SHORTEST_TOKEN, "-"), "customers": customers}


_SHORTEST_TOKEN = 32
"""Athena's; the longest one has 128 characters."""


def _folder(run_id: str, name: Name) -> str:
    return f"training/{run_id}/athena/{name}/"


def _location(stores: Stores, run_id: str, name: Name) -> str:
    return f"s3://{stores.documents.bucket}/{_folder(run_id, name)}"


def _answer(stores: Stores, run_id: str, name: Name) -> list[HistoryFile]:
    return [HistoryFile(stored.key, "", stored.size) for stored in stores.documents.objects(_folder(run_id, name)) if stored.size]
