"""A DynamoDB stream of one shard that keeps the records that its readers still need."""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from moto.core.utils import utcnow
from moto.dynamodb.models.dynamo_type import Item

from local.wire import attributes

FIRST_SEQUENCE = 1100000000017454423009
_KEPT_WITHOUT_READERS = 1000


@dataclass(frozen=True)
class Record:
    """One change of one item. `event` is the record as a Lambda function receives it, without its source ARN."""

    sequence: int
    event: dict[str, Any] = field(compare=False)


class StreamShard:
    """Stands in for moto's StreamShard. Guarded by the lock of `local.atomic_tables`.

    A put that changes nothing makes no record, and an update that makes an item makes one record, as in AWS.
    """

    id = "shardId-00000001541626099285-f35f62ef"

    def __init__(self, account_id: str, table: Any) -> None:
        self.account_id = account_id
        self.table = table
        self.created_on = utcnow()
        self.records: deque[Record] = deque()
        self.next_sequence = FIRST_SEQUENCE
        self.readers: dict[str, int] = {}
        self.written = threading.Event()

    @property
    def starting_sequence_number(self) -> int:
        """Sequence number of the oldest record kept."""
        return self.next_sequence - len(self.records)

    @property
    def items(self) -> deque[Record]:
        return self.records

    def to_json(self) -> dict[str, Any]:
        return {"ShardId": self.id, "SequenceNumberRange": {"StartingSequenceNumber": str(self.starting_sequence_number)}}

    def add(self, old: Item | None, new: Item | None) -> None:
        """Record a change."""
        if old is not None and new is not None and attributes(old) == attributes(new):
            return
        event = self._event(old, new)
        last = self.records[-1].event if self.records else None
        completes_insert = (
            event["eventName"] == "INSERT"
            and last is not None
            and last["eventName"] == "INSERT"
            and last["dynamodb"]["Keys"] == event["dynamodb"]["Keys"]
        )
        if completes_insert:
            self.records.pop()
            self.next_sequence -= 1
        self._append(event)
        self.written.set()

    def get(self, start: int, quantity: int) -> list[dict[str, Any]]:
        """Records from a sequence number on, as GetRecords returns them."""
        first = max(0, start - self.starting_sequence_number)
        return [_as_served(record.event) for record in islice(self.records, first, first + quantity)]

    def read(self, reader: str, limit: int) -> list[Record]:
        """The next records for a reader, oldest first."""
        first = max(0, self.readers.setdefault(reader, self.starting_sequence_number) - self.starting_sequence_number)
        return list(islice(self.records, first, first + limit))

    def commit(self, reader: str, sequence: int) -> None:
        """A reader has processed every record up to and including `sequence`."""
        self.readers[reader] = sequence + 1
        self.trim()

    def trim(self) -> None:
        """Remove the records that every reader has processed; without readers keep the newest records only."""
        oldest = min(self.readers.values()) if self.readers else self.next_sequence - _KEPT_WITHOUT_READERS
        while self.records and self.records[0].sequence < oldest:
            self.records.popleft()

    def rewind(self, sequence: int) -> None:
        """Take back the records from `sequence` on."""
        while self.records and self.records[-1].sequence >= sequence:
            self.records.pop()
        self.next_sequence = sequence

    def restore(self, records: list[Record], next_sequence: int, readers: dict[str, int]) -> None:
        """Continue from a stored state."""
        self.records, self.next_sequence, self.readers = deque(records), next_sequence, dict(readers)
        self.written.set()

    def twin(self, table: Any) -> "StreamShard":
        """An independent copy of the stream."""
        twin = StreamShard(self.account_id, table)
        twin.created_on, twin.written = self.created_on, self.written
        twin.records, twin.next_sequence, twin.readers = deque(self.records), self.next_sequence, self.readers
        return twin

    def _append(self, event: dict[str, Any]) -> None:
        event["dynamodb"]["SequenceNumber"] = str(self.next_sequence)
        self.records.append(Record(self.next_sequence, event))
        self.next_sequence += 1
        if not self.readers:
            self.trim()

    def _event(self, old: Item | None, new: Item | None) -> dict[str, Any]:
        view = self.table.stream_specification["StreamViewType"]
        after, before = (attributes(item) if item is not None else None for item in (new, old))
        present: dict[str, Any] = after or before or {}
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": round(time.time(), 3),
            "Keys": {name: present[name] for name in self.table.table_key_attrs},
            "StreamViewType": view,
        }
        if after is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            change["NewImage"] = after
        if before is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            change["OldImage"] = before
        return {
            "eventID": uuid.uuid4().hex,
            "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.table.region_name,
            "dynamodb": {**change, "SizeBytes": 0},
        }


def _as_served(event: dict[str, Any]) -> dict[str, Any]:
    made = datetime.fromtimestamp(event["dynamodb"]["ApproximateCreationDateTime"], UTC)
    return {**event, "dynamodb": {**event["dynamodb"], "ApproximateCreationDateTime": made.replace(tzinfo=None)}}
