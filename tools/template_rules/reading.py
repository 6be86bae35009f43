"""Readers for a template after SAM's transform: plain CloudFormation, with its intrinsic functions in place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.template import Template

type Properties = Mapping[str, Any]

_REFERENCE = re.compile(r"\$\{([^.}!]+)(?:\.[^}]*)?\}")
_POLICIES = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy")


def of_type(template: Template, *kinds: str) -> dict[str, Properties]:
    """The properties of every resource of these types, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template.template.get("Resources", {}).items()
        if resource["Type"] in kinds
    }


def listed(value: Any) -> list[Any]:
    """The value as a list, where CloudFormation also takes a single value."""
    return list(value) if isinstance(value, list) else [value]


def names(value: Any) -> set[str]:
    """The logical ids and parameters that a value refers to, at any depth."""
    references: set[str] = set()
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref":
                references.add(inner)
            elif key == "Fn::GetAtt":
                references.add(inner[0] if isinstance(inner, list) else inner.split(".")[0])
            elif key == "Fn::Sub":
                text, variables = (inner, {}) if isinstance(inner, str) else inner
                references |= set(_REFERENCE.findall(text)) - set(variables) | names(variables)
            else:
                references |= names(inner)
    elif isinstance(value, list):
        for inner in value:
            references |= names(inner)
    return references


def text(value: Any) -> str:
    """A value as one line, with `${name}` for values that only CloudFormation knows."""
    match value:
        case str() | int() | float() | bool():
            return str(value)
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::GetAtt": str(name)}:
            return f"${{{name}}}"
        case {"Fn::Sub": str(template)} | {"Fn::Sub": [str(template), *_]}:
            return template
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(text(part) for part in parts)
    return f"${{{value}}}"


def statements(template: Template, *, trust: bool = True) -> Iterator[tuple[str, list[str | int], Properties]]:
    """Every statement of every policy: the logical id of its resource, its path in the template, and the statement.

    `trust` includes the policies that say which principals may assume a role.
    """
    for name, resource in template.template.get("Resources", {}).items():
        yield from (
            (name, path, statement) for path, statement in _inside(resource.get("Properties", {}), ["Resources", name, "Properties"], trust)
        )


def _inside(value: Any, path: list[str | int], trust: bool) -> Iterator[tuple[list[str | int], Properties]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            here = [*path, key]
            if key in _POLICIES and isinstance(inner, Mapping):
                if trust or key != "AssumeRolePolicyDocument":
                    yield from (([*here, "Statement", index], statement) for index, statement in enumerate(listed(inner["Statement"])))
            else:
                yield from _inside(inner, here, trust)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inside(inner, [*path, index], trust)


def watched(template: Template) -> Iterator[tuple[str, str, str, str, set[str]]]:
    """Every metric of every alarm: the alarm, namespace, metric, statistic, and the logical ids that its dimensions refer to."""
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        if "MetricName" in alarm:
            statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic", "")
            yield name, alarm["Namespace"], alarm["MetricName"], statistic, names(alarm.get("Dimensions", []))
        for query in alarm.get("Metrics", []):
            if "MetricStat" in query:
                metric = query["MetricStat"]["Metric"]
                yield name, metric["Namespace"], metric["MetricName"], query["MetricStat"]["Stat"], names(metric.get("Dimensions", []))
