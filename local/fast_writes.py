"""Single writes without moto's parsers.

moto parses the expressions of a write several times over and copies the item for each. Those that set and remove whole attributes, on
conditions joined by AND, are executed here; other and invalid expressions go to moto's own code.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb import responses
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models.dynamo_type import Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.atomic_tables import address_of, replace, stored
from local.wire import typed

type Condition = Callable[[Item | None], bool]
type Handler = Callable[[Any], Any]

_UPDATE = re.compile(r"(?:SET (?P<set>[^()+-]+?))?(?: ?REMOVE (?P<remove>[^()]+))?")
_NAME = r"#?\w+"
_SET = re.compile(rf"({_NAME}) = (:\w+)")
_TERM = re.compile(rf"(?P<function>attribute_exists|attribute_not_exists)\((?P<there>{_NAME})\)|(?P<name>{_NAME}) = (?P<value>:\w+)")
_PUT = {"TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValues"}
_UPDATED = (_PUT - {"Item"}) | {"Key", "UpdateExpression"}
_SETS = {"SS", "NS", "BS"}


@contextmanager
def fast_writes() -> Iterator[None]:
    """Execute simple puts and updates directly while the context lasts, inside `atomic_tables`."""
    handler: Any = responses.DynamoHandler
    put_item, update_item = handler.put_item, handler.update_item
    handler.put_item, handler.update_item = _put_item(put_item), _update_item(update_item)
    try:
        yield
    finally:
        handler.put_item, handler.update_item = put_item, update_item


class _NotSimple(Exception):
    """moto's own code has to execute this request."""


class _Expressions:
    """The names and values of a request, with the ones that its expressions have used."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._names: dict[str, str] = body.get("ExpressionAttributeNames") or {}
        self._values: dict[str, Any] = body.get("ExpressionAttributeValues") or {}
        self._used: set[str] = set()

    def name(self, written: str) -> str:
        if not written.startswith("#"):
            if written.upper() in ReservedKeywords.get_reserved_keywords():
                raise _NotSimple
            return written
        return str(self._found(self._names, written))

    def value(self, written: str) -> dict[str, Any]:
        value: dict[str, Any] = self._found(self._values, written)
        if len(value) != 1 or not _SETS.isdisjoint(value):
            raise _NotSimple
        return value

    def _found(self, stated: dict[str, Any], written: str) -> Any:
        if written not in stated:
            raise _NotSimple
        self._used.add(written)
        return stated[written]

    def all_used(self) -> None:
        if self._used != self._names.keys() | self._values.keys():
            raise _NotSimple

    def condition(self, text: str) -> Condition:
        terms = [self._term(term.strip()) for term in text.split(" AND ")] if text else []
        return lambda item: all(term(item) for term in terms)

    def _term(self, text: str) -> Condition:
        term = _TERM.fullmatch(text)
        if term is None:
            raise _NotSimple
        if term["function"]:
            name, wanted = self.name(term["there"]), term["function"] == "attribute_exists"
            return lambda item: (item is not None and name in item.attrs) is wanted
        name, value = self.name(term["name"]), typed(self.value(term["value"]))
        return lambda item: item is not None and name in item.attrs and item.attrs[name] == value

    def changes(self, text: str) -> tuple[dict[str, dict[str, Any]], set[str]]:
        update = _UPDATE.fullmatch(text.strip())
        if update is None or not (update["set"] or update["remove"]):
            raise _NotSimple
        assigned = [_SET.fullmatch(part.strip()) for part in update["set"].split(",")] if update["set"] else []
        removed = [re.fullmatch(_NAME, part.strip()) for part in update["remove"].split(",")] if update["remove"] else []
        if None in assigned or None in removed:
            raise _NotSimple
        sets = {self.name(part[1]): self.value(part[2]) for part in assigned if part}
        removes = {self.name(part[0]) for part in removed if part}
        if len(sets) + len(removes) != len(assigned) + len(removed) or sets.keys() & removes:
            raise _NotSimple
        return sets, removes


def _put_item(original: Handler) -> Handler:
    def put_item(self: Any) -> Any:
        body = self.body
        try:
            if body.keys() - _PUT or body.get("ReturnValues", "NONE") != "NONE":
                raise _NotSimple
            table, expressions, item = _table(self, body), _Expressions(body), body["Item"]
            condition = expressions.condition(body.get("ConditionExpression", ""))
            expressions.all_used()
            _fits(table, item, item)
        except _NotSimple:
            return original(self)
        if not condition(_stored(table, item)):
            raise ConditionalCheckFailed
        table.put_item(item, overwrite=True)
        return responses.DynamoResult({})

    return put_item


def _update_item(original: Handler) -> Handler:
    def update_item(self: Any) -> Any:
        body = self.body
        try:
            if body.keys() - _UPDATED or body.get("ReturnValues", "NONE") not in ("NONE", "ALL_NEW"):
                raise _NotSimple
            table, expressions, key = _table(self, body), _Expressions(body), body["Key"]
            sets, removes = expressions.changes(body.get("UpdateExpression", ""))
            condition = expressions.condition(body.get("ConditionExpression", ""))
            expressions.all_used()
            keys = set(_keys(table))
            if key.keys() != keys or keys & (sets.keys() | removes):
                raise _NotSimple
            _fits(table, key, {**key, **sets})
        except _NotSimple:
            return original(self)
        old = _stored(table, key)
        if not condition(old):
            raise ConditionalCheckFailed
        new = _changed(table, key, old, sets, removes)
        replace(table, old, new)
        return responses.DynamoResult({"Attributes": dict(new.attrs)} if body.get("ReturnValues") == "ALL_NEW" else {})

    return update_item


def _changed(table: Table, key: dict[str, Any], old: Item | None, sets: dict[str, dict[str, Any]], removes: set[str]) -> Item:
    new = object.__new__(Item)
    new.attrs = LimitedSizeDict()
    kept = old.attrs if old is not None else {name: typed(value) for name, value in key.items()}
    dict.update(new.attrs, {name: value for name, value in kept.items() if name not in removes})
    dict.update(new.attrs, {name: typed(value) for name, value in sets.items()})
    new.hash_key = new.attrs[table.hash_key_attr]
    new.range_key = new.attrs[table.range_key_attr] if table.range_key_attr is not None else None
    return new


def _table(handler: Any, body: dict[str, Any]) -> Table:
    table: Table | None = handler.dynamodb_backend.tables.get(body["TableName"])
    if table is None:
        raise _NotSimple
    return table


def _stored(table: Table, attributes: dict[str, Any]) -> Item | None:
    address = address_of(table, attributes)
    return stored(table, address) if address else None


def _keys(table: Table) -> list[str]:
    return [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]


def _fits(table: Table, key: dict[str, Any], item: dict[str, Any]) -> None:
    """Check that keys are present and not empty, and that attributes of an index have its type. moto's own code reports other faults."""
    if any(name not in key for name in _keys(table)):
        raise _NotSimple
    kinds = {definition["AttributeName"]: definition["AttributeType"] for definition in table.attr}
    for name, value in item.items():
        if not isinstance(value, dict) or len(value) != 1 or not _SETS.isdisjoint(value):
            raise _NotSimple
        if name in kinds:
            [(kind, inner)] = value.items()
            if kind != kinds[name] or inner == "" or len(str(inner)) > 1000:
                raise _NotSimple
