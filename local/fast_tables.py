"""Sorted orders for moto's tables, so that the cost of a query depends on its page and not on the table.

moto sorts the whole table for every query and every page of a scan. Here an order is sorted at its first use and updated by
every write. Requests that these orders do not serve (several hash keys, legacy filters) go to moto's own code. The answers are
the same.
"""

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, GlobalSecondaryIndex, Table

from local.atomic_tables import every_item

type _SortKey = tuple[Any, ...]
type _Page = tuple[list[Item], int, dict[str, Any] | None]

_SEGMENTATIONS_KEPT = 4


class Order:
    """The items of a table in groups, each group sorted. An item that lacks an attribute of the order is not in it."""

    def __init__(self, group: Callable[[Item], Hashable], sorted_by: list[str], needs: list[str]) -> None:
        self.sorted_by = sorted_by
        self._group = group
        self._needs = needs
        self._groups: dict[Hashable, list[tuple[_SortKey, Item]]] = {}

    def fill(self, items: Iterator[Item]) -> None:
        for item in items:
            if self._holds(item):
                self._groups.setdefault(self._group(item), []).append((self.key(item.attrs), item))
        for entries in self._groups.values():
            entries.sort()

    def group(self, name: Hashable) -> list[tuple[_SortKey, Item]]:
        return self._groups.get(name, [])

    def key(self, attributes: dict[str, Any]) -> _SortKey:
        """The place of an item, or of a start key, among the others."""
        key: list[Any] = []
        for name in self.sorted_by:
            value = attributes[name]
            typed = value if isinstance(value, DynamoType) else DynamoType(value)
            key += (typed.type, typed.cast_value)
        return tuple(key)

    def replace(self, old: Item | None, new: Item | None) -> None:
        if old is not None and self._holds(old):
            entries = self._groups[self._group(old)]
            del entries[bisect_left(entries, (self.key(old.attrs),))]
        if new is not None and self._holds(new):
            insort(self._groups.setdefault(self._group(new), []), (self.key(new.attrs), new))

    def _holds(self, item: Item) -> bool:
        return all(name in item.attrs for name in self._needs)


@contextmanager
def fast_tables() -> Iterator[None]:
    """moto's queries and scans served from sorted orders while the context lasts."""
    query, scan, all_items, project = Table.query, Table.scan, Table.all_items, Item.project
    Table.query = _fast_query(query)  # type: ignore[method-assign]
    Table.scan = _fast_scan(scan)  # type: ignore[method-assign]
    Table.all_items = _all_items  # type: ignore[method-assign]
    Item.project = _fast_project(project)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Table.query, Table.scan, Table.all_items = query, scan, all_items  # type: ignore[method-assign]
        Item.project = project  # type: ignore[method-assign]


def keep_sorted(table: Table, old: Item | None, new: Item | None) -> None:
    """Watcher for `atomic_tables`: a write changes every order of its table."""
    for order in _orders(table).values():
        order.replace(old, new)


def _orders(table: Table) -> dict[Hashable, Order]:
    return table.__dict__.setdefault("sorted_orders", {})  # type: ignore[no-any-return]


def _order(table: Table, name: Hashable, make: Callable[[], Order]) -> Order:
    orders = _orders(table)
    if name not in orders:
        orders[name] = make()
        orders[name].fill(every_item(table))
    return orders[name]


def _table_keys(table: Table) -> list[str]:
    return [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]


def _whole_table(table: Table) -> Order:
    keys = _table_keys(table)
    return _order(table, "all", lambda: Order(lambda _: None, keys, keys))


def _segments(table: Table, total: int) -> Order:
    orders = _orders(table)
    kept = [name for name in orders if isinstance(name, int)]
    if total not in kept and len(kept) >= _SEGMENTATIONS_KEPT:
        del orders[kept[0]]
    keys = _table_keys(table)
    return _order(table, total, lambda: Order(lambda item: segment_of(item.hash_key, total), keys, keys))


