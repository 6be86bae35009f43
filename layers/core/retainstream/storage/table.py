"""A DynamoDB table in plain Python values: floats in and out, typed errors, and batches that are sent until every item is processed."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from retainstream.storage.attributes import Item as Item
from retainstream.storage.attributes import from_attributes as from_attributes
from retainstream.storage.attributes import to_attributes as to_attributes
from retainstream.storage.clients import dynamodb
from retainstream.storage.errors import Conflict, StorageUnavailable, storage_errors
from retainstream.storage.pace import UNLIMITED, Pace
from retainstream.storage.retry import attempts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITE_BATCH = 25
_READ_BATCH = 100
_BATCH_ATTEMPTS = 10
_ABSENT = object()
_SET = re.compile(r"([#\w.]+) = (:\w+)")
_SET_AND_REMOVE = re.compile(rf"SET (?P<sets>{_SET.pattern}(, {_SET.pattern})*)( REMOVE (?P<removed>[#\w.]+(, [#\w.]+)*))?")
_AT_A_TIME = 4
"""Batches in progress at once: a worker waits for DynamoDB several times as long as it computes. Clients keep ten connections."""

type Options = dict[str, Any]
"""Keyword arguments of a boto3 call."""

type Key = Mapping[str, str]
"""The key attributes of an item, by name."""


@dataclass(frozen=True)
class Page[Record = Item]:
    """Some items and, when there are more, the key of the last one read."""

    items: list[Record]
    next_key: Key | None


@dataclass(frozen=True)
class Table:
    """One table.

    Every method raises StorageUnavailable when DynamoDB does not answer, and Conflict when a condition fails. botocore sends a write again
    when its answer was lost. If the first sending succeeded, the condition of the second fails; such a write counts as successful.
    """

    name: str
    key: tuple[str, ...]
    client: "DynamoDBClient" = field(default_factory=dynamodb)

    def get(self, key: Key, *, consistent: bool = False) -> Item | None:
        with storage_errors():
            answer = self.client.get_item(TableName=self.name, Key=to_attributes(key), ConsistentRead=consistent)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def put(
        self,
        item: Mapping[str, object],
        condition: str = "",
        values: Mapping[str, object] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Writes the whole item. `condition` is a condition expression over `names` (#n) and `values` (:v)."""
        attributes = to_attributes(item)
        try:
            with storage_errors():
                self.client.put_item(TableName=self.name, Item=attributes, **_conditional(values, names, condition))
        except Conflict as conflict:
            if conflict.stored is None or from_attributes(conflict.stored) != from_attributes(attributes):
                raise

    def update(
        self,
        key: Key,
        update: str,
        values: Mapping[str, object] | None = None,
        names: Mapping[str, str] | None = None,
        condition: str = "",
    ) -> Item:
        """Changes attributes by an update expression. Returns the item as it is afterwards."""
        try:
            with storage_errors():
                answer = self.client.update_item(
                    TableName=self.name,
                    Key=to_attributes(key),
                    ReturnValues="ALL_NEW",
                    UpdateExpression=update,
                    **_conditional(values, names, condition),
                )
        except Conflict as conflict:
            stored = from_attributes(conflict.stored or {})
            if not had_effect(update, from_attributes(to_attributes(values or {})), names or {}, stored):
                raise
            return stored
        return from_attributes(answer.get("Attributes", {}))

    def delete(self, key: Key, condition: str = "", values: Mapping[str, object] | None = None) -> Item | None:
        """Removes the item. Returns the item as it was, or None."""
        with storage_errors():
            answer = self.client.delete_item(
                TableName=self.name,
                Key=to_attributes(key),
                ReturnValues="ALL_OLD",
                **_expressions(values, None, ConditionExpression=condition),
            )
        return from_attributes(answer["Attributes"]) if answer.get("Attributes") else None

    def query(
        self,
        condition: str,
        values: Mapping[str, object],
        *,
        names: Mapping[str, str] | None = None,
        index: str = "",
        limit: int | None = None,
        ascending: bool = True,
        start: Key | None = None,
        consistent: bool = False,
    ) -> Page:
        """One page of a key query."""
        options: Options = _expressions(values, names, KeyConditionExpression=condition, IndexName=index)
        if limit is not None:
            options["Limit"] = limit
        if start is not None:
            options["ExclusiveStartKey"] = to_attributes(start)
        if consistent:
            options["ConsistentRead"] = True
        with storage_errors():
            answer = self.client.query(TableName=self.name, ScanIndexForward=ascending, **options)
        return _page(answer)

    def scan(
        self,
        *,
        limit: int | None = None,
        start: Key | None = None,
        segment: int = 0,
        segments: int = 1,
        attributes: Sequence[str] = (),
        consistent: bool = False,
    ) -> Page:
        """One page of a scan, or of one segment of a parallel scan; of each item the named attributes, or all."""
        options: Options = {} if segments == 1 else {"Segment": segment, "TotalSegments": segments}
        if limit is not None:
            options["Limit"] = limit
        if start is not None:
            options["ExclusiveStartKey"] = to_attributes(start)
        if consistent:
            options["ConsistentRead"] = True
        options |= _projection(attributes)
        with storage_errors():
            answer = self.client.scan(TableName=self.name, **options)
        return _page(answer)

    def scan_block(
        self,
        limit: int,
        *,
        start: Key | None = None,
        segment: int = 0,
        segments: int = 1,
        attributes: Sequence[str] = (),
        consistent: bool = False,
    ) -> Page:
        """Exactly `limit` items, in as many pages as that takes; fewer only at the end of the segment."""
        items: list[Item] = []
        while True:
            page = self.scan(
                limit=limit - len(items), start=start, segment=segment, segments=segments, attributes=attributes, consistent=consistent
            )
            items += page.items
            start = page.next_key
            if start is None or len(items) >= limit:
                return Page(items, start)

    def scan_pages(self, *, limit: int | None = None, segment: int = 0, segments: int = 1) -> Iterator[list[Item]]:
        """All pages of a scan, one after the other."""
        start: Key | None = None
        while True:
            page = self.scan(limit=limit, start=start, segment=segment, segments=segments)
            yield page.items
            start = page.next_key
            if start is None:
                return

    def approximate_count(self) -> int:
        """The number of items when DynamoDB last counted them, which it does about every six hours."""
        with storage_errors():
            return self.client.describe_table(TableName=self.name)["Table"]["ItemCount"]

    def get_many(self, keys: Iterable[Key], *, attributes: Sequence[str] = (), consistent: bool = False) -> list[Item]:
        """The items with these keys that exist, in no order; of each the named attributes, or all. Several batches are read at a time."""
        options: Options = {"ConsistentRead": True, **_projection(attributes)} if consistent else _projection(attributes)

        def get(chunk: Sequence[Key]) -> list[Item]:
            items: list[Item] = []

            def read(pending: Any) -> Any:
                answer = self.client.batch_get_item(RequestItems=pending)
                items.extend(from_attributes(attributes) for attributes in answer["Responses"].get(self.name, []))
                return answer.get("UnprocessedKeys")

            _until_processed(read, {self.name: {"Keys": [to_attributes(key) for key in chunk], **options}})
            return items

        return [item for items in side_by_side(get, batched(keys, _READ_BATCH)) for item in items]

    def put_many(self, items: Iterable[Mapping[str, object]], pace: Pace = UNLIMITED) -> int:
        """Writes whole items in batches, several at a time and no faster than `pace` allows. Items that stay unprocessed are sent again.
        Returns the number written."""

        def put(chunk: Sequence[Mapping[str, object]]) -> int:
            pace.wait(len(chunk))
            request: Any = {self.name: [{"PutRequest": {"Item": to_attributes(item)}} for item in chunk]}
            _until_processed(lambda pending: self.client.batch_write_item(RequestItems=pending).get("UnprocessedItems"), request)
            return len(chunk)

        return sum(side_by_side(put, batched(items, _WRITE_BATCH)))


