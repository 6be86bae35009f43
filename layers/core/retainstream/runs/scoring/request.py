"""Starting a scoring run."""

from retainstream.runs.starting import find_run, start_run
from retainstream.storage.runs import Runs
from retainstream.storage.table import Item
from retainstream.storage.workflows import Workflows


def start_scoring(runs: Runs, workflows: Workflows, machine_arn: str, *, run_id: str, started_by: str) -> Item:
    """Starts the run that scores every customer, and returns its record. A run that was started before is not started again.

    Raises:
        StorageUnavailable: the run may or may not have started; calling again with the same run id is safe.
    """
    return start_run(runs, workflows, machine_arn, "scoring", run_id=run_id, started_by=started_by)


def scoring_run(runs: Runs, run_id: str) -> Item:
    """The record of a scoring run.

    Raises:
        UnknownRun: there is no such run, or it is of another kind.
    """
    return find_run(runs, run_id, "scoring")