def segment_of(hash_key: DynamoType, total: int) -> int:
    """The segment of a parallel scan that holds an item, as in moto."""
    return hashlib.md5(str(hash_key.value).encode(), usedforsecurity=False).digest()[0] % total


def _by_hash_key(table: Table, hash_name: str, sorted_by: list[str], needs: list[str], name: Hashable) -> Order:
    return _order(table, name, lambda: Order(lambda item: item.attrs[hash_name], sorted_by, needs))


def _all_items(self: Table) -> list[Item]:
    return [item for _, item in _whole_table(self).group(None)]


def _fast_query(original: Callable[..., _Page]) -> Callable[..., _Page]:
    def query(
        self: Table,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        limit: int,
        exclusive_start_key: dict[str, Any] | None,
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: Any = None,
        hash_key_conditions: list[tuple[str, DynamoType]] | None = None,
        range_key_conditions: list[tuple[str, str, list[DynamoType]]] | None = None,
        **filters: Any,
    ) -> _Page:
        def by_moto() -> _Page:
            return original(
                self, hash_key, range_comparison, range_objs, limit, exclusive_start_key, scan_index_forward, projection_expressions,
                index_name, consistent_read, filter_expression, hash_key_conditions, range_key_conditions, **filters,
            )  # fmt: skip

        index = next((index for index in self.all_indexes() if index.name == index_name), None)
        wrong = index_name is not None and (index is None or (consistent_read and isinstance(index, GlobalSecondaryIndex)))
        if wrong or filters or hash_key is None or len(hash_key_conditions or []) > 1 or len(range_key_conditions or []) > 1:
            return by_moto()
        if index is None:
            hash_name, range_name = self.hash_key_attr, self.range_key_attr
            order = _by_hash_key(self, hash_name, _table_keys(self)[1:], _table_keys(self), "by-key")
        else:
            hash_names = [key["AttributeName"] for key in index.schema if key["KeyType"] == "HASH"]
            range_names = [key["AttributeName"] for key in index.schema if key["KeyType"] == "RANGE"]
            if len(hash_names) != 1 or len(range_names) > 1:
                return by_moto()
            if range_comparison and not range_names:
                return by_moto()
            hash_name, range_name = hash_names[0], range_names[0] if range_names else None
            keys = _table_keys(self)
            sorted_by = [*(range_names or keys[-1:]), *keys]
            order = _by_hash_key(self, hash_name, sorted_by, [hash_name, *range_names, *keys], index_name)
        entries = order.group(hash_key)
        if exclusive_start_key is not None and not all(name in exclusive_start_key for name in order.sorted_by):
            return by_moto()
        first, last = _bounds(entries, range_comparison, range_objs)
        if exclusive_start_key is not None:
            start = order.key(exclusive_start_key)
            if scan_index_forward:
                first = max(first, bisect_right(entries, start, key=lambda entry: entry[0]))
            else:
                last = min(last, bisect_left(entries, start, key=lambda entry: entry[0]))
        positions = range(first, last) if scan_index_forward else range(last - 1, first - 1, -1)

        results: list[Item] = []
        size = 0
        last_key = None
        for position in positions:
            item = entries[position][1]
            if len(results) == limit or size + _size(item) > RESULT_SIZE_LIMIT:
                last_key = self._get_last_evaluated_key(results[-1], index_name)
                break
            if range_comparison and not item.attrs[str(range_name)].compare(range_comparison, range_objs):
                continue
            results.append(item)
            size += _size(item)
        else:
            beyond = len(entries) > last if scan_index_forward else first > 0
            if results and len(results) == limit and beyond:
                last_key = self._get_last_evaluated_key(results[-1], index_name)
        scanned = len(results)
        if index is not None:
            results = [_projected_to(index, item) for item in results]
        return _chosen(results, filter_expression, projection_expressions), scanned, last_key

    return query


