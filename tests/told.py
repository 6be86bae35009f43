"""Everything that functions tell their log while a test runs, held to holding no secret and nothing about a person.

What is told in this process is seen where loggers hand their records on, whatever captures or redirects them afterwards; what handlers
raise is seen as Lambda would log it; and the logs of local stacks are read on from where the test before left them.
"""

import functools
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CANARY_PASSWORDS = (
    "seven quiet lighthouses",
    "nine brown umbrellas",
    "correct-horse-battery",
    "correct horse battery",
    "violet-anchor-93-lamp",
)
"""Passwords of accounts in the tests; a password in use there belongs in this list."""

_NOT_TO_BE_TOLD = {
    "an e-mail address": re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"),
    "a token": re.compile(r"eyJ[\w-]{6,}\.[\w-]{2,}"),
    "a password's hash": re.compile(r"\$argon2"),
    "a presigned link": re.compile(r"X-Amz-(?:Signature|Credential|Security-Token)|[?&]Signature=|AWSAccessKeyId="),
    "an authorization": re.compile(r"\bBearer [\w.-]{20,}"),
    "a password": re.compile("|".join(map(re.escape, CANARY_PASSWORDS))),
    "a customer's id": re.compile(r"(?<![\w-])(?:C-\d{5,6}|s\d{7})(?![\w-])"),
}
_TOLD_BY_TESTS = ("httpx", "httpcore", "hypothesis", "moto", "schemathesis", "urllib3", "werkzeug")
_USUAL = frozenset(vars(logging.makeLogRecord({})))
_found: list[str] = []
_logs: dict[Path, int] = {}


def problems_of(text: str) -> list[str]:
    """What a text holds that must not be told, each with the words around it."""
    return [
        f"{what}: …{text[max(0, match.start() - 80) : match.end() + 40]}…"
        for what, pattern in _NOT_TO_BE_TOLD.items()
        for match in [pattern.search(text)]
        if match
    ]


@contextmanager
def watched() -> Iterator[Callable[[], list[str]]]:
    """Gives a function that answers what was told so far and should not have been."""
    _found.clear()
    yield lambda: [*_found, *_read_on()]


def watch_loggers() -> None:
    """From now on every record of every logger is looked at."""
    original = logging.Logger.callHandlers

    def look(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.INFO and record.name.partition(".")[0] not in _TOLD_BY_TESTS:
            _found.extend(problems_of(_text(record)))
        original(logger, record)

    logging.Logger.callHandlers = look  # type: ignore[method-assign, assignment]


def watch_log(path: Path) -> None:
    """From now on what is added to this file is looked at."""
    _logs.setdefault(path, 0)


def look_at(text: str) -> None:
    _found.extend(problems_of(text))


def raising_is_telling[**P, R](handler: Callable[P, R]) -> Callable[P, R]:
    """The handler of a function: what it raises is looked at as Lambda logs it."""

    @functools.wraps(handler)
    def looked_at(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return handler(*arguments, **named)
        except Exception as error:
            look_at("".join(traceback.format_exception(error)))
            raise

    return looked_at


def _text(record: logging.LogRecord) -> str:
    told: list[Any] = [record.getMessage(), *(value for name, value in vars(record).items() if name not in _USUAL)]
    if record.exc_info and record.exc_info[1]:
        told.append("".join(traceback.format_exception(record.exc_info[1])))
    return " ".join(map(str, told))


def _read_on() -> list[str]:
    found = []
    for path, place in list(_logs.items()):
        if not path.exists():
            del _logs[path]
            continue
        with path.open("rb") as stream:
            stream.seek(place if path.stat().st_size >= place else 0)
            added = stream.read()
            _logs[path] = stream.tell()
        for line in added.decode(errors="replace").splitlines():
            found += [f"{path.name}: {problem}" for problem in problems_of(line)]
    return found
