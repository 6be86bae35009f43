"""What the template's roles allow, read as IAM reads them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from local.intrinsics import Resolver
from tools.expand import expand

ACCOUNT, REGION, STACK = "123456789012", "eu-west-1", "test"
_ARN = f"{REGION}:{ACCOUNT}"


class UnreadablePolicy(Exception):
    """A statement says something that is not read here; better to stop than to guess what it allows."""


@dataclass(frozen=True)
class Call:
    """One action on one resource, with the values of the condition keys that the request carries."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Allowed:
    """One action on one pattern of resources. `conditions` are (condition key, patterns) that must all hold."""

    action: str
    resource: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def covers(self, call: Call) -> bool:
        """Whether this lets the call through. A condition on what the request does not carry does not hold."""
        return (
            matches(self.action.lower(), call.action.lower())
            and matches(self.resource, call.resource)
            and all(
                name in call.context and any(matches(pattern, call.context[name]) for pattern in patterns)
                for name, patterns in self.conditions
            )
        )

    def __str__(self) -> str:
        told = "".join(f" if {name} is like {' or '.join(patterns)}" for name, patterns in self.conditions)
        return f"{self.action} on {self.resource}{told}"


def statements_allow(document: Mapping[str, Any]) -> Iterator[Allowed]:
    """What the statements of a resolved policy document allow.

    Raises:
        UnreadablePolicy: one denies, names what it does not allow, or has a condition other than of likeness.
    """
    for statement in _listed(document["Statement"]):
        unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if statement["Effect"] != "Allow" or unknown:
            raise UnreadablePolicy(f"{statement['Effect']} {sorted(unknown)} is not read here")
        conditions = tuple(_conditions(statement.get("Condition", {})))
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Allowed(action, resource, conditions)


