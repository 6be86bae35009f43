"""moto's DynamoDB made safe for threads, and watched.

- One request at a time (`LOCK`): moto's own read-modify-write of an item is not atomic.
- A stored item never changes: an update replaces it. So readers, snapshots and stream records may keep a reference.
- A transaction that is rolled back costs a shallow copy of the tables it touches, and takes its stream records back.
- The table's watchers are called after every write.
- Items can be collected: moto keeps a list of every model ever made.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.common_models import BaseModel
from moto.dynamodb import responses
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models import table as table_models
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from local.stream_shard import StreamShard
from local.wire import WireResult, typed

LOCK = threading.RLock()

type Key = tuple[DynamoType, DynamoType | None]
type Watcher = Callable[[Table, Item | None, Item | None], None]

_MAX_ITEM_BYTES = 405_000
_watchers: list[Watcher] = []
_updating: list[Table] = []


def stored(table: Table, key: Key) -> Item | None:
    """The stored item of a key."""
    entry: Any = table.items.get(key[0])
    if entry is not None and table.range_key_attr is not None:
        return entry.get(key[1])  # type: ignore[no-any-return]
    return entry  # type: ignore[no-any-return]


def store(table: Table, key: Key, item: Item | None) -> None:
    """Store or remove an item without checks, stream or watchers."""
    items: Any = table.items
    if table.range_key_attr is not None:
        items, place = items[key[0]], key[1]
    else:
        place = key[0]
    if item is None:
        items.pop(place, None)
    else:
        items[place] = item


def every_item(table: Table) -> Iterator[Item]:
    """All items, in any order."""
    for entry in table.items.values():
        if table.range_key_attr is not None:
            yield from entry.values()
        else:
            yield entry  # type: ignore[misc]


@contextmanager
def atomic_tables(*watchers: Watcher) -> Iterator[None]:
    """moto's DynamoDB with the properties above while the context lasts; `watchers` are called with the old and the new item."""
    replaced: list[tuple[Any, str, Any]] = [
        (responses.DynamoHandler, "call_action", _one_at_a_time(responses.DynamoHandler.call_action)),
        (responses, "DynamoResult", WireResult),
        (table_models, "StreamShard", StreamShard),
        (BaseModel, "__new__", _untracked),
        (Item, "__init__", _init_item),
        (DynamoType, "__init__", _init_value),
        (LimitedSizeDict, "__setitem__", dict.__setitem__),
        (Table, "put_item", _put_item(Table.put_item)),
        (Table, "delete_item", _delete_item(Table.delete_item)),
        (Table, "__deepcopy__", _shallow_table),
        (DynamoDBBackend, "update_item", _update_item(DynamoDBBackend.update_item)),
    ]
    before = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    _watchers[:] = watchers
    try:
        yield
    finally:
        _watchers.clear()
        for owner, name, value in before:
            if value is None:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _untracked(cls: type[BaseModel], *_args: Any, **_options: Any) -> BaseModel:
    return object.__new__(cls)


def _one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    def call_action(self: Any) -> Any:
        with LOCK:
            return original(self)

    return call_action


def _init_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    self.hash_key = hash_key
    self.range_key = range_key
    self.attrs = LimitedSizeDict()
    dict.update(self.attrs, {name: typed(value) for name, value in attrs.items()})
    _check_size(self)


def _check_size(item: Item) -> None:
    item.__dict__["known_size"] = item.size()
    if item.__dict__["known_size"] > _MAX_ITEM_BYTES:
        raise ItemSizeTooLarge


def _init_value(self: DynamoType, content: Any) -> None:
    if isinstance(content, DynamoType):
        self.type, self.value = content.type, content.value
    else:
        [(self.type, self.value)] = content.items()
    if self.type == "L":
        self.value = [DynamoType(value) for value in self.value]
    elif self.type == "M":
        self.value = {name: DynamoType(value) for name, value in self.value.items()}


def _tell(table: Table, old: Item | None, new: Item | None) -> None:
    for watcher in _watchers:
        watcher(table, old, new)


def _put_item(original: Callable[..., Item]) -> Callable[..., Item]:
    def put_item(self: Table, item_attrs: dict[str, Any], *args: Any, **options: Any) -> Item:
        old = _addressed(self, item_attrs)
        new = original(self, item_attrs, *args, **options)
        if not _updating:
            _tell(self, old, new)
        return new

    return put_item


def _delete_item(original: Callable[..., Item | None]) -> Callable[..., Item | None]:
    def delete_item(self: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        old = stored(self, (hash_key, range_key)) and original(self, hash_key, range_key)
        if old is not None:
            _tell(self, old, None)
        return old

    return delete_item


def _update_item(original: Callable[..., Item]) -> Callable[..., Item]:
    def update_item(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **options: Any) -> Item:
        table = self.get_table(table_name)
        address = address_of(table, key)
        if address is None:
            return original(self, table_name, key, *args, **options)
        old = stored(table, address)
        shard: Any = table.stream_shard
        next_sequence = shard.next_sequence if shard is not None else 0
        if old is not None:
            store(table, address, _copy(old))
        _updating.append(table)
        try:
            new = original(self, table_name, key, *args, **options)
            _check_size(new)
        except BaseException:
            store(table, address, old)
            if shard is not None:
                shard.rewind(next_sequence)
            raise
        finally:
            _updating.pop()
        _tell(table, old, new)
        return new

    return update_item


def _copy(item: Item) -> Item:
    twin = object.__new__(Item)
    twin.hash_key, twin.range_key, twin.attrs = item.hash_key, item.range_key, LimitedSizeDict()
    dict.update(twin.attrs, {name: copy.deepcopy(value) for name, value in item.attrs.items()})
    return twin


def replace(table: Table, old: Item | None, new: Item) -> None:
    """Replace the item that is stored under the same key, with a record in the stream and a call of the watchers.

    Raises:
        ItemSizeTooLarge: the item is larger than DynamoDB stores.
    """
    _check_size(new)
    store(table, (new.hash_key, new.range_key), new)
    if table.stream_shard is not None:
        table.stream_shard.add(old, new)
    _tell(table, old, new)


def address_of(table: Table, attributes: dict[str, Any]) -> Key | None:
    """The key in these attributes; None if it is incomplete."""
    if table.hash_key_attr not in attributes or (table.range_key_attr is not None and table.range_key_attr not in attributes):
        return None
    return (
        DynamoType(attributes[table.hash_key_attr]),
        DynamoType(attributes[table.range_key_attr]) if table.range_key_attr is not None else None,
    )


def _addressed(table: Table, attributes: dict[str, Any]) -> Item | None:
    address = address_of(table, attributes)
    return stored(table, address) if address else None


def _shallow_table(self: Table, _memo: dict[int, Any]) -> Table:
    twin: Any = object.__new__(self.__class__)
    twin.__dict__.update({name: value for name, value in self.__dict__.items() if name != "sorted_orders"})
    twin.items = copy.copy(self.items)
    if self.range_key_attr is not None:
        for place, items in twin.items.items():
            twin.items[place] = copy.copy(items)
    if self.stream_shard is not None:
        twin.stream_shard = self.stream_shard.twin(twin)  # type: ignore[attr-defined]
    return twin  # type: ignore[no-any-return]
