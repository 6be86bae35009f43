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

NO_METRIC_MATH = "the emulator takes no alarm that computes with several metrics"
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

NO_CODE_DEPLOY = "the emulator has no CodeDeploy; aliases move at once"
PROPERTY_LEFT_OUT = "DeploymentPreference"

NO_YAML_DEFINITIONS = "the emulator reads definitions of state machines as JSON only"
NO_OPENAPI = "the emulator ignores the OpenAPI document of an HTTP API; it gets the same routes as resources"

_NUMBER = re.compile(r'"(\$\{MaxConcurrency\})"')  # replaced in YAML, it is a number

Template = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """A route of the API's OpenAPI document. `uri` is the integration's, with its intrinsic functions."""

    key: str
    uri: Template
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


def metric_math(template: Template) -> set[str]:
    """The alarms that compute with several metrics."""
    resources = template["Resources"].items()
    return {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]}


def with_shifts(template: Template) -> list[Template]:
    """The properties, the globals' first, that make SAM create CodeDeploy's resources."""
    owners = [template["Globals"]["Function"], *_all_properties(template)]
    return [properties for properties in owners if PROPERTY_LEFT_OUT in properties]


def routes() -> tuple[Route, ...]:
    """All routes of the API, from the OpenAPI document that SAM makes."""
    [api] = [part for part in expand().template["Resources"].values() if part["Type"] == "AWS::ApiGatewayV2::Api"]
    return tuple(_routes(api["Properties"]["Body"]))


def authorizer() -> Template:
    """The API's authorizer, as the OpenAPI document has it."""
    [api] = [part for part in expand().template["Resources"].values() if part["Type"] == "AWS::ApiGatewayV2::Api"]
    [scheme] = api["Properties"]["Body"]["components"]["securitySchemes"].values()
    described: Template = scheme["x-amazon-apigateway-authorizer"]
    return described


def _routes(document: Template) -> Iterator[Route]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            authorized = "NONE" not in operation["security"][0]
            yield Route(f"{verb} {path}", operation["x-amazon-apigateway-integration"]["uri"], authorized)


def _api_resources() -> Template:
    scheme = authorizer()
    resources: Template = {
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


def _all_properties(template: Template) -> Iterator[Template]:
    for resource in template["Resources"].values():
        yield resource.get("Properties", {})
