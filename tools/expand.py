"""SAM template to plain CloudFormation.

Run as `python -m tools.expand -o FILE` to write the expanded template, for cfn-lint.
"""

import argparse
import copy
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.isolation import REGION, environment

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_STUB = {"Bucket": "local", "Key": "stub.zip"}


class TemplateError(Exception):
    """The template cannot be read or expanded."""


@dataclass(frozen=True)
class Expanded:
    """A template after SAM's transform. `code` has the source folder of each function, by logical id."""

    template: dict[str, Any]
    code: dict[str, Path]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def expand(path: Path = TEMPLATE, parameters: Mapping[str, str] | None = None) -> Expanded:
    """Expand the SAM template at `path`.

    Raises:
        TemplateError: the file is missing or is not YAML, or SAM refuses it.
    """
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse
    from yaml import YAMLError

    try:
        template = yaml_parse(path.read_text())
    except (OSError, YAMLError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    code = _detach_code(template, path.parent)
    try:
        with environment({"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", REGION)}):
            expanded = transform(copy.deepcopy(template), dict(parameters or {}), _NoManagedPolicies())
    except InvalidDocumentException as error:
        raise TemplateError(f"{path}: {'; '.join(cause.message for cause in error.causes)}") from error
    for resource in expanded["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionString"] = _joined(resource["Properties"]["DefinitionString"])
    return Expanded(expanded, code)


def _joined(definition: Any) -> Any:
    """The definition as one text. SAM writes it as a join of its lines, and cfn-lint nests one call per line of a join."""
    match definition:
        case {"Fn::Join": [str(separator), list(lines)]} if all(isinstance(line, str) for line in lines):
            return separator.join(lines)
    return definition


def _detach_code(template: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Replace local paths, which the transform refuses, and return the source folder of each function."""
    shared = template.get("Globals", {}).get("Function", {}).pop("CodeUri", ".")
    code = {}
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Function":
                code[logical_id] = folder / properties.get("CodeUri", shared)
                properties["CodeUri"] = _STUB
            case "AWS::Serverless::LayerVersion":
                properties["ContentUri"] = _STUB
            case "AWS::Serverless::StateMachine" if "DefinitionUri" in properties:
                properties["Definition"] = _read_definition(folder / properties.pop("DefinitionUri"))
    return code


def _read_definition(path: Path) -> Any:
    from samtranslator.yaml_helper import yaml_parse
    from yaml import YAMLError

    try:
        return yaml_parse(path.read_text())
    except (OSError, YAMLError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error


def main() -> int:
    """Write the expanded template."""
    parser = argparse.ArgumentParser(prog="python -m tools.expand", description="Expand the SAM template to plain CloudFormation.")
    parser.add_argument("-t", "--template", type=Path, default=TEMPLATE, help="template to expand (default: the project's template.yaml)")
    parser.add_argument("-o", "--output", type=Path, help="file to write, as JSON (default: standard output)")
    options = parser.parse_args()
    try:
        text = json.dumps(expand(options.template).template, indent=2, default=str) + "\n"
    except TemplateError as error:
        print(error, file=sys.stderr)
        return 1
    if options.output:
        options.output.write_text(text)
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
