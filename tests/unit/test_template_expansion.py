"""Expansion of the template, and resolution of CloudFormation's functions."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.intrinsics import Resolver, UnresolvedError
from tools.expand import TEMPLATE, TemplateError, expand

ROOT = Path(__file__).parents[2]
TEMPLATE_OF_FUNCTIONS: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "n"},
        "Many": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Number": {"Type": "Number", "Default": 3},
    },
    "Mappings": {"Sizes": {"small": {"memory": 128}}},
    "Conditions": {
        "IsN": {"Fn::Equals": [{"Ref": "Name"}, "n"]},
        "Not": {"Fn::Not": [{"Condition": "IsN"}]},
        "Both": {"Fn::And": [{"Condition": "IsN"}, {"Fn::Equals": [{"Ref": "Number"}, 3]}]},
        "Either": {"Fn::Or": [{"Condition": "Not"}, {"Condition": "Both"}]},
    },
}


def resolver(**parameters: str) -> Resolver:
    resolver = Resolver(TEMPLATE_OF_FUNCTIONS, parameters, {"Region": "here", "StackName": "s"})
    resolver.attributes["Thing"] = {"Ref": "thing", "Arn": "arn:thing", "Nested.Name": "deep"}
    return resolver


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "n"),
        ({"Ref": "Many"}, ["a", "b"]),
        ({"Ref": "Thing"}, "thing"),
        ({"Ref": "AWS::Region"}, "here"),
        ({"Fn::GetAtt": ["Thing", "Arn"]}, "arn:thing"),
        ({"Fn::GetAtt": "Thing.Nested.Name"}, "deep"),
        ({"Fn::Sub": "${AWS::Region}/${Thing}/${Thing.Arn}/${!Literal}/$"}, "here/thing/arn:thing/${Literal}/$"),
        ({"Fn::Sub": ["${x}-${Name}", {"x": {"Ref": "Thing"}}]}, "thing-n"),
        ({"Fn::Join": [",", {"Ref": "Many"}]}, "a,b"),
        ({"Fn::Split": ["-", "a-b"]}, ["a", "b"]),
        ({"Fn::Select": [1, {"Ref": "Many"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": ["-", "x-y"]}]}, "x"),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"Fn::FindInMap": ["Sizes", "large", "memory", {"DefaultValue": 9}]}, 9),
        ({"Fn::Base64": "é"}, "w6k="),
        ({"Fn::Length": {"Ref": "Many"}}, 2),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Name"}]}}, '{"a":["n"]}'),
        ({"Fn::If": ["IsN", {"Ref": "Thing"}, "no"]}, "thing"),
        ({"Fn::If": ["Not", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", 1, 2]}, 1),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"keep": 1, "drop": {"Ref": "AWS::NoValue"}}, {"keep": 1}),
        ([1, {"Fn::If": ["Not", 2, {"Ref": "AWS::NoValue"}]}, 3], [1, 3]),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Condition": {"StringEquals": {"a": {"Ref": "Name"}}}}, {"Condition": {"StringEquals": {"a": "n"}}}),
    ],
)
def test_functions_are_resolved(value: Any, expected: Any) -> None:
    assert resolver().resolve(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Fn::GetAtt": ["Thing", "Nothing"]},
        {"Fn::Sub": "${Nobody}"},
        {"Fn::If": ["NoCondition", 1, 2]},
        {"Fn::FindInMap": ["Sizes", "large", "memory"]},
        {"Fn::ImportValue": "elsewhere"},
    ],
)
def test_an_unknown_reference_is_an_error(value: Any) -> None:
    with pytest.raises(UnresolvedError):
        resolver().resolve(value)


def test_parameters_are_overridden_and_unknown_parameters_refused() -> None:
    assert resolver(Name="other").resolve({"Fn::If": ["IsN", 1, 2]}) == 2
    with pytest.raises(UnresolvedError, match="Typo"):
        resolver(Typo="x")
    with pytest.raises(UnresolvedError, match="Needed"):
        Resolver({"Parameters": {"Needed": {"Type": "String"}}}, {}, {})


def test_the_template_expands_with_the_source_of_every_function() -> None:
    expanded = expand()
    types = {logical_id: resource["Type"] for logical_id, resource in expanded.template["Resources"].items()}
    assert not [kind for kind in types.values() if kind.startswith("AWS::Serverless")]
    functions = {logical_id for logical_id, kind in types.items() if kind == "AWS::Lambda::Function"}
    assert functions == set(expanded.code)
    for folder in expanded.code.values():
        assert (folder / "app.py").is_file()


def test_the_command_writes_the_expanded_template(tmp_path: Path) -> None:
    output = tmp_path / "expanded.json"
    subprocess.run([sys.executable, "-m", "tools.expand", "-o", str(output)], cwd=ROOT, check=True)
    assert json.loads(output.read_text())["Resources"]["Api"]["Type"] == "AWS::ApiGatewayV2::Api"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "a: [",
        "AWSTemplateFormatVersion: 1\nTransform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function}}\n",
    ],
)
def test_an_unreadable_template_is_reported_without_a_traceback(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / TEMPLATE.name
    if text is not None:
        path.write_text(text)
    with pytest.raises(TemplateError):
        expand(path)
    answer = subprocess.run([sys.executable, "-m", "tools.expand", "-t", str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
