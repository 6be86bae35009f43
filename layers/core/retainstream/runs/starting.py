"""Starting a run of a state machine once for every request, one run of a kind at a time, and finding it again."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import NamedTuple

from retainstream.runs.allowance import one_start
from retainstream.runs.keys import Request
from retainstream.storage.current_runs import CurrentRun
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.runs import Kind, Run
from retainstream.storage.stores import Stores

_ATTEMPTS = 8
_VISIBLE_SECONDS = 60
"""Step Functions may not know a new execution for some seconds."""


class UnknownRun(LookupError):
    """There is no run of this id and kind."""


class OtherRunning(Exception):
    """A run of the same kind with other settings is under way."""

    def __init__(self, run: Run) -> None:
        super().__init__("another run is under way")
        self.run = run


class Started(NamedTuple):
    """The run that answers a request. `already_running`: another request started it."""

    run: Run
    already_running: bool


def start_run(
    stores: Stores, machine_arn: str, kind: Kind, *, run_id: str, started_by: str, asked: Mapping[str, object] | None = None
) -> Run:
    """Starts a run for a person and returns its record. A run that was started before is not started again.

    The state machine's input is `asked` with run_id and started_by.

    Raises:
        AllowanceSpent: the person has started too many runs.
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    run = stores.runs.get(run_id)
    if run is not None:
        return run
    with one_start(stores.rate_limits, started_by):
        return _started(stores, machine_arn, _wanted(kind, run_id, started_by, asked, 0))


def start_one(
    stores: Stores,
    machine_arn: str,
    kind: Kind,
    request: Request,
    *,
    started_by: str,
    asked: Mapping[str, object] | None = None,
    since: int = 0,
    counted: bool = True,
) -> Started:
    """Starts the run of a request, unless a run of its kind is under way, which then answers it. Of many requests at once one starts a run.

    A run that works on an earlier state (`since`) does not answer; see CurrentRun. `counted`: it counts as a start of `started_by`.

    Raises:
        UsedKey: the request's key was used with another body.
        OtherRunning: a run of the kind with another `asked` is under way.
        AllowanceSpent: the person has started too many runs.
        StorageUnavailable: the run may or may not have started; the same request may be made again.
    """
    answer = request.claim(stores.request_keys)
    run = stores.runs.get(answer)
    if run is not None:
        return Started(run, answer != request.run_id)
    wanted = _wanted(kind, request.run_id, started_by, asked, since)
    other = take_place(stores, machine_arn, wanted, lambda: one_start(stores.rate_limits, started_by) if counted else nullcontext())
    if other is None:
        return Started(_started(stores, machine_arn, wanted), already_running=False)
    if other.get("asked") != wanted.get("asked"):
        raise OtherRunning(other)
    request.answered_by(stores.request_keys, other["run_id"])
    return Started(other, already_running=True)


def take_place(
    stores: Stores, machine_arn: str, wanted: CurrentRun, before: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Run | None:
    """Makes a run the one of its kind that is under way. Returns None when it is, and otherwise the run that is.

    The place is never locked for good: a run whose record has ended, or whose execution has, gives it up. `before` is entered before the
    place is taken, and sees the Conflict where another run takes it at the same moment.

    Raises:
        StorageUnavailable: the place changes all the time, or AWS does not answer.
    """
    for _ in attempts(_ATTEMPTS):
        stored = stores.current_runs.get(wanted["kind"])
        if stored is not None and stored["run"] == wanted["run"]:
            return None
        if stored is not None and stored["since"] >= wanted["since"] and (run := _under_way(stores, machine_arn, stored)):
            return run
        with suppress(Conflict), before():
            stores.current_runs.replace(wanted, stored)
            return None
    raise StorageUnavailable("runs of this kind start all the time")


def find_run(stores: Stores, run_id: str, kind: Kind) -> Run:
    """The record of a run.

    Raises:
        UnknownRun: there is no run of this id and kind.
    """
    run = stores.runs.get(run_id)
    if run is None or run["kind"] != kind:
        raise UnknownRun(run_id)
    return run


def is_over(stores: Stores, machine_arn: str, run: Run) -> bool:
    """Whether a run has ended. A run whose execution ended without a word in the record fails here."""
    if run["status"] != "RUNNING":
        return True
    state = stores.workflows.state(machine_arn, run["run_id"])
    age = datetime.now(UTC) - datetime.fromisoformat(run["started_at"])
    if state in ("RUNNING", "PENDING_REDRIVE") or (state is None and age.total_seconds() < _VISIBLE_SECONDS):
        return False
    stores.runs.fail(run["run_id"], "The run was stopped from outside before it could record its end. Start it again.")
    return True


def _under_way(stores: Stores, machine_arn: str, current: CurrentRun) -> Run | None:
    """The record of the run that has the place, unless it is over. A run that took the place and was not started is started here."""
    run = stores.runs.get(current["run"])
    if run is None:
        return _started(stores, machine_arn, current)
    return None if is_over(stores, machine_arn, run) else run


def _started(stores: Stores, machine_arn: str, wanted: CurrentRun) -> Run:
    # The machine first: where it cannot be started, no run is left behind that never ends.
    asked, run_id, started_by = wanted.get("asked") or {}, wanted["run"], wanted["started_by"]
    stores.workflows.start(machine_arn, run_id, {**asked, "run_id": run_id, "started_by": started_by})
    run, _ = stores.runs.start(run_id, wanted["kind"], started_by, asked)
    return run


def _wanted(kind: Kind, run_id: str, started_by: str, asked: Mapping[str, object] | None, since: int) -> CurrentRun:
    wanted = CurrentRun(kind=kind, run=run_id, started_by=started_by, since=since)
    if asked:
        wanted["asked"] = asked
    return wanted
