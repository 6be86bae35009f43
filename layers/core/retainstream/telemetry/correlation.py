"""The id that a cause and all its effects share: a request, the run it starts, that run's tasks, and the runs these start."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

FOLLOWED = "The id of the request that asked for it, which the log lines of all that came of it have"

_keys: ContextVar[Mapping[str, Any]] = ContextVar("invocation", default={})  # noqa: B039


@contextmanager
def following(correlation_id: str, **keys: Any) -> Iterator[None]:
    """What happens inside is an effect of that cause; log lines told there have the id and the keys."""
    token = _keys.set({**_keys.get(), "correlation_id": correlation_id, **keys})
    try:
        yield
    finally:
        _keys.reset(token)


def correlation_id() -> str | None:
    """The id of the cause that is being followed."""
    return _keys.get().get("correlation_id")


def keys() -> Mapping[str, Any]:
    """What every log line has now, the id among it."""
    return _keys.get()
