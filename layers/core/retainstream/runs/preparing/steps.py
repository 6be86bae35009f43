"""The tasks of a preparation: removed customers go from the sources, training rows and present features are built, and customers stored."""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

from retainstream.customers.arrival import Moments
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.delivered import Delivered, UnusableSources
from retainstream.engine.tables import UnreadableTable
from retainstream.registry.active_schema import active_schema
from retainstream.runs.deliveries import steps as deliveries
from retainstream.runs.deliveries.workspace import workspace
from retainstream.runs.failure import CaughtError, Failed, reason_of
from retainstream.runs.imports.merge import FATES, Import
from retainstream.runs.imports.rows import store_page
from retainstream.runs.preparing.building import built_at, keep_customers, keep_snapshots, read_kept, result_of, work_key
from retainstream.runs.preparing.forgetting import forget
from retainstream.runs.preparing.prepared import PreparedCustomer, arrivals_of
from retainstream.runs.preparing.request import NothingToPrepare, check_sources
from retainstream.runs.preparing.view import Result
from retainstream.runs.starting import take_place
from retainstream.runs.tasks import LongTask, Task
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.settings import settings
from retainstream.storage.current_runs import CurrentRun
from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RESERVE_SECONDS = 60.0
"""A turn ends when less than this is left of its invocation."""
PAGE = 500
_ATTEMPTS = 5
FOR_PEOPLE = deliveries.FOR_PEOPLE | {"PreparationFailed"}
"""The errors whose messages are shown as the reason why a run failed."""


class PreparationFailed(Exception):
    """Nothing can be computed from the sources; the message is a sentence for people."""


class Input(TypedDict, total=False):
    """The input of an execution."""

    work: str
    started_by: str


class RunEvent(TypedDict):
    """The fields of every task's event."""

    run_id: str
    input: Input


class Begun(TypedDict):
    """`prepares` is false where there is nothing to prepare, or another preparation is under way, and the schedule started this one."""

    prepares: bool


class BuiltAnswer(TypedDict):
    """The parts of the customers that are to be stored."""

    parts: list[str]


class PartTurn(TypedDict):
    """A part of the customers, the number of those that are stored, and the counts so far."""

    part: str
    next: int
    counts: Mapping[str, int]


class StoreEvent(RunEvent):
    turn: PartTurn


class PartStored(PartTurn):
    done: bool


class FinishEvent(RunEvent):
    turns: Sequence[PartStored]


class Finished(TypedDict):
    counts: Mapping[str, int]


class FailEvent(TypedDict):
    run_id: str
    input: NotRequired[Input]
    error: CaughtError


class BuiltDocument(TypedDict):
    """What the build leaves for the tasks after it. `through` is the last day of the sources (ISO)."""

    through: str
    customers: int
    result: Result


def begin(stores: Stores, event: RunEvent) -> Begun:
    """Opens the run. A run that the schedule started ends at once where there is nothing to do."""
    run_id, started_by = event["run_id"], event["input"].get("started_by", "unknown")
    try:
        check_sources(stores, active_schema(stores.documents))
    except NothingToPrepare as error:
        if stores.runs.get(run_id) is None:
            return {"prepares": False}
        raise PreparationFailed(str(error)) from error
    wanted = CurrentRun(kind="preparation", run=run_id, started_by=started_by, since=0)
    if stores.runs.get(run_id) is None and take_place(stores, settings().prepare_state_machine_arn, wanted):
        return {"prepares": False}
    stores.runs.start(run_id, "preparation", started_by)
    stores.runs.step_started(run_id, "build")
    return {"prepares": True}


def build(stores: Stores, event: RunEvent) -> BuiltAnswer:
    """Builds training rows, lives and present features. The training rows go to the history, the customers to parts for the next step.

    Raises:
        PreparationFailed: nothing can be computed from the sources.
        StorageUnavailable: storage did not answer; the task may be tried again.
    """
    run_id, schema = event["run_id"], active_schema(stores.documents)
    try:
        with workspace() as (folder, connection):
            delivered = _read(stores, connection, schema, folder)
            days, built, notes = built_at(connection, schema, delivered)
            rows = keep_snapshots(stores, connection, schema, built, days, run_id, folder)
            parts, customers = keep_customers(stores, connection, schema, built, delivered, run_id)
            result = result_of(built, delivered, notes)
    except (UnusableSources, UnreadableTable) as error:
        raise PreparationFailed(f"Nothing can be computed from the sources: {error}") from error
    document: BuiltDocument = {"through": result["through"], "customers": customers, "result": result}
    stores.documents.put_bytes(work_key(run_id, "built.json"), json.dumps(document).encode(), "application/json")
    stores.runs.step_finished(run_id, "build", {"anchors": len(days), "rows": rows, "customers": customers})
    stores.runs.step_started(run_id, "store")
    return {"parts": parts}


