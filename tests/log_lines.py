"""What functions tell their log."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from retainstream.telemetry.lines import logger_of

SERVICES = sorted(path.parent.name for path in Path(__file__).parents[1].glob("functions/*/app.py"))

type Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def log_lines() -> Iterator[Lines]:
    """Calling what this gives reads every line that any function has told so far; a line that is no JSON object is an error."""
    told = io.StringIO()
    with ExitStack() as stack:
        for service in SERVICES:
            handler: Any = logger_of(service).registered_handler
            stack.callback(handler.setStream, handler.setStream(told))
        yield lambda: [_object(line) for line in told.getvalue().splitlines()]


def _object(line: str) -> dict[str, Any]:
    document = json.loads(line)
    assert isinstance(document, dict), line
    return document
