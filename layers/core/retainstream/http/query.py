"""The check of a request's query: known parameters only, each at most once."""

from collections import Counter
from collections.abc import Collection
from urllib.parse import parse_qsl

from retainstream.engine.schema.validation import FieldError
from retainstream.http.events import HttpEvent
from retainstream.http.problems import Problem

_LONGEST_NAME = 100


def check_query(event: HttpEvent, known: Collection[str]) -> None:
    """Refuses unknown and repeated parameters. A misspelt filter would otherwise be ignored, and the list be too long.

    Raises:
        Problem: invalid-request.
    """
    names = Counter(name for name, _ in parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True, errors="replace"))
    errors = [FieldError(f"query.{name[:_LONGEST_NAME]}", "is not a parameter of this path") for name in names if name not in known]
    errors += [FieldError(f"query.{name}", "is given more than once") for name in names if name in known and names[name] > 1]
    if errors:
        raise Problem("invalid-request", errors=errors)