def _read(stores: Stores, connection: "DuckDBPyConnection", schema: FeatureSchema, folder: Path) -> Delivered:
    """Reads the sources. Where a delivery replaces a part meanwhile, all are read again."""
    for _ in attempts(_ATTEMPTS, first=0.1, longest=5.0):
        with suppress(ChangedFile, NotStored):
            return read_kept(stores, connection, schema, folder)
    raise StorageUnavailable("deliveries change the sources all the time")


def store(stores: Stores, event: StoreEvent, seconds_left: SecondsLeft) -> PartStored:
    """Stores the customers of a part from where its last turn stopped."""
    run_id, turn = event["run_id"], event["turn"]
    schema, through = active_schema(stores.documents), _built(stores, run_id)["through"]
    by = Import(run_id, Moments.stated(None, None))
    counts, stored = Counter[str](turn["counts"]), turn["next"]
    customers = _customers(stores, run_id, turn["part"])[stored:]
    pages = Turn(seconds_left, RESERVE_SECONDS, _pages(stores, schema, customers, through, by))
    for number, page in pages:
        counts.update(page)
        stored += number
    return {"part": turn["part"], "next": stored, "counts": counts, "done": not pages.over}


def _pages(
    stores: Stores, schema: FeatureSchema, customers: Sequence[PreparedCustomer], through: str, by: Import
) -> Iterator[tuple[int, Mapping[str, int]]]:
    """Stores a page after the other. Yields the number of its customers and their fates."""
    for page in batched(customers, PAGE):
        arrivals = list(arrivals_of(schema, page, through))
        accepted = [arrival for arrival in arrivals if arrival is not None]
        fates = store_page(stores, accepted, by).counts if accepted else Counter[str]()
        yield len(page), {"rejected": len(arrivals) - len(accepted), **{str(fate): fates[fate] for fate in FATES}}


def finish(stores: Stores, event: FinishEvent) -> Finished:
    """Compares the customers that were stored with those that were built, and ends the run.

    Raises:
        PreparationFailed: a customer was neither stored nor rejected.
    """
    run_id = event["run_id"]
    built = _built(stores, run_id)
    total = Counter[str]()
    for turn in event["turns"]:
        total.update(turn["counts"])
    counts = {"customers": built["customers"], **{name: total[name] for name in (*FATES, "rejected")}}
    accounted = sum(counts.values()) - counts["customers"]
    if accounted != counts["customers"] or not all(turn["done"] for turn in event["turns"]):
        raise PreparationFailed(f"The sources have {counts['customers']:,} customers, but {accounted:,} of them are accounted for.")
    if stores.runs.existing(run_id)["status"] == "RUNNING":
        stores.runs.step_finished(run_id, "store", counts)
    stores.runs.finish(run_id, counts=counts, result=built["result"])
    return {"counts": counts}


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it. What has no record has no run to end."""
    delivery = (event.get("input") or {}).get("work") == "delivery"
    reason = reason_of(event["error"], FOR_PEOPLE, work="prepare", after_part=deliveries.AGAIN if delivery else "")
    with suppress(NotStored):
        stores.runs.fail(event["run_id"], reason)
    return {"reason": reason}


def _built(stores: Stores, run_id: str) -> BuiltDocument:
    document: BuiltDocument = json.loads(stores.documents.get_bytes(work_key(run_id, "built.json")))
    return document


def _customers(stores: Stores, run_id: str, part: str) -> list[PreparedCustomer]:
    return [json.loads(line) for line in zlib.decompress(stores.documents.get_bytes(work_key(run_id, part))).splitlines()]


TASKS: dict[str, Task] = {**deliveries.TASKS, "begin": begin, "build": build, "finish": finish, "fail": fail}
TURNS: dict[str, LongTask] = {**deliveries.TURNS, "forget": forget, "store": store}
