"""The tasks of the scoring state machine."""

from retainstream.runs.scoring.steps import FIGURES, TASKS, TURNS
from retainstream.runs.tasks import handler_of

handler = handler_of("scoring", TASKS, TURNS, FIGURES)
