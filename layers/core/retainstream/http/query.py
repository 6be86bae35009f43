"""What a request's query may hold: each parameter the route knows, at most once."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

from retainstream.engine.schema.validation import FieldError
from retainstream.http.problems import Problem

_LONGEST_NAME = 100


def check_query(event: Mapping[str, Any], known: Collection[str]) -> None:
    """A filter that is misspelt, or given twice, would be left out in silence, and a list be longer than was asked for.

    Raises:
        Problem: invalid-request.
    """
    given = Counter(name for name, _ in parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True, errors="replace"))
    errors = [FieldError(f"query.{name[:_LONGEST_NAME]}", "is not a parameter of this path") for name in given if name not in known]
    errors += [FieldError(f"query.{name}", "is given more than once") for name in given if name in known and given[name] > 1]
    if errors:
        raise Problem("invalid-request", errors=errors)
