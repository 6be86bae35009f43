"""The id that a cause and its effects share: a request, the run that it starts, the run's tasks, and the runs that these start."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

FOLLOWED = "The id of the request that started it, which is on the log lines of all its effects"

_keys: ContextVar[Mapping[str, object]] = ContextVar("invocation", default={})  # noqa: B039


@contextmanager
def following(correlation_id: str, **keys: object) -> Iterator[None]:
    """Marks the work inside as an effect of that cause: its log lines have the id and the keys."""
    token = _keys.set({**_keys.get(), "correlation_id": correlation_id, **keys})
    try:
        yield
    finally:
        _keys.reset(token)


def correlation_id() -> str | None:
    """The id of the present cause."""
    stated = _keys.get().get("correlation_id")
    return str(stated) if stated else None


def keys() -> Mapping[str, object]:
    """The fields of every log line at this moment, with the id."""
    return _keys.get()