def _bounds(entries: list[tuple[_SortKey, Item]], comparison: str | None, values: list[DynamoType]) -> tuple[int, int]:
    """The first place, and the place after the last, where the condition on the sort key can hold."""
    operator = (comparison or "").upper()
    edges = [(value.type, value.cast_value) for value in values]

    def below(edge: tuple[str, Any]) -> int:
        return bisect_left(entries, edge, key=lambda entry: entry[0][:2])

    def above(edge: tuple[str, Any]) -> int:
        return bisect_right(entries, edge, key=lambda entry: entry[0][:2])

    match operator:
        case "=" | "EQ":
            return below(edges[0]), above(edges[0])
        case "<" | "LT":
            return 0, below(edges[0])
        case "<=" | "LE":
            return 0, above(edges[0])
        case ">" | "GT":
            return above(edges[0]), len(entries)
        case ">=" | "GE":
            return below(edges[0]), len(entries)
        case "BETWEEN":
            return below(edges[0]), max(below(edges[0]), above(edges[1]))
        case "BEGINS_WITH" if edges[0][0] == "S":
            length = len(edges[0][1])
            return below(edges[0]), bisect_right(entries, edges[0], key=lambda entry: (entry[0][0], entry[0][1][:length]))
    return 0, len(entries)


def _fast_scan(original: Callable[..., _Page]) -> Callable[..., _Page]:
    def scan(
        self: Table,
        filters: dict[str, Any],
        limit: int,
        exclusive_start_key: dict[str, Any] | None,
        filter_expression: Any = None,
        index_name: str | None = None,
        consistent_read: bool = False,
        projection_expression: list[list[str]] | None = None,
        segments: tuple[None, None] | tuple[int, int] = (None, None),
    ) -> _Page:
        if filters or index_name:
            return original(
                self, filters, limit, exclusive_start_key, filter_expression, index_name, consistent_read, projection_expression, segments
            )
        segment, total = segments
        order = _whole_table(self) if total is None else _segments(self, total)
        entries = order.group(None if total is None else segment)
        first = 0
        if exclusive_start_key is not None:
            first = bisect_right(entries, order.key(exclusive_start_key), key=lambda entry: entry[0])
        results: list[Item] = []
        size = 0
        last_key = None
        for position in range(first, len(entries)):
            item = entries[position][1]
            if len(results) == limit or size + _size(item) > RESULT_SIZE_LIMIT:
                last_key = self._get_last_evaluated_key(results[-1], None)
                break
            results.append(item)
            size += _size(item)
        return _chosen(results, filter_expression, projection_expression), len(results), last_key

    return scan


def _chosen(results: list[Item], filter_expression: Any, projection: list[list[str]] | None) -> list[Item]:
    if filter_expression is not None:
        results = [item for item in results if filter_expression.expr(item)]
    return [item.project(projection) for item in results] if projection else results


def _fast_project(original: Callable[[Item, list[list[str]]], Item]) -> Callable[[Item, list[list[str]]], Item]:
    def project(self: Item, projection: list[list[str]]) -> Item:
        if all(len(path) == 1 and "[" not in path[0] for path in projection):
            return _only(self, [path[0] for path in projection])
        return original(self, projection)

    return project


def _projected_to(index: Any, item: Item) -> Item:
    match (index.projection or {}).get("ProjectionType"):
        case "KEYS_ONLY":
            return _only(item, [*index.table_key_attrs, *index.schema_key_attrs])
        case "INCLUDE":
            return _only(item, [*index.table_key_attrs, *index.schema_key_attrs, *index.projection.get("NonKeyAttributes", [])])
    return item


def _only(item: Item, names: list[str]) -> Item:
    part = object.__new__(Item)
    part.hash_key, part.range_key = item.hash_key, item.range_key
    part.attrs = LimitedSizeDict()
    dict.update(part.attrs, {name: item.attrs[name] for name in names if name in item.attrs})
    return part


def _size(item: Item) -> int:
    size = item.__dict__.get("known_size")
    if size is None:
        size = item.__dict__["known_size"] = item.size()
    return int(size)
