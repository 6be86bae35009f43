"""How long the name of a stack may be: every name that the template makes of it is within the limit of its service."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import yaml
from samtranslator.yaml_helper import yaml_parse

from tools.expand import expand

ROOT = Path(__file__).parents[2]
# Most characters of a name, by its resource and property: the limits of the services' own API references.
LIMITS = {
    ("AWS::AppConfig::Application", "Name"): 64,
    ("AWS::AppConfig::ConfigurationProfile", "Name"): 128,
    ("AWS::Athena::WorkGroup", "Name"): 128,
    ("AWS::CloudFront::Function", "Name"): 64,
    ("AWS::CloudFront::OriginAccessControl", "Name"): 64,
    ("AWS::CloudFront::ResponseHeadersPolicy", "Name"): 128,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CodeDeploy::DeploymentGroup", "Name"): 255,  # of an alarm
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Glue::Database", "Name"): 255,
    ("AWS::KMS::Alias", "AliasName"): 256,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::Scheduler::Schedule", "Name"): 64,
    ("AWS::SecretsManager::Secret", "Name"): 512,
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): 80,
}
# CloudFormation makes the name of a role of the stack's name, its logical id and 13 characters, and shortens a longer one.
ROLE_LIMIT, SUFFIX = 64, "-1A2B3C4D5E6F7"


@cache
def longest_region() -> str:
    """The longest name of a commercial region of CloudFormation."""
    return max(boto3.session.Session().get_available_regions("cloudformation"), key=len)


def written_names(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Each name of a resource's properties that contains the stack's: its key, and its text."""
    match value:
        case {"Ref": "AWS::StackName"} if key.endswith("Name"):
            yield key, "${AWS::StackName}"
        case {"Fn::Join": ["_", {"Fn::Split": ["-", {"Ref": "AWS::StackName"}]}]} if key.endswith("Name"):
            yield key, "${AWS::StackName}"
        case {"Fn::Sub": [str(text), {"Id": _}]} if "${AWS::StackName}" in text and key.endswith("Name"):
            yield key, text.replace("${Id}", "00000000-0000-0000-0000-000000000000")
        case {"Fn::Sub": str(text)} if "${AWS::StackName}" in text and key.endswith("Name"):
            yield key, text
        case dict():
            for inner, below in value.items():
                yield from written_names(below, inner)
        case list():
            for below in value:
                yield from written_names(below)


@cache
def names() -> list[tuple[str, int]]:
    """All that the template names after its stack: the name without the stack's, and its limit."""
    rests = []
    for scoring_map in ("inline", "distributed"):
        for resource in expand(parameters={"ScoringMap": scoring_map}).template["Resources"].values():
            for key, text in written_names(resource.get("Properties", {})):
                rest = text.replace("${AWS::StackName}", "").replace("${AWS::Region}", longest_region())
                assert "${" not in rest, text
                rests.append((rest, LIMITS[resource["Type"], key]))
    return rests


def longest_stack_name() -> int:
    return min(limit - len(rest) for rest, limit in names())


@cache
def longest_stack_name_for_the_deployer() -> int:
    roles = [name for name, resource in expand().template["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]
    return ROLE_LIMIT - len(SUFFIX) - max(len(f"-{name}") for name in roles)


def test_the_documentation_states_the_longest_name() -> None:
    assert len(longest_region()) == len("ap-southeast-2")
    text = (ROOT / "docs/deploy.md").read_text()
    stated = re.search(r"\*\*The name of the stack\*\* may have (\d+) characters.*?GitHub deploys may have (\d+)", text, re.DOTALL)
    assert stated is not None
    assert (int(stated[1]), int(stated[2])) == (longest_stack_name(), longest_stack_name_for_the_deployer())


def test_a_longer_name_is_refused_before_anything_is_made() -> None:
    role = yaml_parse((ROOT / ".github/deploy-role.yaml").read_text())
    assert role["Parameters"]["StackName"]["MaxLength"] == longest_stack_name_for_the_deployer()
    tested = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]["tested"]
    [check] = [step["run"] for step in tested["steps"] if "STACK" in step["run"]]
    assert f'"${{#STACK}}" -gt {longest_stack_name_for_the_deployer()} ' in check


def test_many_names_are_made_of_the_stacks() -> None:
    kinds = {limit for _, limit in names()}
    assert len(names()) > 80
    assert {64, 80, 255, 512} <= kinds
