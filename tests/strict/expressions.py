"""DynamoDB's expressions: the names and values they use, and the attributes they speak of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

EXPRESSIONS = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression", "ConditionExpression", "UpdateExpression")
_LONGEST = 4096
_MOST_OPERATORS, _MOST_CHOICES = 300, 100
_TOKEN = re.compile(r"\s*(#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|<>|<=|>=|\d+|[^\s])")
_WORDS = {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}
_FUNCTIONS = {
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
}
_OPERATORS = {"=", "<>", "<", "<=", ">", ">=", "+", "-", "AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE", ","}


@dataclass(frozen=True)
class Expression:
    """One expression of a request. `names` are what #names stand for."""

    kind: str
    text: str
    names: Mapping[str, str]

    @property
    def tokens(self) -> list[str]:
        return [found[1] for found in _TOKEN.finditer(self.text)]

    @property
    def bare(self) -> list[str]:
        """Attributes that are named as they are."""
        tokens = self.tokens
        return [
            token
            for place, token in enumerate(tokens)
            if re.match(r"[A-Za-z_]", token)
            and token.upper() not in _WORDS
            and not (token in _FUNCTIONS and tokens[place + 1 : place + 2] == ["("])
        ]

    @property
    def attributes(self) -> set[str]:
        """The top-level attributes it speaks of."""
        tokens = self.tokens
        inner = {place + 1 for place, token in enumerate(tokens) if token == "."}
        bare = set(self.bare)
        return {
            self.names.get(token, token) for place, token in enumerate(tokens) if place not in inner and (token in bare or token[0] == "#")
        }

    def faults(self) -> Iterator[str]:
        if not self.text.strip():
            yield f"{self.kind} is empty"
        if len(self.text.encode()) > _LONGEST:
            yield f"{self.kind} is longer than {_LONGEST} bytes"
        tokens = self.tokens
        operators = sum(token.upper() in _OPERATORS or token in _FUNCTIONS for token in tokens)
        if operators > _MOST_OPERATORS:
            yield f"{self.kind} has {operators} operators and functions; {_MOST_OPERATORS} are allowed"
        for choices in re.findall(r"(?i)\bIN\s*\(([^)]*)\)", self.text):
            if choices.count(",") + 1 > _MOST_CHOICES:
                yield f"{self.kind}: IN takes up to {_MOST_CHOICES} operands"
        for name in self.bare:
            if name.upper() in ReservedKeywords.get_reserved_keywords():
                yield f"{self.kind}: {name} is a reserved word"

    def put_in_place(self) -> Iterator[tuple[str, str]]:
        """Of an update: the attributes that are given a value of the request, each with the value's placeholder."""
        tokens = self.tokens
        for place, token in enumerate(tokens):
            if token == "=" and tokens[place + 1 : place + 2] and tokens[place + 1][0] == ":" and tokens[place - 2 : place - 1] != ["."]:
                yield self.names.get(tokens[place - 1], tokens[place - 1]), tokens[place + 1]


def expressions_of(request: Mapping[str, Any]) -> list[Expression]:
    names = request.get("ExpressionAttributeNames") or {}
    return [Expression(kind, request[kind], names) for kind in EXPRESSIONS if request.get(kind) is not None]


def faults_of_expressions(request: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the expressions of a request, and with the names and values given for them."""
    found = expressions_of(request)
    for expression in found:
        yield from expression.faults()
    used = {token for expression in found for token in expression.tokens}
    for kind, sign in (("ExpressionAttributeNames", "#"), ("ExpressionAttributeValues", ":")):
        given = request.get(kind)
        if given is not None and not given:
            yield f"{kind} is empty"
        if given and not found:
            yield f"{kind} without an expression"
        asked = {token for token in used if token[0] == sign}
        for name in sorted(asked - set(given or {})):
            yield f"{name} is not in {kind}"
        for name in sorted(set(given or {}) - asked):
            yield f"{name} of {kind} is not used"
