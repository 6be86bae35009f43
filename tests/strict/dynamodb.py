"""Requests of DynamoDB, read as DynamoDB reads them. Tables are those that moto has."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from tests.strict.expressions import expressions_of, faults_of_expressions
from tests.strict.values import Value, faults_of_item, faults_of_value, value_size

WRITES_AT_ONCE, READS_AT_ONCE, IN_A_TRANSACTION = 25, 100, 100
BATCH_BYTES, TRANSACTION_BYTES = 16 << 20, 4 << 20
EXPIRES = "expires_at"
_KEY_BYTES = {"HASH": 2048, "RANGE": 1024}


@dataclass(frozen=True)
class Keys:
    """The keys of a table: attribute → HASH or RANGE, of itself and of each index; and the types of all of them."""

    own: Mapping[str, str]
    indexes: Mapping[str, Mapping[str, str]]
    types: Mapping[str, str]
    projections: Mapping[str, frozenset[str] | None]

    @classmethod
    def of(cls, region: str, table: str) -> "Keys | None":
        found = dynamodb_backends[DEFAULT_ACCOUNT_ID][region].tables.get(table.rsplit("/", 1)[-1])
        if found is None:
            return None
        own = _schema(found.schema)
        indexes = {index.name: _schema(index.schema) for index in [*found.global_indexes, *found.indexes]}
        types = {told["AttributeName"]: told["AttributeType"] for told in found.attr}
        projections = {index.name: _projected(index, own) for index in found.global_indexes}
        return cls(own, indexes, types, projections)

    def faults_of_key(self, key: Mapping[str, Value], also: Sequence[str] = ()) -> Iterator[str]:
        wanted = {*self.own, *also}
        if set(key) != wanted:
            yield f"the key has {sorted(key)}, and the table's is {sorted(wanted)}"
        for name in wanted & set(key):
            yield from self._faults_of_key_value(name, key[name], self.own.get(name, "RANGE"))

    def faults_of_keys_in(self, item: Mapping[str, Value]) -> Iterator[str]:
        """Of a whole item: its own key is there, and what is the key of an index is fit for one."""
        for name, kind in self.own.items():
            if name not in item:
                yield f"the key {name} is missing"
            else:
                yield from self._faults_of_key_value(name, item[name], kind)
        for index, schema in self.indexes.items():
            for name, kind in schema.items():
                if name in item and name not in self.own:
                    yield from (f"{fault}, in {index}" for fault in self._faults_of_key_value(name, item[name], kind))

    def kind_in_an_index(self, name: str) -> str | None:
        return next((schema[name] for schema in self.indexes.values() if name in schema), None)

    def _faults_of_key_value(self, name: str, value: Value, kind: str) -> Iterator[str]:
        type_ = self.types[name]
        if set(value) != {type_}:
            yield f"the key {name} is of type {'/'.join(value)}, not {type_}"
        elif not value[type_]:
            yield f"the key {name} is empty"
        elif type_ != "N" and value_size(value) > _KEY_BYTES[kind]:
            yield f"the key {name} is longer than {_KEY_BYTES[kind]} bytes"


def _schema(told: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {part["AttributeName"]: part["KeyType"] for part in told}


def _projected(index: Any, own: Mapping[str, str]) -> frozenset[str] | None:
    """The attributes that an index has; None for all."""
    if index.projection.get("ProjectionType") == "ALL":
        return None
    return frozenset({*own, *_schema(index.schema), *index.projection.get("NonKeyAttributes", [])})


def faults(region: str, operation: str, body: bytes) -> Iterator[str]:
    """What DynamoDB would refuse a request for."""
    request = json.loads(body or b"{}")
    match operation:
        case "BatchWriteItem":
            yield from _of_batch_write(region, request, len(body))
        case "BatchGetItem":
            yield from _of_batch_get(region, request)
        case "TransactWriteItems" | "TransactGetItems":
            yield from _of_transaction(region, request, len(body))
        case "PutItem" | "GetItem" | "DeleteItem" | "UpdateItem" | "Query" | "Scan":
            yield from _of_one(region, operation, request)


def _of_batch_write(region: str, request: Mapping[str, Any], size: int) -> Iterator[str]:
    asked = request["RequestItems"]
    number = sum(map(len, asked.values()))
    if not 1 <= number <= WRITES_AT_ONCE:
        yield f"a batch of {number} writes; {WRITES_AT_ONCE} are allowed"
    if size > BATCH_BYTES:
        yield f"a batch of {size} bytes; {BATCH_BYTES} are allowed"
    for table, writes in asked.items():
        keys = Keys.of(region, table)
        touched = []
        for write in writes:
            item = write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
            yield from faults_of_item(item)
            yield from _of_expiry(item.get(EXPIRES))
            if keys:
                yield from keys.faults_of_keys_in(item) if "PutRequest" in write else keys.faults_of_key(item)
                touched.append({name: item.get(name) for name in keys.own})
        yield from _twice(touched, "a batch")


def _of_batch_get(region: str, request: Mapping[str, Any]) -> Iterator[str]:
    number = sum(len(asked["Keys"]) for asked in request["RequestItems"].values())
    if not 1 <= number <= READS_AT_ONCE:
        yield f"a batch of {number} reads; {READS_AT_ONCE} are allowed"
    for table, asked in request["RequestItems"].items():
        yield from faults_of_expressions(asked)
        yield from _twice(asked["Keys"], "a batch")
        if keys := Keys.of(region, table):
            for key in asked["Keys"]:
                yield from keys.faults_of_key(key)


def _of_transaction(region: str, request: Mapping[str, Any], size: int) -> Iterator[str]:
    asked = request["TransactItems"]
    if not 1 <= len(asked) <= IN_A_TRANSACTION:
        yield f"a transaction of {len(asked)} items; {IN_A_TRANSACTION} are allowed"
    if size > TRANSACTION_BYTES:
        yield f"a transaction of {size} bytes; {TRANSACTION_BYTES} are allowed"
    if len(request.get("ClientRequestToken", "")) > 36:
        yield "a token of more than 36 characters"
    touched = []
    for one in asked:
        [(kind, inner)] = one.items()
        operation = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem", "ConditionCheck": "DeleteItem"}[
            kind
        ]
        yield from _of_one(region, operation, inner)
        keys = Keys.of(region, inner["TableName"])
        held = inner.get("Item") or inner.get("Key") or {}
        touched.append({"table": inner["TableName"], **{name: held.get(name) for name in (keys.own if keys else ())}})
    yield from _twice(touched, "a transaction")


def _of_expiry(value: Value | None) -> Iterator[str]:
    """Of the attribute that ends an item's life: DynamoDB lets live for ever what has none that it can read."""
    if value is None:
        return
    moment = value.get("N", "")
    if not moment.isdigit() or not 1_000_000_000 < int(moment) < 100_000_000_000:
        yield f"{EXPIRES} is {value}, not a time in whole seconds that DynamoDB heeds"


