"""The changes of a table's rows, from the table's stream."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from retainstream.settings import settings
from retainstream.storage.attributes import Attribute, Item, from_attributes
from retainstream.storage.lives import to_read, with_lives


class StreamChange(TypedDict, total=False):
    """The images of a row before and after a change, and its moment in seconds since 1970."""

    ApproximateCreationDateTime: float
    SequenceNumber: str
    OldImage: dict[str, Attribute]
    NewImage: dict[str, Attribute]


class StreamRecord(TypedDict):
    """A record of a DynamoDB stream, as a Lambda function receives it."""

    eventID: str
    eventName: NotRequired[str]
    eventSourceARN: str
    dynamodb: StreamChange


@dataclass(frozen=True)
class Change:
    """One write of one row: the row before (None for a new row) and after (None for a removed row).

    `event_id` never repeats among the changes of a table. `second` is the moment of the change in whole seconds since 1970.
    """

    event_id: str
    second: int
    old: Item | None
    new: Item | None


def changes_by_table(records: Iterable[StreamRecord], attributes: frozenset[str]) -> dict[str, list[Change]]:
    """Stream records with old and new images → changes by the table's name. Of each row only the named attributes are kept."""
    changes: defaultdict[str, list[Change]] = defaultdict(list)
    for record in records:
        change = record["dynamodb"]
        table = record["eventSourceARN"].split(":table/", 1)[1].split("/", 1)[0]
        second = int(change.get("ApproximateCreationDateTime", 0))
        of_customers = table == settings().customers_table
        old, new = (_row(image, attributes, of_customers) for image in (change.get("OldImage"), change.get("NewImage")))
        changes[table].append(Change(record["eventID"], second, old, new))
    return changes


def _row(image: Mapping[str, Attribute] | None, attributes: frozenset[str], of_customers: bool) -> Item | None:
    if image is None:
        return None
    read = to_read(tuple(attributes)) if of_customers else attributes
    row = from_attributes({name: value for name, value in image.items() if name in read})
    return with_lives(row) if of_customers else row


def runs_of(records: Iterable[StreamRecord]) -> list[str]:
    """The ids of the runs that made these changes."""
    written = (record["dynamodb"].get("NewImage", {}).get("run_id", {}).get("S") for record in records)
    return sorted({run for run in written if run})


def seconds_since(records: Iterable[StreamRecord]) -> float:
    """The age of the oldest of these changes in seconds."""
    first = min(record["dynamodb"].get("ApproximateCreationDateTime", 0) for record in records)
    return max(0.0, round(time.time() - first, 1))