def _conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operator, keys in given.items():
        for name, patterns in keys.items():
            if operator not in ("StringLike", "StringEquals") or name not in ("s3:prefix", "iam:PassedToService"):
                raise UnreadablePolicy(f"the condition {operator} of {name} is not read here")
            if operator == "StringEquals" and any("*" in pattern or "?" in pattern for pattern in _listed(patterns)):
                raise UnreadablePolicy(f"{name} is to equal a pattern")
            yield name, tuple(_listed(patterns))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a text is like a pattern with `*` and `?`."""
    return _pattern(pattern).fullmatch(text) is not None


@dataclass(frozen=True)
class Roles:
    """The roles of a stack called `test`, as its template says after SAM's transform, by logical id; `of_function` by the function's
    name without the stack's, `definitions` the state machines' (role, definition, substitutions) by logical id."""

    allowed: Mapping[str, frozenset[Allowed]]
    of_function: Mapping[str, str]
    definitions: Mapping[str, tuple[str, str, Mapping[str, str]]]

    def allows(self, role: str, call: Call) -> bool:
        return any(allowed.covers(call) for allowed in self.allowed[role])


@cache
def roles(parameters: tuple[tuple[str, str], ...] = ()) -> Roles:
    """The roles with these parameters, and the template's defaults."""
    expanded = expand(parameters=dict(parameters)).template
    pseudo = {"AccountId": ACCOUNT, "Region": REGION, "Partition": "aws", "StackName": STACK, "URLSuffix": "amazonaws.com"}
    resolver = Resolver(expanded, dict(parameters), pseudo)
    made = {
        name: resource
        for name, resource in expanded["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }
    for name, resource in made.items():
        resolver.attributes[name] = attributes(
            name, resource["Type"], lambda value: resolver.resolve(value), resource.get("Properties", {})
        )

    def properties(kind: str) -> dict[str, Any]:
        return {name: resource["Properties"] for name, resource in made.items() if resource["Type"] == kind}

    allowed: dict[str, set[Allowed]] = {name: set() for name in properties("AWS::IAM::Role")}
    by_arn = {resolver.attributes[name]["Arn"]: name for name in allowed}
    shared = {
        resolver.attributes[name]["Ref"]: frozenset(statements_allow(resolver.resolve(policy["PolicyDocument"])))
        for name, policy in properties("AWS::IAM::ManagedPolicy").items()
    }
    for name, role in properties("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            allowed[name] |= set(statements_allow(resolver.resolve(policy["PolicyDocument"])))
        for arn in resolver.resolve(role.get("ManagedPolicyArns", [])):
            allowed[name] |= shared[arn]
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for policy in properties(kind).values():
            for role in resolver.resolve(policy.get("Roles", [])):
                allowed[role] |= set(statements_allow(resolver.resolve(policy["PolicyDocument"])))
    return Roles(
        {name: frozenset(found) for name, found in allowed.items()},
        {
            resolver.resolve(function["FunctionName"]).removeprefix(f"{STACK}-"): by_arn[resolver.resolve(function["Role"])]
            for function in properties("AWS::Lambda::Function").values()
        },
        {
            name: (
                by_arn[resolver.resolve(machine["RoleArn"])],
                resolver.resolve(machine["DefinitionString"]),
                resolver.resolve(machine.get("DefinitionSubstitutions", {})),
            )
            for name, machine in properties("AWS::StepFunctions::StateMachine").items()
        },
    )


def attributes(name: str, kind: str, resolve: Any, properties: Mapping[str, Any]) -> dict[str, str]:
    """What a resource is called in the tests' account."""
    match kind:
        case "AWS::DynamoDB::Table":
            table = f"{STACK}-{re.sub('(?<!^)(?=[A-Z])', '-', name.removesuffix('Table')).lower()}"
            arn = f"arn:aws:dynamodb:{_ARN}:table/{table}"
            return {"Ref": table, "Arn": arn, "StreamArn": f"{arn}/stream/2026"}
        case "AWS::S3::Bucket":
            bucket = f"{STACK}-{'bucket' if name == 'Bucket' else name.lower()}"
            return {"Ref": bucket, "Arn": f"arn:aws:s3:::{bucket}"}
        case "AWS::Lambda::Function":
            function = resolve(properties["FunctionName"])
            return {"Ref": function, "Arn": f"arn:aws:lambda:{_ARN}:function:{function}"}
        case "AWS::Lambda::Alias" | "AWS::Lambda::Version":
            function = str(next(iter(properties["FunctionName"].values()))).removesuffix("Function").lower()
            arn = f"arn:aws:lambda:{_ARN}:function:{STACK}-{function}:{properties.get('Name', '1')}"
            return {"Ref": arn, "AliasArn": arn, "Version": "1"}
        case "AWS::StepFunctions::StateMachine":
            arn = f"arn:aws:states:{_ARN}:stateMachine:{resolve(properties['StateMachineName'])}"
            return {"Ref": arn, "Arn": arn}
        case "AWS::IAM::Role":
            return {"Ref": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
        case "AWS::SNS::Topic":
            return {"Ref": f"arn:aws:sns:{_ARN}:{STACK}-{name}"}
        case "AWS::SQS::Queue":
            arn = f"arn:aws:sqs:{_ARN}:{STACK}-{name}"
            return {"Ref": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{STACK}-{name}", "Arn": arn, "QueueName": f"{STACK}-{name}"}
        case "AWS::Logs::LogGroup":
            group = resolve(properties["LogGroupName"])
            return {"Ref": group, "Arn": f"arn:aws:logs:{_ARN}:log-group:{group}:*"}
        case "AWS::SecretsManager::Secret":
            return {"Ref": f"arn:aws:secretsmanager:{_ARN}:secret:{STACK}-{name.removesuffix('Secret').lower()}"}
        case "AWS::Glue::Database":
            return {"Ref": STACK, "Arn": f"arn:aws:glue:{_ARN}:database/{STACK}"}
        case "AWS::KMS::Key":
            return {"Ref": name, "Arn": f"arn:aws:kms:{_ARN}:key/{name}"}
    return {"Ref": name, "Arn": f"arn:aws:unnamed:{_ARN}:{name}"}
