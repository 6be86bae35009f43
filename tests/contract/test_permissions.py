"""Roles against calls: planted violations are refused, and the roles of state machines and schedules allow what their definitions need."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from retainstream.customers.removal import EXPIRES_IN_DAYS
from retainstream.runs.history.forget import ABANDONED
from tests import as_function
from tests.as_function import UnknownOperation, calls_of, hold_functions_to_their_roles
from tests.permissions import Allowed, Call, UnreadablePolicy, roles, statements_allow

ROOT = Path(__file__).parents[2]
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/test"
OBJECTS = "arn:aws:s3:::test-bucket"
SERVICE = "arn:aws:states:eu-west-1:123456789012"
JOB = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/test-job"
DAY_UNTIL_S3_GETS_TO_IT = 1

# Calls of Step Functions and EventBridge Scheduler themselves in the roles of state machines and schedules.
SERVICES_THEMSELVES = {
    "xray": "traces of executions",
    "logs": "delivery of the executions' log",
    "events": "a machine that waits for training jobs learns of their end by a rule, which it needs at its creation",
    "sqs:SendMessage": "a schedule that fails sends its event to the dead letters",
    "sagemaker:StopTrainingJob": "a machine that is stopped also stops its training job",
    "sagemaker:AddTags": "a machine tags the jobs that it starts",
    "sagemaker:ListTags": "a machine reads its tags",
    "iam:PassRole": "a machine passes the job its role",
    "athena:GetQueryExecution": "a machine looks whether its query has ended",
    "athena:StopQueryExecution": "a machine that is stopped also stops its query",
    "athena:GetWorkGroup": "a machine reads where the answers of its query go",
    "athena:GetDataCatalog": "a machine reads where the tables of its query are described",
    "glue": "Athena reads the tables in the name of the machine that asks it",
    "s3": "Athena reads the history and writes its answers in the name of the machine that asks it",
    "states:DescribeExecution": "a machine observes the executions of its segments",
    "states:StopExecution": "a machine that is stopped also stops the executions of its segments",
}

type Function = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def recount(aws: None) -> Iterator[Function]:
    """Runs work in the role of the function `recount`, which may write to recounts/ and scan the customers, but not write them."""
    hold_functions_to_their_roles()
    yield lambda work: as_function.as_function("recount", work)()
    as_function.refused.clear()


def refused_with(code: str) -> Any:
    return pytest.raises(ClientError, check=lambda error: error.response["Error"]["Code"] == code)


def test_allowed_calls_succeed(recount: Function) -> None:
    recount(lambda: boto3.client("s3").put_object(Bucket="test-bucket", Key="recounts/x", Body=b""))
    recount(lambda: boto3.client("dynamodb").scan(TableName="test-customers"))
    assert as_function.refused == []


PLANTED: dict[str, Callable[[], Any]] = {
    "another table": lambda: boto3.client("dynamodb").scan(TableName="test-users"),
    "another action": lambda: boto3.client("dynamodb").put_item(TableName="test-customers", Item={"customer_id": {"S": "c"}}),
    "part of a batch": lambda: boto3.client("dynamodb").batch_get_item(RequestItems={"test-runs": {"Keys": [{"run_id": {"S": "r"}}]}}),
    "part of a transaction": lambda: boto3.client("dynamodb").transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "test-rollups", "Item": {"pk": {"S": "a"}, "sk": {"S": "a"}}}},
            {"Delete": {"TableName": "test-rollups", "Key": {"pk": {"S": "b"}, "sk": {"S": "b"}}}},
        ]
    ),
    "an index": lambda: boto3.client("dynamodb").scan(TableName="test-predictions", IndexName="by-value"),
    "another prefix": lambda: boto3.client("s3").put_object(Bucket="test-bucket", Key="models/x", Body=b""),
    "a key with a similar prefix": lambda: boto3.client("s3").put_object(Bucket="test-bucket", Key="recounts", Body=b""),
    "a link": lambda: boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "test-bucket", "Key": "models/x"}),
    "a list": lambda: boto3.client("s3").list_objects_v2(Bucket="test-bucket", Prefix="recounts/"),
    "a resource of boto3": lambda: boto3.resource("s3").Object("test-bucket", "models/x").delete(),
    "a machine": lambda: boto3.client("stepfunctions").start_execution(stateMachineArn=f"{SERVICE}:stateMachine:test-scoring"),
    "a signature": lambda: boto3.client("kms").sign(KeyId="alias/test-signing", Message=b"m", SigningAlgorithm="ECDSA_SHA_256"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_other_calls_are_refused(recount: Function, planted: str) -> None:
    with pytest.raises(ClientError, match="RecountRole is not authorized to perform"):
        recount(PLANTED[planted])
    assert len(as_function.refused) == 1


def test_without_the_right_to_list_a_missing_object_reads_as_forbidden(recount: Function) -> None:
    with refused_with("AccessDenied"):
        recount(lambda: boto3.client("s3").get_object(Bucket="test-bucket", Key="recounts/none"))


def test_threads_act_in_the_role_of_their_starter(recount: Function) -> None:
    def in_pool() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(PLANTED["another table"]).result()

    def refuse() -> None:
        with refused_with("AccessDeniedException"):
            PLANTED["another table"]()
        refusals.append(None)

    def in_thread() -> None:
        thread = threading.Thread(target=refuse)
        thread.start()
        thread.join()

    refusals: list[Any] = []
    with refused_with("AccessDeniedException"):
        recount(in_pool)
    recount(in_thread)
    assert len(refusals) == 1
    assert len(as_function.refused) == 2


def test_a_swallowed_refusal_is_recorded(recount: Function) -> None:
    def swallow() -> None:
        try:
            PLANTED["another table"]()
        except ClientError:
            return

    recount(swallow)
    assert len(as_function.refused) == 1


def test_an_unknown_operation_is_an_error(recount: Function) -> None:
    with pytest.raises(UnknownOperation, match="GetBucketAcl"):
        recount(lambda: boto3.client("s3").get_bucket_acl(Bucket="test-bucket"))


def test_the_tests_themselves_have_no_role(aws: None) -> None:
    hold_functions_to_their_roles()
    boto3.client("s3").get_bucket_acl(Bucket="test-bucket")
    assert as_function.refused == []


NEEDS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
    ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
    ("s3", "CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
    ("s3", "ListParts", {"Bucket": "b", "Key": "k"}, [("s3:ListMultipartUploadParts", "arn:aws:s3:::b/k")]),
    (
        "s3",
        "CopyObject",
        {"Bucket": "b", "Key": "k", "CopySource": "c/x"},
        [("s3:GetObject", "arn:aws:s3:::c/x"), ("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}, [("dynamodb:Query", f"{TABLE.removesuffix('test')}t/index/i")]),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"t": [{"DeleteRequest": {}}]}},
        [("dynamodb:BatchWriteItem", f"{TABLE.removesuffix('test')}t")],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"ConditionCheck": {"TableName": "t"}}, {"Update": {"TableName": "u"}}]},
        [("dynamodb:ConditionCheckItem", f"{TABLE.removesuffix('test')}t"), ("dynamodb:UpdateItem", f"{TABLE.removesuffix('test')}u")],
    ),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "needed"), NEEDS, ids=[operation for _, operation, _, _ in NEEDS])
def test_permissions_of_an_operation(service: str, operation: str, parameters: dict[str, Any], needed: list[tuple[str, str]]) -> None:
    assert [(call.action, call.resource) for call in calls_of(service, operation, parameters)] == needed


@pytest.mark.parametrize(
    ("pattern", "resource", "covered"),
    [
        (f"{OBJECTS}/models/*", f"{OBJECTS}/models/v/model.ubj", True),
        (f"{OBJECTS}/models/*", f"{OBJECTS}/models", False),
        (f"{OBJECTS}/models/*", f"{OBJECTS}-other/models/x", False),
        ("*", f"{OBJECTS}/x", True),
        (f"{OBJECTS}/?", f"{OBJECTS}/ab", False),
        (f"{OBJECTS}/[ab]", f"{OBJECTS}/a", False),
    ],
)
def test_patterns_match_as_in_iam(pattern: str, resource: str, *, covered: bool) -> None:
    assert Allowed("s3:GetObject", pattern).covers(Call("s3:getobject", resource)) is covered
    assert not Allowed("s3:GetObject", pattern).covers(Call("s3:PutObject", resource))


def test_conditions_must_hold_and_an_unknown_condition_is_an_error() -> None:
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": OBJECTS}
    [allowed] = statements_allow({"Statement": {**listing, "Condition": {"StringLike": {"s3:prefix": "training/*"}}}})
    assert allowed.covers(Call("s3:ListBucket", OBJECTS, {"s3:prefix": "training/x"}))
    assert not allowed.covers(Call("s3:ListBucket", OBJECTS, {"s3:prefix": "models/"}))
    assert not allowed.covers(Call("s3:ListBucket", OBJECTS))
    for unread in ({"Effect": "Deny"}, {"NotAction": "s3:*"}, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}):
        with pytest.raises(UnreadablePolicy):
            list(statements_allow({"Statement": {**listing, **unread}}))


def calls_in(definition: str, substitutions: dict[str, str]) -> Iterator[Call]:
    """The calls of the tasks of a state machine."""

    def states(machine: Any) -> Iterator[Any]:
        for state in machine["States"].values():
            yield state
            for inner in [*state.get("Branches", []), *(state[name] for name in ("Iterator", "ItemProcessor") if name in state)]:
                yield from states(inner)

    machine = json.loads(re.sub(r"\$\{(\w+)\}", lambda placeholder: substitutions[placeholder[1]], definition))
    for state in states(machine):
        match state.get("Resource", ""):
            case "":
                pass
            case "arn:aws:states:::lambda:invoke":
                yield Call("lambda:InvokeFunction", state["Parameters"]["FunctionName"])
            case "arn:aws:states:::sagemaker:createTrainingJob.sync":
                yield Call("sagemaker:CreateTrainingJob", JOB)
            case "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob":
                yield Call("sagemaker:DescribeTrainingJob", JOB)
            case "arn:aws:states:::athena:startQueryExecution.sync":
                workgroup = f"arn:aws:athena:eu-west-1:123456789012:workgroup/{state['Parameters']['WorkGroup']}"
                yield Call("athena:StartQueryExecution", workgroup)
            case other:
                raise AssertionError(f"{other}: add the permission that it needs")
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            yield Call("states:StartExecution", f"{SERVICE}:stateMachine:test-scoring-distributed")


LARGE = (("ScoringMap", "distributed"), ("SageMakerRowThreshold", "100000"), ("HistoryEngineRowThreshold", "100000"))


@pytest.mark.parametrize("parameters", [(), LARGE], ids=["default", "large"])
def test_state_machines_have_exactly_the_permissions_of_their_definitions(parameters: tuple[tuple[str, str], ...]) -> None:
    granted = roles(parameters)
    large = bool(parameters)
    for machine, (role, definition, substitutions) in granted.definitions.items():
        calls = set(calls_in(definition, dict(substitutions)))
        refused = [str(call) for call in calls if not granted.allows(role, call)]
        assert refused == [] or (not large and all("sagemaker" in call or "athena" in call for call in refused)), machine
        unused = [
            str(allowed)
            for allowed in granted.allowed[role]
            if not any(allowed.covers(call) for call in calls)
            and not {allowed.action, allowed.action.split(":")[0]} & SERVICES_THEMSELVES.keys()
        ]
        assert unused == [], machine


def test_schedules_may_start_only_their_targets() -> None:
    granted = roles()
    starts = {str(allowed) for role in granted.allowed if role.endswith("ScheduleRole") for allowed in granted.allowed[role]}
    starts = {permission for permission in starts if not permission.startswith("sqs:SendMessage on ")}
    assert {permission.split(" on ")[0] for permission in starts} == {"states:StartExecution", "lambda:InvokeFunction"}
    assert {permission.rsplit(":", 1)[-1] for permission in starts} == {"live", "test-retraining", "test-history", "test-prepare"}


def test_every_role_is_tested() -> None:
    granted = roles()
    machines = {role for role, _, _ in granted.definitions.values()}
    schedules = {role for role in granted.allowed if role.endswith("ScheduleRole")}
    elsewhere = {"SageMakerRole", "DeploymentRole"}  # test_template.py holds the role of training jobs; only CodeDeploy takes the other
    assert set(granted.allowed) == {*granted.of_function.values(), *machines, *schedules} | elsewhere & set(granted.allowed)


def test_the_days_of_a_removal_are_those_of_the_bucket() -> None:
    rules = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {
        rule["Prefix"]: rule["ExpirationInDays"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] + 2 * DAY_UNTIL_S3_GETS_TO_IT
        for rule in rules
        if "NoncurrentVersionExpiration" in rule and "ExpirationInDays" in rule and rule["Id"] != "history"
    }
    assert set(days) == {"exports/", "training/", "datasets/", "imports/", "deliveries/", "preparing/", "history/arriving/"}
    assert max(days["datasets/"], days["training/"]) == EXPIRES_IN_DAYS["data-sets"]
    assert days["imports/"] == days["deliveries/"] == EXPIRES_IN_DAYS["uploads"]
    abandoned, daily = ABANDONED.days, 1
    assert abandoned + daily + 1 == EXPIRES_IN_DAYS["history"] < days["history/arriving/"]
    assert max(EXPIRES_IN_DAYS.values()) == EXPIRES_IN_DAYS["mark"]


def test_the_history_is_kept_for_at_least_its_months() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    months = template["Parameters"]["HistoryMonths"]["AllowedValues"]
    days = {int(number): int(mapped["Days"]) for number, mapped in template["Mappings"]["HistoryMonths"].items()}
    assert set(days) == set(months)
    longest = {number: max(days_in(number, date(2023, first, 1)) for first in range(1, 13)) for number in months}
    assert all(longest[number] <= days[number] <= longest[number] + 3 for number in months)


def days_in(months: int, first: date) -> int:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return (date(year, month + 1, 1) - first).days
