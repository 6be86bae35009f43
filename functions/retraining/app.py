"""The tasks of the retraining state machine."""

from retainstream.runs.retraining.steps import FIGURES, TASKS
from retainstream.runs.tasks import handler_of

handler = handler_of("retraining", TASKS, figures=FIGURES)