def _twice(keys: Sequence[Mapping[str, Any]], where: str) -> Iterator[str]:
    told = [json.dumps(key, sort_keys=True) for key in keys]
    if len(set(told)) != len(told):
        yield f"{where} has an item twice"


def _of_one(region: str, operation: str, request: Mapping[str, Any]) -> Iterator[str]:
    yield from faults_of_expressions(request)
    for name, value in (request.get("ExpressionAttributeValues") or {}).items():
        yield from (f"{name}: {fault}" for fault in faults_of_value(value))
    keys = Keys.of(region, request["TableName"])
    if operation == "PutItem":
        yield from faults_of_item(request["Item"])
        yield from _of_expiry(request["Item"].get(EXPIRES))
    if keys is None:
        return
    match operation:
        case "PutItem":
            yield from keys.faults_of_keys_in(request["Item"])
        case "GetItem" | "DeleteItem":
            yield from keys.faults_of_key(request["Key"])
        case "UpdateItem":
            yield from keys.faults_of_key(request["Key"])
            yield from _of_update(keys, request)
        case "Query" | "Scan":
            yield from _of_pages(keys, operation, request)


def _of_update(keys: Keys, request: Mapping[str, Any]) -> Iterator[str]:
    values = request.get("ExpressionAttributeValues") or {}
    for expression in expressions_of(request):
        if expression.kind == "UpdateExpression":
            for name, placeholder in expression.put_in_place():
                kind = keys.kind_in_an_index(name)
                if name in keys.own:
                    yield f"an update changes the key {name}"
                elif name == EXPIRES:
                    yield from _of_expiry(values.get(placeholder))
                elif kind and placeholder in values:
                    yield from keys._faults_of_key_value(name, values[placeholder], kind)


def _of_pages(keys: Keys, operation: str, request: Mapping[str, Any]) -> Iterator[str]:
    index: str | None = request.get("IndexName")
    if index is not None and index not in keys.indexes:
        yield f"there is no index {index}"
        return
    schema = keys.indexes[index] if index else keys.own
    expressions = {expression.kind: expression for expression in expressions_of(request)}
    if index is not None and index in keys.projections:
        if request.get("ConsistentRead"):
            yield "a global index cannot be read consistently"
        has = keys.projections[index]
        if has is not None and "ProjectionExpression" in expressions and (absent := expressions["ProjectionExpression"].attributes - has):
            yield f"the index {index} has no {sorted(absent)}"
    if request.get("Limit", 1) < 1:
        yield "a limit below 1"
    if "ExclusiveStartKey" in request:
        yield from keys.faults_of_key(request["ExclusiveStartKey"], sorted(set(schema) - set(keys.own)))
    if operation == "Scan":
        if ("Segment" in request) != ("TotalSegments" in request) or request.get("Segment", 0) >= request.get("TotalSegments", 1):
            yield "segments are counted from 0 to one less than their number"
        if not 1 <= request.get("TotalSegments", 1) <= 1_000_000:
            yield "up to a million segments"
        return
    yield from _of_key_condition(schema, expressions, request, keys)


def _of_key_condition(schema: Mapping[str, str], expressions: Mapping[str, Any], request: Mapping[str, Any], keys: Keys) -> Iterator[str]:
    condition, filtered = expressions.get("KeyConditionExpression"), expressions.get("FilterExpression")
    if condition is None:
        yield "a query without a key condition"
        return
    [partition] = [name for name, kind in schema.items() if kind == "HASH"]
    if strangers := condition.attributes - set(schema):
        yield f"the key condition speaks of {sorted(strangers)}, which are not in the key"
    if (partition, "=") not in _compared(condition):
        yield f"the key condition does not name one {partition}"
    if {"OR", "NOT", "<>", "IN"} & {token.upper() for token in condition.tokens}:
        yield "a key condition knows neither OR, NOT, <> nor IN"
    if filtered and filtered.attributes & set(schema):
        yield f"the filter speaks of {sorted(filtered.attributes & set(schema))}, which are in the key"
    for token in condition.tokens:
        value = request.get("ExpressionAttributeValues", {}).get(token)
        if value is not None and not set(value) <= {keys.types[name] for name in schema}:
            yield f"{token} in the key condition is of type {'/'.join(value)}"
        elif value is not None and not all(value.values()):
            yield f"{token} in the key condition is empty"


def _compared(expression: Any) -> set[tuple[str, str]]:
    tokens = expression.tokens
    return {(expression.names.get(one, one), sign) for one, sign in pairwise(tokens)}
