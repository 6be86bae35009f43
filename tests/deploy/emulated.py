"""The built template as MiniStack can deploy it: exactly what is listed here is left out or put in another form, each with the reason.

The template itself makes no allowance for an emulator. `test_emulated.py` fails when the list names something
that the template no longer has.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from tools.expand import expand

ALARMS_LEFT_OUT = (
    "ExportFailed",
    "ImportFailed",
    "InternalErrors",
    "LostEvents",
    "RecountFailed",
    "RetrainingFailed",
    "ScoringFailed",
    "StateMachineThrottles",
    "TableThrottles",
)

PROPERTY_LEFT_OUT = "DeploymentPreference"

DIFFERENCES = {
    f"alarms {', '.join(ALARMS_LEFT_OUT)}": "left out: the emulator takes no alarm that computes with several metrics",
    f"{PROPERTY_LEFT_OUT} of the functions": "left out: the emulator has no CodeDeploy, and aliases move at once",
    "definitions of state machines": "handed over as JSON: the emulator does not read them as YAML",
    "routes and authorizer of the API": "added as resources, from the OpenAPI document: the emulator ignores the document",
}
"""What the emulator gets otherwise than AWS, and why."""

_NUMBER = re.compile(r'"(\$\{MaxConcurrency\})"')  # replaced in YAML, it is a number


@dataclass(frozen=True)
class Route:
    """A route of the API's OpenAPI document. `uri` is the integration's, with its intrinsic functions."""

    key: str
    uri: dict[str, Any]
    authorized: bool


def emulated(built: Path, folder: Path) -> Path:
    """Writes the template at `built` for the emulator into `folder`, and returns the file's path."""
    template = yaml_parse(built.read_text())
    for alarm in ALARMS_LEFT_OUT:
        del template["Resources"][alarm]
    for owner in with_shifts(template):
        del owner[PROPERTY_LEFT_OUT]
    for properties in _all_properties(template):
        for name in {"CodeUri", "ContentUri"} & properties.keys():
            properties[name] = str(built.parent / properties[name])
        if "DefinitionUri" in properties:
            source = built.parent / properties["DefinitionUri"]
            target = folder / source.with_suffix(".json").name
            definition = json.dumps(yaml.safe_load(source.read_text()))
            target.write_text(_NUMBER.sub(r"\1", definition))
            properties["DefinitionUri"] = str(target)
    template["Resources"] |= _api_resources()
    path = folder / "template.json"
    path.write_text(json.dumps(template))
    return path


def metric_math(template: dict[str, Any]) -> set[str]:
    """The alarms that compute with several metrics."""
    resources = template["Resources"].items()
    return {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]}


def with_shifts(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties, the globals' first, that make SAM create CodeDeploy's resources."""
    owners = [template["Globals"]["Function"], *_all_properties(template)]
    return [properties for properties in owners if PROPERTY_LEFT_OUT in properties]


def routes() -> tuple[Route, ...]:
    """All routes of the API, from the OpenAPI document that SAM makes."""
    return tuple(_routes(_openapi()))


def authorizer() -> dict[str, Any]:
    """The API's authorizer, as the OpenAPI document has it."""
    [scheme] = _openapi()["components"]["securitySchemes"].values()
    described: dict[str, Any] = scheme["x-amazon-apigateway-authorizer"]
    return described


def _openapi() -> dict[str, Any]:
    [api] = [part for part in expand().template["Resources"].values() if part["Type"] == "AWS::ApiGatewayV2::Api"]
    document: dict[str, Any] = api["Properties"]["Body"]
    return document


def _routes(document: dict[str, Any]) -> Iterator[Route]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            authorized = "NONE" not in operation["security"][0]
            yield Route(f"{verb} {path}", operation["x-amazon-apigateway-integration"]["uri"], authorized)


def _api_resources() -> dict[str, Any]:
    scheme = authorizer()
    resources: dict[str, Any] = {
        "EmulatedAuthorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "Name": "Token",
                "AuthorizerType": scheme["type"].upper(),
                "AuthorizerUri": scheme["authorizerUri"],
                "AuthorizerPayloadFormatVersion": scheme["authorizerPayloadFormatVersion"],
                "AuthorizerResultTtlInSeconds": scheme["authorizerResultTtlInSeconds"],
                "EnableSimpleResponses": scheme["enableSimpleResponses"],
                "IdentitySource": scheme["identitySource"],
            },
        }
    }
    for number, route in enumerate(routes()):
        integration = f"EmulatedIntegration{number}"
        resources[integration] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": route.uri,
                "PayloadFormatVersion": "2.0",
            },
        }
        access = (
            {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "EmulatedAuthorizer"}}
            if route.authorized
            else {"AuthorizationType": "NONE"}
        )
        resources[f"EmulatedRoute{number}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": route.key,
                "Target": {"Fn::Sub": f"integrations/${{{integration}}}"},
                **access,
            },
        }
    return resources


def _all_properties(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        yield resource.get("Properties", {})
