"""Asking for a training run."""

from retainstream.runs.retraining.view import TrainingView
from retainstream.runs.starting import find_run, key_or_new, start_run
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def start_training(stores: Stores, by: str, idempotency_key: str | None = None) -> TrainingView:
    """Starts a training run, or returns the run that the same person started with the same key.

    Raises:
        StorageUnavailable: the state machine could not be started; the same call may be made again.
    """
    run_id = key_or_new("training", by, idempotency_key)
    return TrainingView.of(start_run(stores, settings().retraining_state_machine_arn, "training", run_id=run_id, started_by=by))


def training_run(stores: Stores, run_id: str) -> TrainingView:
    """A training run.

    Raises:
        UnknownRun: there is no training run of this id.
    """
    return TrainingView.of(find_run(stores, run_id, "training"))
