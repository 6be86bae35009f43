"""What a table's stream says happened to its rows."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from retainstream.storage.table import Item, from_attributes


@dataclass(frozen=True)
class Change:
    """One write of one row: what it was (None when it is new) and what it is (None when it went away).

    `event_id` never repeats among the changes of a table; `second` is when it was made, in whole seconds since 1970.
    """

    event_id: str
    second: int
    old: Item | None
    new: Item | None


def changes_by_table(records: Iterable[Mapping[str, Any]], attributes: frozenset[str]) -> dict[str, list[Change]]:
    """Stream records (as a Lambda function receives them, with old and new images) → changes by the table's name.

    Rows are given with no more than the named attributes.
    """
    changes: defaultdict[str, list[Change]] = defaultdict(list)
    for record in records:
        told = record["dynamodb"]
        table = record["eventSourceARN"].split(":table/", 1)[1].split("/", 1)[0]
        second = int(told.get("ApproximateCreationDateTime", 0))
        old, new = (_row(told.get(image), attributes) for image in ("OldImage", "NewImage"))
        changes[table].append(Change(record["eventID"], second, old, new))
    return changes


def _row(image: Mapping[str, Any] | None, attributes: frozenset[str]) -> Item | None:
    return None if image is None else from_attributes({name: value for name, value in image.items() if name in attributes})


def runs_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The runs whose writes are among stream records."""
    written = (record["dynamodb"].get("NewImage", {}).get("run_id", {}).get("S") for record in records)
    return sorted({run for run in written if run})


def seconds_since(records: Iterable[Mapping[str, Any]]) -> float:
    """How long ago the first of some stream records was made."""
    first: float = min(record["dynamodb"].get("ApproximateCreationDateTime", 0) for record in records)
    return max(0.0, round(time.time() - first, 1))
