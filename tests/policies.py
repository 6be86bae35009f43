"""Policies with Deny, read as IAM reads them. `tests/permissions.py` reads the stack's own roles, which deny nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from tests.permissions import Call, UnreadablePolicy, matches

type Texts = str | list[str]
type Conditions = Mapping[str, Mapping[str, Texts]]


class Statement(TypedDict, total=False):
    """A statement of a policy, with its intrinsic functions resolved."""

    Sid: str
    Effect: Literal["Allow", "Deny"]
    Action: Texts
    NotAction: Texts
    Resource: Texts
    Condition: Conditions


class Document(TypedDict):
    """A policy with its intrinsic functions resolved."""

    Version: str
    Statement: list[Statement]


def listed(value: Texts) -> list[str]:
    """The texts of an element that holds one text or a list of them."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Policies:
    """The identity policies of one role. A call is allowed if a statement allows it and none denies it."""

    documents: Sequence[Document]

    def allows(self, call: Call) -> bool:
        """Whether the role may make the call.

        Raises:
            UnreadablePolicy: a statement has an element or a condition that is not read here.
        """
        effects = {statement["Effect"] for statement in self._statements() if _covers(statement, call)}
        return effects == {"Allow"}

    def _statements(self) -> Iterator[Statement]:
        for document in self.documents:
            yield from document["Statement"]


def _covers(statement: Statement, call: Call) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "NotAction", "Resource", "Condition"}
    if unknown or statement["Effect"] not in ("Allow", "Deny"):
        raise UnreadablePolicy(f"{statement['Effect']} {sorted(unknown)} is not read here")
    named = any(
        matches(pattern.lower(), call.action.lower()) for pattern in listed(statement.get("Action", statement.get("NotAction", [])))
    )
    return (
        named == ("Action" in statement)
        and any(matches(pattern, call.resource) for pattern in listed(statement["Resource"]))
        and all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys: Mapping[str, Texts], call: Call) -> bool:
    """A condition of likeness does not hold for a key that the request does not carry; its negation does."""
    for name, patterns in keys.items():
        value = call.context.get(name)
        match operator:
            case "Null":
                holds = (value is None) == (patterns == "true")
            case "StringEquals":
                holds = value in listed(patterns)
            case "StringNotEquals":
                holds = value not in listed(patterns)
            case "StringLike":
                holds = value is not None and any(matches(pattern, value) for pattern in listed(patterns))
            case _:
                raise UnreadablePolicy(f"the condition {operator} of {name} is not read here")
        if not holds:
            return False
    return True
