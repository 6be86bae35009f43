"""The template keeps every rule of tools/template_rules, and every rule finds the faults it is for."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.rules import CloudFormationLintRule
from cfnlint.template import Template
from hypothesis import given
from hypothesis import strategies as st

from tools.expand import expand
from tools.template_rules import alarms, deliveries, functions, literals, permissions, stores

ROOT = Path(__file__).parents[2]
RULES: dict[str, Any] = {
    rule().id: rule()
    for module in (alarms, deliveries, functions, literals, permissions, stores)
    for rule in vars(module).values()
    if isinstance(rule, type) and issubclass(rule, CloudFormationLintRule) and rule is not CloudFormationLintRule
}

type Resources = dict[str, Any]


@cache
def _expanded() -> str:
    return json.dumps(expand().template, default=str)


@cache
def _read() -> Template:
    return Template("template.json", json.loads(_expanded()), ["eu-west-1"])


def messages(rule: str, template: dict[str, Any]) -> list[str]:
    """The messages of a rule about a template."""
    read = copy.copy(_read())
    read.template = template
    return [match.message for match in RULES[rule].match(read)]


@pytest.fixture
def template() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(_expanded())
    return template


def of_type(resources: Resources, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == kind)


def statement(effect: str = "Allow", **fields: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": ["dynamodb:GetItem"], "Resource": {"Fn::GetAtt": ["UsersTable", "Arn"]}, **fields}


def allow(resources: Resources, **fields: Any) -> None:
    resources["AuthRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement(**fields))


def trust(resources: Resources, principal: Any) -> None:
    resources["AuthRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    )


def remove(resources: Resources, path: str) -> None:
    """Remove the value at a path of the resources."""
    *way, last = path.split("/")
    here: Any = resources
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step]
    del here[int(last) if isinstance(here, list) else last]


def put(resources: Resources, path: str, value: Any) -> None:
    """Put a value at a path of the resources."""
    *way, last = path.split("/")
    here: Any = resources
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
    here[last] = value


def removed(path: str) -> Callable[[Resources], None]:
    return lambda resources: remove(resources, path)


def replaced(path: str, value: Any) -> Callable[[Resources], None]:
    return lambda resources: put(resources, path, copy.deepcopy(value))


def allowed(**fields: Any) -> Callable[[Resources], None]:
    return lambda resources: allow(resources, **fields)


def trusted(principal: Any) -> Callable[[Resources], None]:
    return lambda resources: trust(resources, principal)


_AUTH = "AuthFunction/Properties"
_VARIABLES = f"{_AUTH}/Environment/Variables"
_RECOVERY = "UsersTable/Properties/PointInTimeRecoverySpecification"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_SCHEDULER = "scheduler.amazonaws.com"
_HOOK = {"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "lambda", "Endpoint": {"Ref": "ModelFunctionAliaslive"}}}
_HATCH = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": statement(Action="s3:*")}}}
_PLANTED: list[tuple[str, str, Callable[[Resources], None]]] = [
    ("E9001", "AuthFunction names no log group", removed(f"{_AUTH}/LoggingConfig")),
    ("E9001", "AuthFunction names no log group", replaced(f"{_AUTH}/LoggingConfig/LogGroup", "/aws/lambda/elsewhere")),
    ("E9001", "shares AuthLogs with", replaced("ModelFunction/Properties/LoggingConfig/LogGroup", {"Ref": "AuthLogs"})),
    ("E9001", "ApiLogs states no RetentionInDays", removed("ApiLogs/Properties/RetentionInDays")),
    ("E9001", "has no access log", removed("ApiApiGatewayDefaultStage/Properties/AccessLogSettings")),
    ("E9001", "ImportStateMachine has no log", removed("ImportStateMachine/Properties/LoggingConfiguration")),
    ("E9002", "AuthFunction states no Timeout", removed(f"{_AUTH}/Timeout")),
    ("E9002", "AuthFunction states no MemorySize", removed(f"{_AUTH}/MemorySize")),
    ("E9003", "AuthFunction has no alias", removed("AuthFunctionAliaslive")),
    ("E9003", "moves all at once", removed("AuthFunctionAliaslive/UpdatePolicy")),
    ("E9003", "moves all at once", replaced("AuthFunctionDeploymentGroup/Properties/AlarmConfiguration", {})),
    ("E9003", "calls AuthFunction past its alias", allowed(Resource={"Fn::GetAtt": ["AuthFunction", "Arn"]})),
    ("E9003", "calls AuthFunction past its alias", allowed(Resource={"Fn::Sub": "${AuthFunction.Arn}:1"})),
    ("E9010", "AuthFunction has no alarm on Errors", removed("AuthErrors")),
    ("E9010", "AuthFunction has no alarm on Throttles", removed("AuthThrottles")),
    ("E9010", "AuthFunction has no alarm on Errors", replaced("AuthErrors/Properties/MetricName", "Invocations")),
    ("E9010", "AuthFunction has no alarm on Errors", replaced("AuthErrors/Properties/Statistic", "SampleCount")),
    ("E9010", "AuthFunction has no alarm on Errors", replaced("AuthErrors/Properties/Dimensions/0/Value", {"Ref": "ModelFunction"})),
    ("E9011", "Api has no alarm on Sum of 5xx", removed("ApiServerErrors")),
    ("E9011", "Api has no alarm on p99 of Latency", removed("ApiLatency")),
    ("E9011", "Api has no alarm on p99 of Latency", replaced("ApiLatency/Properties/ExtendedStatistic", "p50")),
    ("E9012", "ImportStateMachine has no alarm on ExecutionsFailed", removed("ImportFailed/Properties/Metrics/1")),
    ("E9012", "ImportStateMachine has no alarm on ExecutionsTimedOut", removed("ImportFailed/Properties/Metrics/2")),
    ("E9012", "ScoringStateMachine has no alarm on ExecutionThrottled", removed("StateMachineThrottles")),
    ("E9013", "RollupsFunction has no alarm on IteratorAge", removed("CountersBehind")),
    ("E9013", "DeadLetters has no alarm on ApproximateNumberOfMessagesVisible", removed("UndeliveredEvents")),
    ("E9014", "AuthErrors notifies no topic", removed("AuthErrors/Properties/AlarmActions")),
    ("E9014", "AuthErrors notifies no topic", replaced("AuthErrors/Properties/AlarmActions", ["arn:aws:sns:eu-west-1:123456789012:other"])),
    ("E9014", "AuthErrors has no AlarmDescription", removed("AuthErrors/Properties/AlarmDescription")),
    ("E9014", "AuthErrors states no TreatMissingData", removed("AuthErrors/Properties/TreatMissingData")),
    ("E9020", "RollupsFunctionCustomers", removed("RollupsFunctionCustomers/Properties/DestinationConfig")),
    ("E9020", "RollupsFunctionDaily", removed("RollupsFunctionDaily/Properties/Target/DeadLetterConfig")),
    ("E9020", "ImportsFunctionUploaded (target", removed("ImportsFunctionUploaded/Properties/Targets/0/DeadLetterConfig")),
    ("E9020", "ImportsFunction is called asynchronously", removed("ImportsFunctionEventInvokeConfig")),
    ("E9020", "RollupsFunction is called asynchronously", removed("RollupsFunctionEventInvokeConfig/Properties/DestinationConfig")),
    ("E9020", "the role of ImportsFunction may not send", replaced("ImportsRole/Properties/Policies", [])),
    ("E9020", "ModelFunction is called asynchronously", replaced("Hook", _HOOK)),
    ("E9021", "DeadLetters keeps messages", removed("DeadLetters/Properties/MessageRetentionPeriod")),
    ("E9030", "allows dynamodb:*", allowed(Action="dynamodb:*")),
    ("E9030", "allows dynamodb:Get*", allowed(Action=["kms:Sign", "dynamodb:Get*"])),
    ("E9030", "allows everything except some, by NotAction", allowed(NotAction="iam:*", Action=[])),
    ("E9030", "on *", allowed(Resource="*")),
    ("E9030", "on arn:aws:s3:::*", allowed(Resource="arn:aws:s3:::*")),
    ("E9030", "function:*", allowed(Resource={"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"})),
    ("E9030", "on ", allowed(Resource={"Fn::Join": ["", ["arn:aws:dynamodb:eu-west-1:", {"Ref": "AWS::AccountId"}, ":table/*"]]})),
    ("E9030", "which is not a policy of the template", replaced("AuthRole/Properties/ManagedPolicyArns", [_ADMINISTRATOR])),
    ("E9030", "Hatch allows s3:*", replaced("Hatch", _HATCH)),
    ("E9031", "allows any principal", trusted("*")),
    ("E9031", "allows any principal", trusted({"AWS": ["*"]})),
    ("E9031", f"allows {_SCHEDULER} for any account", trusted({"Service": ["states.amazonaws.com", _SCHEDULER]})),
    ("E9031", "which is another account", trusted({"AWS": "arn:aws:iam::210987654321:root"})),
    ("E9031", "which is another account", trusted({"AWS": "210987654321"})),
    ("E9040", "DB_PASSWORD has a literal value", replaced(f"{_VARIABLES}/DB_PASSWORD", "correct horse")),
    ("E9040", "APP_SECRET has a literal value", replaced(f"{_VARIABLES}/APP_SECRET", {"Fn::If": ["HasWebPages", "correct horse", ""]})),
    ("E9040", "ApiKey has a literal value", replaced("AuthFunction/Properties/ApiKey", "none of your business")),
    ("E9040", "looks like a key", replaced(f"{_VARIABLES}/REGION_HINT", "AKIA" + "IOSFODNN7EXAMPLE")),
    ("E9040", "looks like a key", replaced(f"{_VARIABLES}/HINT", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE")),
    ("E9040", "looks like a key", replaced(f"{_AUTH}/Description", "postgres://app:hunter2@db.example/app")),
    ("E9040", "looks like a key", replaced(f"{_VARIABLES}/SALT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c")),
    ("E9040", "looks like a key", replaced(f"{_VARIABLES}/X", {"Fn::Sub": "${AWS::StackName} wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY1"})),
    ("E9050", "UsersTable is not encrypted", removed("UsersTable/Properties/SSESpecification")),
    ("E9050", "UsersTable cannot be restored", replaced(f"{_RECOVERY}/PointInTimeRecoveryEnabled", False)),
    ("E9050", "UsersTable states no DeletionPolicy", removed("UsersTable/DeletionPolicy")),
    ("E9051", "Bucket is not encrypted", removed("Bucket/Properties/BucketEncryption")),
    ("E9051", "Bucket is not closed", replaced("Bucket/Properties/PublicAccessBlockConfiguration/RestrictPublicBuckets", False)),
    ("E9051", "Bucket accepts objects of other owners", removed("Bucket/Properties/OwnershipControls")),
    ("E9051", "Bucket is not versioned", replaced("Bucket/Properties/VersioningConfiguration/Status", "Suspended")),
    ("E9051", "PagesBucket keeps old versions", removed("PagesBucket/Properties/LifecycleConfiguration/Rules/0")),
    ("E9051", "PagesBucket keeps unfinished uploads", removed("PagesBucket/Properties/LifecycleConfiguration/Rules/1")),
    ("E9051", "Bucket answers without TLS", removed("BucketPolicy")),
    ("E9051", "PagesBucket answers without TLS", removed("PagesBucketPolicy/Properties/PolicyDocument/Statement/0/Resource/1")),
    ("E9052", "DeadLetters is not encrypted", removed("DeadLetters/Properties/SqsManagedSseEnabled")),
    ("E9052", "DeadLetters answers without TLS", removed("DeadLettersPolicy")),
    ("E9052", "NotificationTopic is not encrypted", removed("NotificationTopic/Properties/KmsMasterKeyId")),
    ("E9052", "a key that alarms cannot use", replaced("NotificationTopic/Properties/KmsMasterKeyId", "alias/aws/sns")),
    ("E9052", "NotificationTopic answers without TLS", removed("NotificationTopicPolicy")),
    ("E9053", "NotificationKey encrypts and does not rotate", removed("NotificationKey/Properties/EnableKeyRotation")),
    ("E9053", "SigningKey states no PendingWindowInDays", removed("SigningKey/Properties/PendingWindowInDays")),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_template_keeps_the_rule(rule: str, template: dict[str, Any]) -> None:
    assert messages(rule, template) == []


@pytest.mark.parametrize(("rule", "message", "plant"), _PLANTED, ids=[f"{rule}-{message}" for rule, message, _ in _PLANTED])
def test_a_planted_fault_is_reported(rule: str, message: str, plant: Callable[[Resources], None], template: dict[str, Any]) -> None:
    plant(template["Resources"])
    assert any(message in reported for reported in messages(rule, template))


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, _, _ in _PLANTED} == RULES.keys()


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_needs_its_own_alarm(metric: str, template: dict[str, Any]) -> None:
    function_names = [name for name, _ in of_type(template["Resources"], "AWS::Lambda::Function")]
    assert len(function_names) == 15
    for name in function_names:
        changed = copy.deepcopy(template)
        remove(changed["Resources"], name.replace("Function", metric))
        assert messages("E9010", changed) == [f"{name} has no alarm on {metric}"]


def test_one_alarm_on_the_sum_of_all_functions_is_not_enough(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    error_alarms = [name for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm") if alarm.get("MetricName") == "Errors"]
    parts = ("Namespace", "MetricName", "Dimensions")
    metrics = [{part: resources[name]["Properties"][part] for part in parts} for name in error_alarms]
    queries = [{"Id": f"m{index}", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 60}} for index, metric in enumerate(metrics)]
    first = resources[error_alarms[0]]["Properties"]
    for part in parts:
        del first[part]
    first["Metrics"] = [{"Id": "total", "Expression": "SUM(METRICS())"}, *queries]
    assert f"{error_alarms[0]} has 15 metrics; CloudWatch allows 10" in messages("E9014", template)


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("SlackToken", {"Type": "String", "Default": "A1b2"}, []),  # the kind of token is unknown
        ("SessionToken", {"Type": "String", "NoEcho": True, "Default": "A1b2"}, ["secret with a default"]),
        ("AdminPassword", {"Type": "String", "NoEcho": True, "Default": "letmein"}, ["secret with a default"]),
        ("AdminPassword", {"Type": "String"}, ["secret without NoEcho"]),
        ("AdminPassword", {"Type": "String", "NoEcho": True}, []),
        ("WrongPasswordsAllowed", {"Type": "Number", "Default": 5}, []),
    ],
)
def test_parameters_hold_no_secrets(name: str, declared: dict[str, Any], expected: list[str], template: dict[str, Any]) -> None:
    template["Parameters"][name] = declared
    reported = messages("E9040", template)
    assert len(reported) == len(expected)
    assert all(part in message for part, message in zip(expected, reported, strict=True))


@given(st.binary(min_size=32, max_size=64))
def test_hexadecimal_keys_are_recognised_within_a_text(key: bytes) -> None:
    assert literals.looks_like_a_key(f"see {key.hex()} there")


@given(st.lists(st.sampled_from(["stack", "model", "customers", "retraining", "schedule", "function", "export", "table"]), min_size=1))
def test_names_of_words_are_not_keys(words: list[str]) -> None:
    assert not literals.looks_like_a_key("-".join(words))
    assert not literals.looks_like_a_key("/".join(words))
    assert not literals.looks_like_a_key("".join(word.capitalize() for word in words))


def test_cfn_lint_applies_the_rules(tmp_path: Path) -> None:
    """The command of `make check`, on a template with faults that only these rules know."""
    planted = tmp_path / "planted.json"
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."}}
    planted.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Topic": topic}}))
    options: list[str | Path] = ["--append-rules", "tools/template_rules", "--format", "json", "--", planted]
    lint = Path(sys.executable).parent / "cfn-lint"
    answer = subprocess.run([lint, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert {match["Rule"]["Id"] for match in json.loads(answer.stdout)} == {"E9040", "E9052"}
    assert answer.returncode != 0
    assert "--append-rules tools/template_rules" in (ROOT / "Makefile").read_text()
