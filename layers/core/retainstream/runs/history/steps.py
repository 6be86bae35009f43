"""The tasks of the history, by name. Every task may be called twice with the same event."""

from retainstream.runs.history.extract import extract, extract_part, read_answer
from retainstream.runs.history.forget import forget
from retainstream.runs.history.judge import judge
from retainstream.runs.history.keep import keep
from retainstream.runs.tasks import LongTask, ReadFigures, Task
from retainstream.telemetry.figures import of_judgement

TASKS: dict[str, Task] = {"judge": judge, "extract": extract, "extract_part": extract_part, "read_answer": read_answer}
TURNS: dict[str, LongTask] = {"keep": keep, "forget": forget}
FIGURES: dict[str, ReadFigures] = {"judge": of_judgement}
