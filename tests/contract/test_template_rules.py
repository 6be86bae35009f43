"""Every rule of ours holds for the template, and is broken by what it is there to find."""

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


def found(rule: str, template: dict[str, Any]) -> list[str]:
    """What the rule says of a template."""
    read = copy.copy(_read())
    read.template = template
    return [match.message for match in RULES[rule].match(read)]


@pytest.fixture
def template() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_expanded())
    return made


def of_type(resources: Resources, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, one["Properties"]) for name, one in resources.items() if one["Type"] == kind)


def statement(effect: str = "Allow", **given: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": ["dynamodb:GetItem"], "Resource": {"Fn::GetAtt": ["UsersTable", "Arn"]}, **given}


def allow(resources: Resources, **given: Any) -> None:
    resources["AuthRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement(**given))


def trust(resources: Resources, principal: Any) -> None:
    resources["AuthRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    )


def take(resources: Resources, path: str) -> None:
    """Take away what is at a path of the resources."""
    *way, last = path.split("/")
    here: Any = resources
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step]
    del here[int(last) if isinstance(here, list) else last]


def put(resources: Resources, path: str, value: Any) -> None:
    """Put something at a path of the resources."""
    *way, last = path.split("/")
    here: Any = resources
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
    here[last] = value


def taken(path: str) -> Callable[[Resources], None]:
    return lambda resources: take(resources, path)


def made(path: str, value: Any) -> Callable[[Resources], None]:
    return lambda resources: put(resources, path, copy.deepcopy(value))


def allowed(**given: Any) -> Callable[[Resources], None]:
    return lambda resources: allow(resources, **given)


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
    ("E9001", "AuthFunction names no log group", taken(f"{_AUTH}/LoggingConfig")),
    ("E9001", "AuthFunction names no log group", made(f"{_AUTH}/LoggingConfig/LogGroup", "/aws/lambda/elsewhere")),
    ("E9001", "shares AuthLogs with", made("ModelFunction/Properties/LoggingConfig/LogGroup", {"Ref": "AuthLogs"})),
    ("E9001", "ApiLogs states no RetentionInDays", taken("ApiLogs/Properties/RetentionInDays")),
    ("E9001", "has no access log", taken("ApiApiGatewayDefaultStage/Properties/AccessLogSettings")),
    ("E9001", "ImportStateMachine has no log", taken("ImportStateMachine/Properties/LoggingConfiguration")),
    ("E9002", "AuthFunction states no Timeout", taken(f"{_AUTH}/Timeout")),
    ("E9002", "AuthFunction states no MemorySize", taken(f"{_AUTH}/MemorySize")),
    ("E9003", "AuthFunction is published by no alias", taken("AuthFunctionAliaslive")),
    ("E9003", "moved all at once", taken("AuthFunctionAliaslive/UpdatePolicy")),
    ("E9003", "moved all at once", made("AuthFunctionDeploymentGroup/Properties/AlarmConfiguration", {})),
    ("E9003", "calls AuthFunction past its alias", allowed(Resource={"Fn::GetAtt": ["AuthFunction", "Arn"]})),
    ("E9003", "calls AuthFunction past its alias", allowed(Resource={"Fn::Sub": "${AuthFunction.Arn}:1"})),
    ("E9010", "the Errors of AuthFunction", taken("AuthErrors")),
    ("E9010", "the Throttles of AuthFunction", taken("AuthThrottles")),
    ("E9010", "the Errors of AuthFunction", made("AuthErrors/Properties/MetricName", "Invocations")),
    ("E9010", "the Errors of AuthFunction", made("AuthErrors/Properties/Statistic", "SampleCount")),
    ("E9010", "the Errors of AuthFunction", made("AuthErrors/Properties/Dimensions/0/Value", {"Ref": "ModelFunction"})),
    ("E9011", "Sum of 5xx of Api", taken("ApiServerErrors")),
    ("E9011", "p99 of Latency of Api", taken("ApiLatency")),
    ("E9011", "p99 of Latency of Api", made("ApiLatency/Properties/ExtendedStatistic", "p50")),
    ("E9012", "the ExecutionsFailed of ImportStateMachine", taken("ImportFailed/Properties/Metrics/1")),
    ("E9012", "the ExecutionsTimedOut of ImportStateMachine", taken("ImportFailed/Properties/Metrics/2")),
    ("E9012", "the ExecutionThrottled of ScoringStateMachine", taken("StateMachineThrottles")),
    ("E9013", "the IteratorAge of RollupsFunction", taken("CountersBehind")),
    ("E9013", "the ApproximateNumberOfMessagesVisible of DeadLetters", taken("UndeliveredEvents")),
    ("E9014", "AuthErrors tells no topic", taken("AuthErrors/Properties/AlarmActions")),
    ("E9014", "AuthErrors tells no topic", made("AuthErrors/Properties/AlarmActions", ["arn:aws:sns:eu-west-1:123456789012:elsewhere"])),
    ("E9014", "AuthErrors has no AlarmDescription", taken("AuthErrors/Properties/AlarmDescription")),
    ("E9014", "AuthErrors does not say how it takes missing data", taken("AuthErrors/Properties/TreatMissingData")),
    ("E9020", "RollupsFunctionCustomers", taken("RollupsFunctionCustomers/Properties/DestinationConfig")),
    ("E9020", "RollupsFunctionDaily", taken("RollupsFunctionDaily/Properties/Target/DeadLetterConfig")),
    ("E9020", "ImportsFunctionUploaded (target", taken("ImportsFunctionUploaded/Properties/Targets/0/DeadLetterConfig")),
    ("E9020", "ImportsFunction is called without waiting", taken("ImportsFunctionEventInvokeConfig")),
    ("E9020", "RollupsFunction is called without waiting", taken("RollupsFunctionEventInvokeConfig/Properties/DestinationConfig")),
    ("E9020", "the role of ImportsFunction may not send", made("ImportsRole/Properties/Policies", [])),
    ("E9020", "ModelFunction is called without waiting", made("Hook", _HOOK)),
    ("E9021", "DeadLetters keeps messages", taken("DeadLetters/Properties/MessageRetentionPeriod")),
    ("E9030", "allows dynamodb:*", allowed(Action="dynamodb:*")),
    ("E9030", "allows dynamodb:Get*", allowed(Action=["kms:Sign", "dynamodb:Get*"])),
    ("E9030", "allows all but some by NotAction", allowed(NotAction="iam:*", Action=[])),
    ("E9030", "on *", allowed(Resource="*")),
    ("E9030", "on arn:aws:s3:::*", allowed(Resource="arn:aws:s3:::*")),
    ("E9030", "function:*", allowed(Resource={"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"})),
    ("E9030", "on ", allowed(Resource={"Fn::Join": ["", ["arn:aws:dynamodb:eu-west-1:", {"Ref": "AWS::AccountId"}, ":table/*"]]})),
    ("E9030", "which is not the template's", made("AuthRole/Properties/ManagedPolicyArns", [_ADMINISTRATOR])),
    ("E9030", "Hatch allows s3:*", made("Hatch", _HATCH)),
    ("E9031", "lets everybody in", trusted("*")),
    ("E9031", "lets everybody in", trusted({"AWS": ["*"]})),
    ("E9031", f"lets {_SCHEDULER} in, for whatever account", trusted({"Service": ["states.amazonaws.com", _SCHEDULER]})),
    ("E9031", "which is another account", trusted({"AWS": "arn:aws:iam::210987654321:root"})),
    ("E9031", "which is another account", trusted({"AWS": "210987654321"})),
    ("E9040", "DB_PASSWORD is given literally", made(f"{_VARIABLES}/DB_PASSWORD", "correct horse")),
    ("E9040", "ApiKey is given literally", made("AuthFunction/Properties/ApiKey", "none of your business")),
    ("E9040", "looks like a key", made(f"{_VARIABLES}/REGION_HINT", "AKIA" + "IOSFODNN7EXAMPLE")),
    ("E9040", "looks like a key", made(f"{_VARIABLES}/HINT", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE")),
    ("E9040", "looks like a key", made(f"{_AUTH}/Description", "postgres://app:hunter2@db.example/app")),
    ("E9040", "looks like a key", made(f"{_VARIABLES}/SALT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c")),
    ("E9040", "looks like a key", made(f"{_VARIABLES}/X", {"Fn::Sub": "${AWS::StackName} wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY1"})),
    ("E9050", "UsersTable is not encrypted", taken("UsersTable/Properties/SSESpecification")),
    ("E9050", "UsersTable cannot be restored", made(f"{_RECOVERY}/PointInTimeRecoveryEnabled", False)),
    ("E9050", "UsersTable does not say what becomes of it", taken("UsersTable/DeletionPolicy")),
    ("E9051", "Bucket is not encrypted", taken("Bucket/Properties/BucketEncryption")),
    ("E9051", "Bucket is not closed", made("Bucket/Properties/PublicAccessBlockConfiguration/RestrictPublicBuckets", False)),
    ("E9051", "Bucket takes objects of other owners", taken("Bucket/Properties/OwnershipControls")),
    ("E9051", "Bucket is not versioned", made("Bucket/Properties/VersioningConfiguration/Status", "Suspended")),
    ("E9051", "PagesBucket keeps old versions", taken("PagesBucket/Properties/LifecycleConfiguration/Rules/0")),
    ("E9051", "PagesBucket keeps unfinished uploads", taken("PagesBucket/Properties/LifecycleConfiguration/Rules/1")),
    ("E9051", "Bucket answers without TLS", taken("BucketPolicy")),
    ("E9051", "PagesBucket answers without TLS", taken("PagesBucketPolicy/Properties/PolicyDocument/Statement/0/Resource/1")),
    ("E9052", "DeadLetters is not encrypted", taken("DeadLetters/Properties/SqsManagedSseEnabled")),
    ("E9052", "DeadLetters answers without TLS", taken("DeadLettersPolicy")),
    ("E9052", "NotificationTopic is not encrypted", taken("NotificationTopic/Properties/KmsMasterKeyId")),
    ("E9052", "a key that alarms cannot use", made("NotificationTopic/Properties/KmsMasterKeyId", "alias/aws/sns")),
    ("E9052", "NotificationTopic answers without TLS", taken("NotificationTopicPolicy")),
    ("E9053", "NotificationKey encrypts and does not rotate", taken("NotificationKey/Properties/EnableKeyRotation")),
    ("E9053", "SigningKey does not say how long", taken("SigningKey/Properties/PendingWindowInDays")),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_template_keeps_the_rule(rule: str, template: dict[str, Any]) -> None:
    assert found(rule, template) == []


@pytest.mark.parametrize(("rule", "told", "plant"), _PLANTED, ids=[f"{rule}-{told}" for rule, told, _ in _PLANTED])
def test_what_is_planted_is_found(rule: str, told: str, plant: Callable[[Resources], None], template: dict[str, Any]) -> None:
    plant(template["Resources"])
    assert any(told in message for message in found(rule, template))


def test_every_rule_has_something_planted() -> None:
    assert {rule for rule, _, _ in _PLANTED} == RULES.keys()


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_no_function_goes_unwatched(metric: str, template: dict[str, Any]) -> None:
    functions_there = [name for name, _ in of_type(template["Resources"], "AWS::Lambda::Function")]
    assert len(functions_there) == 12
    for name in functions_there:
        there = copy.deepcopy(template)
        take(there["Resources"], name.replace("Function", metric))
        assert found("E9010", there) == [f"no alarm watches the {metric} of {name}"]


def test_a_sum_of_all_functions_is_no_alarm_of_each(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    watched = [name for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm") if alarm.get("MetricName") == "Errors"]
    parts = ("Namespace", "MetricName", "Dimensions")
    metrics = [{part: resources[name]["Properties"][part] for part in parts} for name in watched]
    queries = [{"Id": f"m{index}", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 60}} for index, metric in enumerate(metrics)]
    first = resources[watched[0]]["Properties"]
    for part in parts:
        del first[part]
    first["Metrics"] = [{"Id": "total", "Expression": "SUM(METRICS())"}, *queries]
    assert f"{watched[0]} watches 12 metrics, and CloudWatch takes 10" in found("E9014", template)


@pytest.mark.parametrize(
    ("name", "declared", "told"),
    [
        ("SlackToken", {"Type": "String", "Default": "A1b2"}, []),  # a token of which kind is not said
        ("SessionToken", {"Type": "String", "NoEcho": True, "Default": "A1b2"}, ["has a default"]),
        ("AdminPassword", {"Type": "String", "NoEcho": True, "Default": "letmein"}, ["has a default"]),
        ("AdminPassword", {"Type": "String"}, ["lacks NoEcho"]),
        ("AdminPassword", {"Type": "String", "NoEcho": True}, []),
        ("WrongPasswordsAllowed", {"Type": "Number", "Default": 5}, []),
    ],
)
def test_parameters_hold_no_secrets(name: str, declared: dict[str, Any], told: list[str], template: dict[str, Any]) -> None:
    template["Parameters"][name] = declared
    messages = found("E9040", template)
    assert len(messages) == len(told)
    assert all(part in message for part, message in zip(told, messages, strict=True))


@given(st.binary(min_size=32, max_size=64))
def test_random_keys_in_hexadecimal_are_found_wherever_they_stand(key: bytes) -> None:
    assert literals.looks_like_a_key(f"see {key.hex()} there")


@given(st.lists(st.sampled_from(["stack", "model", "customers", "retraining", "schedule", "function", "export", "table"]), min_size=1))
def test_names_made_of_words_are_no_keys(words: list[str]) -> None:
    assert not literals.looks_like_a_key("-".join(words))
    assert not literals.looks_like_a_key("/".join(words))
    assert not literals.looks_like_a_key("".join(word.capitalize() for word in words))


def test_cfn_lint_takes_the_rules_in(tmp_path: Path) -> None:
    """As `make check` runs it, on a template of one resource with a fault that only our rules know."""
    planted = tmp_path / "planted.json"
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."}}
    planted.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Topic": topic}}))
    options: list[str | Path] = ["--append-rules", "tools/template_rules", "--format", "json", "--", planted]
    lint = Path(sys.executable).parent / "cfn-lint"
    answer = subprocess.run([lint, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert {match["Rule"]["Id"] for match in json.loads(answer.stdout)} == {"E9040", "E9052"}
    assert answer.returncode != 0
    assert "--append-rules tools/template_rules" in (ROOT / "Makefile").read_text()
