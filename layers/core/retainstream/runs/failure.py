"""Why a run failed, as a sentence for its record, and its end with that sentence."""

import json
from collections.abc import Set as AbstractSet
from typing import TypedDict

from retainstream.storage.runs import Kind, Runs


class CaughtError(TypedDict, total=False):
    """An error as a state machine catches it. `Cause` is Lambda's answer as JSON, or plain text."""

    Error: str
    Cause: str


class Failed(TypedDict):
    """The answer of the task that records a failure."""

    reason: str


def fail_run(runs: Runs, kind: Kind, run_id: str, started_by: str, reason: str) -> Failed:
    """Ends a run with a reason. A run that failed before it had a record gets one."""
    runs.start(run_id, kind, started_by)
    runs.fail(run_id, reason)
    return {"reason": reason}


def reason_of(error: CaughtError, for_people: AbstractSet[str], *, work: str, after_part: str = "") -> str:
    """An error as a sentence.

    Errors of the classes `for_people` were written for people, so their messages are the reason. The messages of all other errors stay in
    the log. `work` is the function at work, such as scoring. `after_part` is the advice to append where storage did not answer and the
    message names the part of the work.
    """
    name = error.get("Error", "").rsplit(".", 1)[-1]
    message = _message(error.get("Cause"))
    if name in for_people:
        return message
    if name == "StorageUnavailable" and after_part and "storage did not answer" in message:
        return f"{message} {after_part}"
    if name == "StorageUnavailable":
        return f"A service that {work} needs did not answer, even after several tries. Start it again later."
    if name == "RequestRefused":
        return (
            f"AWS refused a request of the {work} function: a permission is missing or the request is invalid. The log names the request."
        )
    if name in ("Timeout", "Timedout"):
        return "A step took longer than it may."
    if name in ("ExitError", "Unknown"):
        return f"A process that did a step of {work} was ended before it was done, even after several tries; most often it lacks memory."
    return f"An unexpected error ({name or 'unknown'}) stopped the run; the log of the {work} function has the details."


def _message(cause: object) -> str:
    try:
        answer = json.loads(cause) if isinstance(cause, str) else cause
    except ValueError:
        return str(cause)
    return str(answer.get("errorMessage", cause)) if isinstance(answer, dict) else str(cause)
