"""Starting a scoring run."""

import hashlib
import uuid

from retainstream.storage.runs import Runs
from retainstream.storage.table import Item
from retainstream.storage.workflows import Workflows


class UnknownRun(LookupError):
    """There is no scoring run of that id."""


def new_run_id() -> str:
    return uuid.uuid4().hex


def key_or_new(caller: str, idempotency_key: str | None) -> str:
    """The id of the run that a caller asks for: a new one, or the one meant by the key."""
    return run_id_for(caller, idempotency_key) if idempotency_key else new_run_id()


def run_id_for(caller: str, idempotency_key: str) -> str:
    """The run that a caller means by a key: the same for the same two, and for no others."""
    return hashlib.sha256(f"{caller}\x00{idempotency_key}".encode()).hexdigest()[:32]


def start_scoring(runs: Runs, workflows: Workflows, machine_arn: str, *, run_id: str, started_by: str) -> Item:
    """Starts the run that scores every customer, and returns its record. A run that was started before is not started again.

    Raises:
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    run = runs.get(run_id)
    if run is None:
        # The machine first: where it cannot be started no run is left behind that never ends.
        workflows.start(machine_arn, run_id, {"run_id": run_id, "started_by": started_by})
        run, _ = runs.start(run_id, "scoring", started_by)
    return run


def scoring_run(runs: Runs, run_id: str) -> Item:
    """The record of a scoring run.

    Raises:
        UnknownRun: there is no such run, or it is of another kind.
    """
    run = runs.get(run_id)
    if run is None or run["kind"] != "scoring":
        raise UnknownRun(run_id)
    return run
