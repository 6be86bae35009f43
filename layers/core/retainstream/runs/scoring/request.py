"""Asking for a scoring run."""

from retainstream.registry.champion import champion
from retainstream.runs.keys import Request
from retainstream.runs.scoring.view import ScoringRunView
from retainstream.runs.starting import find_run, start_one
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def start_scoring(stores: Stores, request: Request, *, started_by: str, counted: bool = True) -> ScoringRunView:
    """Starts the run that scores every customer, unless such a run with the model in service is under way, which then answers.

    A run that was started before the model came into service does not answer: the new run follows it at once. `counted`: it counts as a
    start of `started_by`.

    Raises:
        UsedKey, AllowanceSpent
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    pointer, machine = champion(stores.models), settings().scoring_state_machine_arn
    since = pointer.revision if pointer else 0
    run, already_running = start_one(stores, machine, "scoring", request, started_by=started_by, since=since, counted=counted)
    return ScoringRunView.of(run, already_running=already_running)


def scoring_run(stores: Stores, run_id: str) -> ScoringRunView:
    """A scoring run.

    Raises:
        UnknownRun: there is no scoring run of this id.
    """
    return ScoringRunView.of(find_run(stores, run_id, "scoring"))
