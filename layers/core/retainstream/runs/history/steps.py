"""The tasks of the history, by name. Every task may be called twice with the same event."""

from retainstream.runs.history.forget import forget
from retainstream.runs.history.judge import judge
from retainstream.runs.history.keep import keep
from retainstream.runs.tasks import LongTask, Task

TASKS: dict[str, Task] = {"judge": judge}
TURNS: dict[str, LongTask] = {"keep": keep, "forget": forget}