def side_by_side[Chunk, Done](work: Callable[[Chunk], Done], chunks: Iterable[Chunk], *, at_a_time: int = _AT_A_TIME) -> Iterator[Done]:
    """The results of `work` for each chunk, in order. Some chunks are worked on at the same time, and no others are taken meanwhile.

    The first exception of `work` is raised in place of its result; chunks that have not begun are then skipped.
    """
    waiting = iter(chunks)
    first = list(islice(waiting, at_a_time))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(len(first)) as pool:
        under_way = deque(pool.submit(work, chunk) for chunk in first)
        try:
            while under_way:
                done = under_way.popleft().result()
                under_way.extend(pool.submit(work, chunk) for chunk in islice(waiting, 1))
                yield done
        finally:
            for left in under_way:
                left.cancel()


def _expressions(values: Mapping[str, object] | None, names: Mapping[str, str] | None, **expressions: str) -> Options:
    options: Options = {name: text for name, text in expressions.items() if text}
    if values:
        options["ExpressionAttributeValues"] = to_attributes(values)
    if names:
        options["ExpressionAttributeNames"] = dict(names)
    return options


def _conditional(values: Mapping[str, object] | None, names: Mapping[str, str] | None, condition: str) -> Options:
    options = _expressions(values, names, ConditionExpression=condition)
    return options | ({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if condition else {})


def had_effect(update: str, values: Mapping[str, object], names: Mapping[str, str], stored: Mapping[str, object]) -> bool:
    """Whether an item is as an update expression of the form `SET path = :value, … REMOVE path, …` leaves it. False for any other form."""
    matched = _SET_AND_REMOVE.fullmatch(update)
    if not stored or matched is None:
        return False
    sets, removed = matched["sets"], matched["removed"]
    pairs = [(path, values[value]) for path, value in _SET.findall(sets)]
    return all(_at(path, names, stored) == value for path, value in pairs) and not any(
        _at(path.strip(), names, stored) is not _ABSENT for path in (removed or "").split(",") if path.strip()
    )


def _at(path: str, names: Mapping[str, str], value: object) -> object:
    for step in path.split("."):
        name = names.get(step, step)
        if not isinstance(value, Mapping) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _projection(attributes: Sequence[str]) -> Options:
    names = {f"#a{place}": name for place, name in enumerate(attributes)}
    return {"ExpressionAttributeNames": names, "ProjectionExpression": ", ".join(names)} if names else {}


def _page(answer: Any) -> Page:
    last = answer.get("LastEvaluatedKey")
    return Page([from_attributes(attributes) for attributes in answer["Items"]], from_attributes(last) if last else None)


def _until_processed(send: Callable[[Any], Any], request: Any) -> None:
    for _ in attempts(_BATCH_ATTEMPTS, first=0.05, longest=5.0):
        with storage_errors():
            request = send(request)
        if not request:
            return
    raise StorageUnavailable("DynamoDB left part of a batch unprocessed after every attempt")
