"""Asking for a training run."""

from retainstream.runs.keys import request_of
from retainstream.runs.retraining.view import TrainingView
from retainstream.runs.starting import find_run, start_one
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def start_training(stores: Stores, by: str, idempotency_key: str | None = None) -> TrainingView:
    """Starts a training run, or returns the run of the same person with the same key, or the run that is under way.

    Raises:
        AllowanceSpent: the person has started too many runs.
        StorageUnavailable: the state machine could not be started; the same call may be made again.
    """
    request, machine = request_of("training", by, idempotency_key), settings().retraining_state_machine_arn
    run, already_running = start_one(stores, machine, "training", request, started_by=by)
    return TrainingView.of(run, already_running=already_running)


def training_run(stores: Stores, run_id: str) -> TrainingView:
    """A training run.

    Raises:
        UnknownRun: there is no training run of this id.
    """
    return TrainingView.of(find_run(stores, run_id, "training"))
