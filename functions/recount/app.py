"""The tasks of the recount state machine."""

from retainstream.runs.recounts.steps import TASKS, TURNS
from retainstream.runs.tasks import handler_of

handler = handler_of("recount", TASKS, TURNS)
