"""Starting a run of a state machine, once for every time it is asked for, and finding it again. Needs neither numpy nor a model."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from retainstream.storage.runs import Kind, Runs
from retainstream.storage.table import Item
from retainstream.storage.workflows import Workflows


class UnknownRun(LookupError):
    """There is no run of that id and kind."""


def new_run_id() -> str:
    return uuid.uuid4().hex


def run_id_for(kind: Kind | Literal["rollback"], caller: str, idempotency_key: str) -> str:
    """The run that a caller means by a key: the same for the same three, and for no others."""
    return hashlib.sha256(f"{kind}\x00{caller}\x00{idempotency_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def key_or_new(kind: Kind | Literal["rollback"], caller: str, idempotency_key: str | None) -> str:
    """The id of the run that a caller asks for: the one meant by the key, or a new one without a key."""
    return run_id_for(kind, caller, idempotency_key) if idempotency_key else new_run_id()


def start_run(
    runs: Runs,
    workflows: Workflows,
    machine_arn: str,
    kind: Kind,
    *,
    run_id: str,
    started_by: str,
    given: Mapping[str, Any] | None = None,
) -> Item:
    """Starts a run and returns its record; a run that was started before is not started again.

    The state machine's input is `given` with run_id and started_by; the record holds `given` as `asked`.

    Raises:
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    run = runs.get(run_id)
    if run is None:
        # The machine first: where it cannot be started no run is left behind that never ends.
        workflows.start(machine_arn, run_id, {**(given or {}), "run_id": run_id, "started_by": started_by})
        run, _ = runs.start(run_id, kind, started_by, given)
    return run


def find_run(runs: Runs, run_id: str, kind: Kind) -> Item:
    """The record of a run of this kind.

    Raises:
        UnknownRun: there is no such run, or it is of another kind.
    """
    run = runs.get(run_id)
    if run is None or run["kind"] != kind:
        raise UnknownRun(run_id)
    return run
