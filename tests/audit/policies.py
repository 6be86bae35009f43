"""Every policy of the template and of the deployment role, with its intrinsic functions resolved."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.intrinsics import Resolver
from tests.permissions import ACCOUNT, REGION, attributes
from tools.expand import expand

ROOT = Path(__file__).parents[2]
_PSEUDO = {"AccountId": ACCOUNT, "Region": REGION, "Partition": "aws", "URLSuffix": "amazonaws.com", "StackName": "test"}
_PSEUDO["StackId"] = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/test/00000000-0000-0000-0000-000000000000"
# Together they make all resources that have a condition.
_PARAMETERS: tuple[dict[str, str], ...] = (
    {"SageMakerRowThreshold": "1000", "HistoryEngineRowThreshold": "1000", "AlarmEmail": "ops@example.com"},
    {"ScoringMap": "distributed", "WebDomain": "retention.example.com", "WebCertificateId": "0" * 36},
)


def policies() -> dict[str, str]:
    """Each policy as JSON, by the resource that holds it. Two policies of one resource have numbers."""
    documents: dict[str, str] = {}
    for parameters in _PARAMETERS:
        documents |= _documents(expand(parameters=parameters).template, parameters)
    role: dict[str, Any] = yaml_parse((ROOT / ".github/deploy-role.yaml").read_text())
    documents |= {f"deploy-role {name}": text for name, text in _documents(role, {"Repository": "you/retainstream"}).items()}
    return documents


def _documents(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    resolver = Resolver(template, parameters, _PSEUDO)
    resources = {name: part for name, part in template["Resources"].items() if "Condition" not in part or resolver.holds(part["Condition"])}
    for name, resource in resources.items():
        resolver.attributes[name] = attributes(name, resource["Type"], resolver.resolve, resource.get("Properties", {}))
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            resolver.attributes[name]["Ref"] = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return {
        f"{name} {number}": json.dumps(resolver.resolve(document), default=str)
        for name, resource in resources.items()
        for number, document in enumerate(_of(resource.get("Properties", {})), 1)
    }


def _of(properties: Mapping[str, Any]) -> Iterator[Any]:
    """Policies of what is allowed; a role's trust names no resource, which parliament cannot read."""
    for policy in properties.get("Policies", ()):
        yield policy["PolicyDocument"]
    for key in ("PolicyDocument", "KeyPolicy"):
        if key in properties:
            yield properties[key]
