"""The tasks of the retraining state machine."""

from retainstream.telemetry.figures import of_training
from retainstream.telemetry.tasks import Tasks
from retainstream.training.tasks import run_task

handler = Tasks("retraining", lambda event, _context: run_task(event), {"notify": of_training})
