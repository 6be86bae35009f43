"""The tasks of the retraining state machine."""

from retainstream.runs.retraining.tasks import run_task
from retainstream.telemetry.figures import of_training
from retainstream.telemetry.tasks import Tasks

handler = Tasks("retraining", lambda event, _context: run_task(event), {"notify": of_training})
