"""CloudFormation's intrinsic functions over an expanded template."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class UnresolvedError(Exception):
    """A template refers to a resource or value that is not known (yet)."""


class Resolver:
    """Resolves values of a template.

    `parameters` are the values of the template's parameters by name; parameters left out take their default.
    `attributes` holds, per logical id, the values of `Ref` (under the key "Ref") and `Fn::GetAtt`; it may grow while resources are made.
    """

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str], pseudo: Mapping[str, str]) -> None:
        self.attributes: dict[str, dict[str, Any]] = {}
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._references: dict[str, Any] = {f"AWS::{name}": value for name, value in pseudo.items()}
        for name, declared in template.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default"))
            if value is None:
                raise UnresolvedError(f"the template's parameter {name} has no default and no value")
            kind = declared.get("Type", "String")
            as_list = kind == "CommaDelimitedList" or kind.startswith("List<")
            self._references[name] = [part.strip() for part in str(value).split(",")] if as_list else str(value)
        unknown = sorted(set(parameters) - set(template.get("Parameters", {})))
        if unknown:
            raise UnresolvedError(f"the template has no parameter {', '.join(unknown)}")

    def resolve(self, value: Any) -> Any:
        """`value` with every intrinsic function replaced by its result.

        Raises:
            UnresolvedError: a reference, attribute, mapping or function is not known.
        """
        resolved = self._resolve(value)
        return None if resolved is _NO_VALUE else resolved

    def holds(self, condition: str) -> bool:
        """Whether the condition of that name is true."""
        if condition not in self._conditions:
            raise UnresolvedError(f"the template has no condition {condition}")
        return self._truth(self._conditions[condition])

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in ("Ref", "Condition") and isinstance(argument, str):
                return self._reference(argument) if name == "Ref" else self.holds(argument)
            if name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._references:
            return self._references[name]
        return self._attribute(name, "Ref")

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        try:
            return self.attributes[logical_id][attribute]
        except KeyError:
            raise UnresolvedError(f"{logical_id}.{attribute} is not known") from None

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "GetAtt":
                logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(logical_id, attribute)
            case "Sub":
                text, local = (argument, {}) if isinstance(argument, str) else argument
                return self._substitute(text, {key: self._resolve(item) for key, item in local.items()})
            case "If":
                condition, yes, no = argument
                return self._resolve(yes if self.holds(condition) else no)
            case "Equals" | "And" | "Or" | "Not":
                return self._truth({f"Fn::{name}": argument})
            case "Join":
                separator, parts = argument
                return separator.join(str(part) for part in self._resolve(parts))
            case "Split":
                separator, text = argument
                return self._resolve(text).split(separator)
            case "Select":
                index, items = argument
                return self._resolve(items)[int(self._resolve(index))]
            case "FindInMap":
                return self._find_in_map(argument)
            case "Base64":
                return base64.b64encode(str(self._resolve(argument)).encode()).decode()
            case "GetAZs":
                return [f"{self._references['AWS::Region']}{letter}" for letter in "abc"]
            case "Length":
                return len(self._resolve(argument))
            case "ToJsonString":
                return json.dumps(self._resolve(argument), separators=(",", ":"))
        raise UnresolvedError(f"Fn::{name} is not supported by the local stack")

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self._resolve(part) for part in argument[:3])
        try:
            return self._resolve(self._mappings[name][first][second])
        except KeyError:
            if len(argument) > 3 and "DefaultValue" in argument[3]:
                return self._resolve(argument[3]["DefaultValue"])
            raise UnresolvedError(f"the mapping {name} has no {first}.{second}") from None

    def _truth(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return condition.lower() == "true"
        [(name, argument)] = condition.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                first, second = (self._resolve(side) for side in argument)
                return bool(str(first) == str(second))
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(part) for part in argument)
            case "Fn::Or":
                return any(self._truth(part) for part in argument)
        raise UnresolvedError(f"{name} is not a condition")

    def _substitute(self, text: str, local: Mapping[str, Any]) -> str:
        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(local[name])
            if "." in name and not name.startswith("AWS::"):
                return str(self._attribute(*name.split(".", 1)))
            return str(self._reference(name))

        return _PLACEHOLDER.sub(replacement, text)
