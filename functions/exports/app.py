"""The tasks of the export state machine."""

from retainstream.runs.exports.steps import TASKS, TURNS
from retainstream.runs.tasks import handler_of

handler = handler_of("exports", TASKS, TURNS)
