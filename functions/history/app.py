"""The tasks of the history: steps of the state machines that score, import and train, and the daily removal of what has to go."""

from retainstream.runs.history.steps import FIGURES, TASKS, TURNS
from retainstream.runs.tasks import handler_of

handler = handler_of("history", TASKS, TURNS, FIGURES)
