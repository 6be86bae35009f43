"""Asking for a preparation."""

from retainstream.engine.schema import FeatureSchema
from retainstream.runs.keys import request_of
from retainstream.runs.preparing.view import PreparationView, preparation_view
from retainstream.runs.starting import find_run, start_one
from retainstream.settings import settings
from retainstream.storage.sources import KINDS
from retainstream.storage.stores import Stores

WORK = {"work": "preparation"}
"""What the input of an execution says besides the run, so that the machine does not take it for a delivery."""


class NothingToPrepare(Exception):
    """No rows can be computed from the sources; the message says why."""


def start_preparation(stores: Stores, schema: FeatureSchema, by: str, idempotency_key: str | None = None) -> PreparationView:
    """Starts a preparation, or returns that of the same person with the same key, or the preparation that is under way.

    Raises:
        NothingToPrepare: the schema reads no sources, or nothing was delivered.
        UsedKey, AllowanceSpent
        StorageUnavailable: it may or may not have started; the same call may be made again with its key.
    """
    check_sources(stores, schema)
    request, machine = request_of("preparation", by, idempotency_key), settings().prepare_state_machine_arn
    run, already_running = start_one(stores, machine, "preparation", request, started_by=by, asked=WORK)
    return preparation_view(run, already_running=already_running)


def check_sources(stores: Stores, schema: FeatureSchema) -> None:
    """Checks that every source that the schema reads has rows.

    Raises:
        NothingToPrepare: one has none.
    """
    if schema.sources is None:
        raise NothingToPrepare("The active feature schema reads no sources. Add sources and churn to it.")
    missing = [kind for kind in KINDS if getattr(schema.sources, kind) and not stores.sources.parts(kind)]
    if missing:
        raise NothingToPrepare(f"The active feature schema reads {', '.join(missing)}, but no file was delivered. Deliver a file of each.")


def preparation_run(stores: Stores, run_id: str) -> PreparationView:
    """A preparation.

    Raises:
        UnknownRun: there is no preparation of this id.
    """
    return preparation_view(find_run(stores, run_id, "preparation"))


def latest_preparation(stores: Stores) -> PreparationView | None:
    """The preparation that was started last, if there is one."""
    current = stores.current_runs.get("preparation")
    run = stores.runs.get(current["run"]) if current else None
    return preparation_view(run) if run else None
