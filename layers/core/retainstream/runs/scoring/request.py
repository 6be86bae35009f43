"""Asking for a scoring run."""

from retainstream.runs.scoring.view import ScoringRunView
from retainstream.runs.starting import find_run, start_run
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def start_scoring(stores: Stores, *, run_id: str, started_by: str) -> ScoringRunView:
    """Starts the run that scores every customer. A run that was started before is not started again.

    Raises:
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    machine = settings().scoring_state_machine_arn
    return ScoringRunView.of(start_run(stores, machine, "scoring", run_id=run_id, started_by=started_by))


def scoring_run(stores: Stores, run_id: str) -> ScoringRunView:
    """A scoring run.

    Raises:
        UnknownRun: there is no scoring run of this id.
    """
    return ScoringRunView.of(find_run(stores, run_id, "scoring"))
