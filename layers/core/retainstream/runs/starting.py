"""Starting a run of a state machine once for every request, and finding it again."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Literal

from retainstream.storage.runs import Kind, Run
from retainstream.storage.stores import Stores


class UnknownRun(LookupError):
    """There is no run of this id and kind."""


def new_run_id() -> str:
    return uuid.uuid4().hex


def run_id_for(kind: Kind | Literal["rollback"], caller: str, idempotency_key: str) -> str:
    """The run that a caller means by a key: the same id for the same three values, and another for any others."""
    return hashlib.sha256(f"{kind}\x00{caller}\x00{idempotency_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def key_or_new(kind: Kind | Literal["rollback"], caller: str, idempotency_key: str | None) -> str:
    """The id of the run that a caller asks for: the run of the key, or a new run without a key."""
    return run_id_for(kind, caller, idempotency_key) if idempotency_key else new_run_id()


def start_run(
    stores: Stores, machine_arn: str, kind: Kind, *, run_id: str, started_by: str, asked: Mapping[str, object] | None = None
) -> Run:
    """Starts a run and returns its record. A run that was started before is not started again.

    The state machine's input is `asked` with run_id and started_by.

    Raises:
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    run = stores.runs.get(run_id)
    if run is None:
        # The machine first: where it cannot be started, no run is left behind that never ends.
        stores.workflows.start(machine_arn, run_id, {**(asked or {}), "run_id": run_id, "started_by": started_by})
        run, _ = stores.runs.start(run_id, kind, started_by, asked)
    return run


def find_run(stores: Stores, run_id: str, kind: Kind) -> Run:
    """The record of a run.

    Raises:
        UnknownRun: there is no run of this id and kind.
    """
    run = stores.runs.get(run_id)
    if run is None or run["kind"] != kind:
        raise UnknownRun(run_id)
    return run
