"""Stream records that can never be counted, moved to the dead letters so that later records are counted.

An error of storage may not occur again, so its records are tried again for as long as the stream keeps them. Any other error comes from the
record or from the code that reads it: it would occur again and hold up the stream for a day. The stream halves a failing batch until the
record at fault is alone; only then is the record moved.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, NotRequired, TypedDict, cast

from retainstream.dashboard.fold import READ
from retainstream.storage.changes import StreamChange, StreamRecord
from retainstream.storage.dead_letters import MOST_BYTES, DeadLetters
from retainstream.storage.errors import StorageError


class Taken(TypedDict):
    """Numbers of one table's changes in a batch: all, and those that changed a counter."""

    changes: int
    counted: int


class BatchAnswer(TypedDict):
    """A counted batch: its changes by table, the runs that made them, the age of the oldest in seconds, and the last event's id."""

    taken: dict[str, Taken]
    runs: list[str]
    lag: float
    last_event: str


class AsideAnswer(TypedDict):
    """A record that was moved: its event's id, and the class of the error."""

    aside: str | None
    error: str


class Aside(TypedDict):
    """Why a record was moved, and whether the letter holds it."""

    error: str
    event_id: str | None
    kept: bool


class Letter(TypedDict):
    """An event with the record, and why the record was moved."""

    Records: NotRequired[list[StreamRecord]]
    aside: Aside


_PLACE = ("eventID", "eventName", "eventSourceARN")
_MOMENT = ("SequenceNumber", "ApproximateCreationDateTime")
_IMAGES: tuple[Literal["OldImage", "NewImage"], ...] = ("OldImage", "NewImage")


def taken_or_put_aside(
    take: Callable[[Sequence[StreamRecord]], BatchAnswer], records: Sequence[StreamRecord], letters: DeadLetters
) -> BatchAnswer | AsideAnswer:
    """Counts a batch by `take`. Moves a single record that cannot be counted to the dead letters.

    Raises:
        StorageError: the same batch may be tried again.
        Exception: the error of `take`, where there are several records, or no queue.
    """
    try:
        return take(records)
    except StorageError:
        raise
    except Exception as error:
        if len(records) > 1 or not letters.url:
            raise
        letters.put(letter_of(records[0], error))
        return {"aside": records[0].get("eventID"), "error": type(error).__name__}


def letter_of(record: StreamRecord, error: Exception) -> Letter:
    """An event with the record, for another delivery, and why the record was moved.

    Of the rows it holds only the attributes that counting reads, so neither a customer's id nor features. Where even these are too large
    for a letter, `kept` is false and Records is absent: then only a recount corrects the counters.
    """
    stated: object = record.get("dynamodb")
    change = cast("StreamChange", stated) if isinstance(stated, Mapping) else StreamChange()
    images = {name: _counted(change[name]) for name in _IMAGES if name in change}
    kept = cast("StreamRecord", {**_some(record, _PLACE), "dynamodb": {**_some(change, _MOMENT), **images}})
    aside: Aside = {"error": type(error).__name__, "event_id": record.get("eventID"), "kept": True}
    letter: Letter = {"Records": [kept], "aside": aside}
    if len(json.dumps(letter)) <= MOST_BYTES:
        return letter
    return {"aside": {**aside, "kept": False}}


def _counted(image: object) -> object:
    return _some(image, READ) if isinstance(image, Mapping) else image


def _some(values: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in names}
