"""Stream records that can never be counted: put with the dead letters, so that those behind them are.

What storage fails at may succeed later, and is tried again for as long as the stream keeps it. Any other error comes from the record, or
from the code that reads it: the same again brings the same error, and would hold up the stream for a day. The stream halves a batch that
fails until the record at fault is alone; only then is it put aside.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from retainstream.dashboard.fold import READ
from retainstream.storage.dead_letters import MOST_BYTES, DeadLetters
from retainstream.storage.errors import StorageError

type Record = Mapping[str, Any]
type Answer = dict[str, Any]

_PLACE = ("eventID", "eventName", "eventSourceARN")
_MOMENT = ("SequenceNumber", "ApproximateCreationDateTime")
_IMAGES = ("OldImage", "NewImage")


def taken_or_put_aside(take: Callable[[Sequence[Record]], Answer], records: Sequence[Record], letters: DeadLetters) -> Answer:
    """What `take` answers; of a record that is alone and cannot be taken, {aside: its event's id, error: the class of what was raised}.

    Raises:
        StorageError: it may be tried again.
        Exception: whatever `take` raised, where there are several records, or no queue to put one into.
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


def letter_of(record: Record, error: Exception) -> dict[str, Any]:
    """An event that brings the record again, and why it was put aside: {Records, aside: {error, kept}}.

    Of the rows it holds what counting reads, and so neither a customer's id nor features. Where even that is too much for a letter, `kept`
    is false and Records is absent: then only a recount brings the counters right.
    """
    told = record.get("dynamodb")
    told = told if isinstance(told, Mapping) else {}
    images = {name: _counted(told[name]) for name in _IMAGES if name in told}
    kept = {**_some(record, _PLACE), "dynamodb": {**_some(told, _MOMENT), **images}}
    aside = {"error": type(error).__name__, "event_id": record.get("eventID"), "kept": True}
    letter = {"Records": [kept], "aside": aside}
    if len(json.dumps(letter)) <= MOST_BYTES:
        return letter
    return {"aside": {**aside, "kept": False}}


def _counted(image: Any) -> Any:
    return _some(image, READ) if isinstance(image, Mapping) else image


def _some(found: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in names}
