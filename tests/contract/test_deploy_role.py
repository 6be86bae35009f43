"""The role that makes the stack in deployments from GitHub: all resources of the template, and nothing of itself or of other stacks."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from samtranslator.yaml_helper import yaml_parse

from local.intrinsics import Resolver
from tests import permissions
from tests.permissions import ACCOUNT, REGION, Call
from tests.policies import Policies
from tools.expand import expand

ROOT = Path(__file__).parents[2]
STACK, ROLE_STACK = "retainstream", "retainstream-deployer"  # the role's own name begins like those of the stack's resources
SUFFIX = "1A2B3C4D5E6F7"
BUILDER, DEPLOYER = (f"arn:aws:iam::{ACCOUNT}:role/{ROLE_STACK}-{name}-{SUFFIX}" for name in ("Builder", "Deployer"))
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/{ROLE_STACK}-Boundary-{SUFFIX}"
ARTIFACTS = f"arn:aws:s3:::{ROLE_STACK}-artifacts-{SUFFIX.lower()}"
STACK_TAG = "aws:ResourceTag/aws:cloudformation:stack-name"
INLINE_CHARACTERS, MANAGED_CHARACTERS = 10_240, 6_144  # IAM's limits of all inline policies of a role, and of a managed policy

# Actions that CloudFormation's handlers use only for features that no resource of the template has.
UNUSED = {
    "features of tables": ("kinesis:", "dynamodb:ImportTable", "iam:CreateServiceLinkedRole", "s3:GetObjectMetadata"),
    "networks and file systems of functions": ("ec2:", "elasticfilesystem:", "s3files:", "lambda:PassCapacityProvider"),
    "S3 tables of buckets": ("s3tables:", "s3:ListAllMyBuckets"),
    "bearer tokens and delivery of log groups": ("firehose:", "s3:REST.PUT.OBJECT"),
    "connections of databases, and Lake Formation": (
        "glue:PassConnection",
        "glue:CreateConnection",
        "glue:UpdateConnection",
        "glue:DeleteConnection",
        "glue:GetConnection",
        "lakeformation:",
    ),
    "tables of other formats": ("glue:GetSchemaVersion",),
    "policies of users and groups": (
        "iam:AttachUser",
        "iam:AttachGroup",
        "iam:DetachUser",
        "iam:DetachGroup",
        "iam:PutUser",
        "iam:PutGroup",
    ),
    "inline policies of users and groups": ("iam:DeleteUserPolicy", "iam:DeleteGroupPolicy", "iam:GetUserPolicy", "iam:GetGroupPolicy"),
    "removal of a boundary, which this role must not do": ("iam:DeleteRolePermissionsBoundary",),
}

type Resources = dict[str, dict[str, Any]]


@cache
def role_template() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / ".github/deploy-role.yaml").read_text())
    return template


@cache
def resolver() -> Resolver:
    pseudo = {"AccountId": ACCOUNT, "Region": REGION, "Partition": "aws", "StackName": ROLE_STACK, "URLSuffix": "amazonaws.com"}
    made = Resolver(role_template(), {"Repository": "you/retainstream", "StackName": STACK}, pseudo)
    made.attributes.update(
        Builder={"Arn": BUILDER, "Ref": "Builder"},
        Deployer={"Arn": DEPLOYER, "Ref": "Deployer"},
        Boundary={"Ref": BOUNDARY},
        Artifacts={"Arn": ARTIFACTS, "Ref": ARTIFACTS.split(":")[-1]},
    )
    return made


@cache
def policies_of(role: str) -> Policies:
    inline = role_template()["Resources"][role]["Properties"]["Policies"]
    return Policies([resolver().resolve(policy["PolicyDocument"]) for policy in inline])


@cache
def boundary() -> Policies:
    return Policies([resolver().resolve(role_template()["Resources"]["Boundary"]["Properties"]["PolicyDocument"])])


@cache
def stack_resources() -> Resources:
    made: Resources = {}
    for scoring_map in ("inline", "distributed"):
        made |= expand(parameters={"ScoringMap": scoring_map}).template["Resources"]
    return made


def arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def arn_of(stack: str, logical_id: str, resource: Mapping[str, Any]) -> str:
    """The ARN of a resource, with the name that the template or CloudFormation gives it."""
    own = f"{stack}-{logical_id}-{SUFFIX}"
    named = resource.get("Properties", {}).get
    text = {"AWS::StackName": stack, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}

    def name(key: str) -> str:
        written = str(named(key)["Fn::Sub"])
        for placeholder, value in text.items():
            written = written.replace(f"${{{placeholder}}}", value)
        return written

    match resource["Type"]:
        case "AWS::IAM::Role":
            return arn("iam", f"role/{own}", region="")
        case "AWS::IAM::ManagedPolicy":
            return arn("iam", f"policy/{own}", region="")
        case "AWS::DynamoDB::Table":
            return arn("dynamodb", f"table/{own}")
        case "AWS::S3::Bucket" | "AWS::S3::BucketPolicy":
            return f"arn:aws:s3:::{stack}-{logical_id.removesuffix('Policy').lower()}-{SUFFIX.lower()}"
        case "AWS::SQS::Queue" | "AWS::SQS::QueuePolicy":
            return arn("sqs", f"{stack}-{logical_id.removesuffix('Policy')}-{SUFFIX}")
        case "AWS::SNS::Topic" | "AWS::SNS::TopicPolicy":
            return arn("sns", f"{stack}-{logical_id.removesuffix('Policy')}-{SUFFIX}")
        case "AWS::SecretsManager::Secret":
            return arn(
                "secretsmanager", f"secret:{stack}-{logical_id.removesuffix('Secret').lower()}-00000000-0000-0000-0000-000000000000-AbCdEf"
            )
        case "AWS::Lambda::LayerVersion":
            return arn("lambda", f"layer:{name('LayerName')}:1")
        case "AWS::Lambda::Function":
            return arn("lambda", f"function:{name('FunctionName')}")
        case "AWS::Lambda::EventSourceMapping":
            return arn("lambda", f"event-source-mapping:{SUFFIX}")
        case "AWS::StepFunctions::StateMachine":
            return arn("states", f"stateMachine:{name('StateMachineName')}")
        case "AWS::Athena::WorkGroup":
            return arn("athena", f"workgroup/{name('Name')}")
        case "AWS::Glue::Database":
            return arn("glue", f"database/{stack.replace('-', '_')}")
        case "AWS::Glue::Table":
            return arn("glue", f"table/{stack.replace('-', '_')}/{named('TableInput')['Name']}")
        case kind if kind.startswith("AWS::Lambda::"):
            return arn("lambda", f"function:{stack}-auth:live")
    return "*"


# Not tied to a resource by IAM, so only a statement on "*" allows them.
WITHOUT_RESOURCE = {"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"}


def calls_for(stack: str, logical_id: str, resource: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of CloudFormation's handlers that create, read, change and delete the resource, as its registry states them."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema["handlers"]
    unused = tuple(action for actions in UNUSED.values() for action in actions)
    own = arn_of(stack, logical_id, resource)
    role = arn("iam", f"role/{stack}-ScoringStateMachineRole-{SUFFIX}", region="")  # for what names the role of another resource
    actions = {action for kind in ("create", "read", "update", "delete") for action in handlers.get(kind, {}).get("permissions", ())}
    for action in sorted(actions):
        service = action.split(":")[0]
        if action.startswith(unused):
            continue
        context = {STACK_TAG: stack}
        if action in WITHOUT_RESOURCE:
            yield Call(action, "*")
        elif action == "sns:Subscribe":
            yield Call(action, arn("sns", f"{stack}-NotificationTopic-{SUFFIX}"), context)
        elif service == "s3" and resource["Type"].startswith(("AWS::Athena::", "AWS::Glue::")):
            yield Call(action, f"arn:aws:s3:::{stack}-bucket-{SUFFIX.lower()}/training/athena/")
        elif action in ("iam:PassRole", "iam:GetRole"):
            yield Call(action, role)
        elif action.lower() in ("s3:getobject", "s3:getobjectversion", "s3:listbucket") and resource["Type"] != "AWS::S3::Bucket":
            yield Call("s3:GetObject", f"{ARTIFACTS}/{stack}/package.zip")
        elif service == "iam":
            yield Call(
                action, role if "Role" in action and resource["Type"] != "AWS::IAM::Role" else own, {"iam:PermissionsBoundary": BOUNDARY}
            )
        elif service == own.split(":")[2 if own != "*" else 0]:
            yield Call(action, own, context)
        else:
            yield Call(action, "*", context)


def test_the_builder_may_make_and_delete_every_resource_of_the_stack() -> None:
    builder = policies_of("Builder")
    missing = {
        f"{call.action} on {call.resource}"
        for logical_id, resource in stack_resources().items()
        for call in calls_for(STACK, logical_id, resource)
        if not builder.allows(call)
    }
    assert sorted(missing) == []


def test_the_builder_may_read_the_certificate_and_the_web_acl_of_the_parameters() -> None:
    builder = policies_of("Builder")
    assert builder.allows(Call("acm:DescribeCertificate", arn("acm", "certificate/1", region="us-east-1")))
    assert builder.allows(Call("wafv2:GetWebACL", arn("wafv2", "global/webacl/mine/1", region="us-east-1")))
    assert not builder.allows(Call("wafv2:UpdateWebACL", arn("wafv2", "global/webacl/mine/1", region="us-east-1")))


def test_no_action_is_left_out_that_the_builder_may_do_anyway() -> None:
    """An action of UNUSED that the handlers no longer name would hide nothing, so it must go."""
    stated = {
        action
        for kind in {resource["Type"] for resource in stack_resources().values()}
        for handler in PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"].values()
        for action in handler.get("permissions", ())
    }
    for prefix in (prefix for prefixes in UNUSED.values() for prefix in prefixes):
        assert any(action.startswith(prefix) for action in stated), prefix


def test_the_builder_makes_no_role_without_the_boundary() -> None:
    builder = policies_of("Builder")
    role = arn("iam", f"role/{STACK}-AuthRole-{SUFFIX}", region="")
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert builder.allows(Call(action, role, {"iam:PermissionsBoundary": BOUNDARY}))
        assert not builder.allows(Call(action, role)), action
        assert not builder.allows(Call(action, role, {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"})), action
    assert not builder.allows(Call("iam:DeleteRolePermissionsBoundary", role, {"iam:PermissionsBoundary": BOUNDARY}))


def own_calls() -> Iterator[Call]:
    context = {"iam:PermissionsBoundary": BOUNDARY, STACK_TAG: ROLE_STACK}
    for role in (BUILDER, DEPLOYER):
        for action in (
            "UpdateAssumeRolePolicy",
            "PutRolePolicy",
            "AttachRolePolicy",
            "DeleteRolePolicy",
            "PassRole",
            "CreateRole",
            "DeleteRole",
        ):
            yield Call(f"iam:{action}", role, context)
    for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
        yield Call(f"iam:{action}", BOUNDARY, context)
    yield Call("iam:AddClientIDToOpenIDConnectProvider", arn("iam", "oidc-provider/token.actions.githubusercontent.com", region=""))
    for action in ("UpdateStack", "CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "SetStackPolicy"):
        yield Call(f"cloudformation:{action}", arn("cloudformation", f"stack/{ROLE_STACK}/{SUFFIX}"), context)
    for action in ("PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucket", "PutLifecycleConfiguration", "ListBucket"):
        yield Call(f"s3:{action}", ARTIFACTS, context)
    for action in ("PutObject", "DeleteObject", "DeleteObjectVersion"):
        yield Call(f"s3:{action}", f"{ARTIFACTS}/{STACK}/package.zip", context)


def test_the_builder_cannot_change_itself() -> None:
    assert [call for call in own_calls() if policies_of("Builder").allows(call)] == []


def tagged(kind: str) -> bool:
    """Whether CloudFormation gives the resource, or the function or topic that it belongs to, the tag with the name of its stack."""
    owner = {"AWS::SNS::TopicPolicy": "AWS::SNS::Topic"}.get(kind, kind)
    if kind.startswith("AWS::Lambda::") and kind != "AWS::Lambda::LayerVersion":
        owner = "AWS::Lambda::Function"
    tagging = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", owner).schema.get("tagging", {})
    return tagging.get("cloudFormationSystemTags", False) is True


@pytest.mark.parametrize("stack", ["retainstream-staging", "retainstream2", "staging"])
def test_the_builder_cannot_change_another_stack(stack: str) -> None:
    """Nor a stack whose name begins like this one's. What has no tag of its stack (roles, tables, buckets …) is told by its name."""
    builder = policies_of("Builder")
    kinds = set()
    for logical_id, resource in stack_resources().items():
        own = arn_of(stack, logical_id, resource)
        if own == "*":
            continue
        kinds.add(resource["Type"])
        context = {"iam:PermissionsBoundary": BOUNDARY} | ({STACK_TAG: stack} if tagged(resource["Type"]) else {})
        for verb in ("Delete", "Update", "Put"):
            assert not builder.allows(Call(f"{own.split(':')[2]}:{verb}Anything", own, context)), (logical_id, own)
    assert {
        "AWS::IAM::Role",
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::Lambda::Function",
        "AWS::StepFunctions::StateMachine",
    } <= kinds


@pytest.mark.parametrize("service", ["apigateway", "appconfig", "cloudwatch", "events", "logs"])
def test_the_builder_cannot_change_what_has_the_tag_of_another_stack(service: str) -> None:
    builder = policies_of("Builder")
    assert builder.allows(Call(f"{service}:DeleteAnything", "*", {STACK_TAG: STACK}))
    assert builder.allows(Call(f"{service}:CreateAnything", "*"))
    assert not builder.allows(Call(f"{service}:DeleteAnything", "*", {STACK_TAG: "retainstream-staging"}))


def physical(tested: str) -> str:
    """The ARN of a table, bucket, topic or queue of the tests' stack, with the name that CloudFormation would give it."""
    for logical_id, resource in stack_resources().items():
        own = arn_of(STACK, logical_id, resource)
        names = permissions.attributes(logical_id, resource["Type"], lambda value: value, resource.get("Properties", {}))
        short = (
            names.get("Arn", names["Ref"]).replace(f":{permissions.STACK}-", f":{STACK}-").replace(f"/{permissions.STACK}-", f"/{STACK}-")
        )
        if own != "*" and (tested == short or tested.startswith(f"{short}/")):
            return own + tested.removeprefix(short)
    raise KeyError(tested)


def test_the_boundary_lets_the_stacks_roles_do_all_that_their_policies_allow() -> None:
    """The physical names of the tests' stack `test` in place of this one's."""
    for parameters in (
        (),
        (("ScoringMap", "distributed"),),
        (("SageMakerRowThreshold", "1000"),),
        (("HistoryEngineRowThreshold", "1000"),),
    ):
        for role, allowed in permissions.roles(parameters).allowed.items():
            for right in allowed:
                resource = right.resource.replace(f":{permissions.STACK}-", f":{STACK}-").replace(f"/{permissions.STACK}-", f"/{STACK}-")
                if right.action.startswith(("dynamodb:", "s3:", "sns:", "sqs:")):
                    resource = physical(resource)
                if right.action.startswith("glue:"):
                    resource = resource.replace(f"/{permissions.STACK}", f"/{STACK}")
                if resource.endswith("role/SageMakerRole"):
                    resource = arn("iam", f"role/{STACK}-SageMakerRole-{SUFFIX}", region="")
                if resource.endswith(("-pages", "-sealing")):
                    resource += "-00000000-0000-0000-0000-000000000000-AbCdEf"
                context = {name: patterns[0] for name, patterns in right.conditions}
                assert boundary().allows(Call(right.action, resource, context)), f"{role}: {right}"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateUser", "*"),
        ("iam:PutRolePolicy", arn("iam", f"role/{STACK}-AuthRole-{SUFFIX}", region="")),
        ("iam:PassRole", BUILDER),
        ("sts:AssumeRole", arn("iam", "role/admin", region="")),
        ("s3:GetObject", "arn:aws:s3:::payroll/2026.csv"),
        ("dynamodb:Scan", arn("dynamodb", "table/payroll")),
        ("dynamodb:Scan", arn("dynamodb", f"table/{STACK}-staging-UsersTable-{SUFFIX}")),
        ("s3:GetObject", f"arn:aws:s3:::{STACK}-staging-bucket-{SUFFIX.lower()}/models/1"),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", f"secret:{STACK}-staging-sealing-1-AbCdEf")),
        ("kms:ScheduleKeyDeletion", arn("kms", "key/1")),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:payroll")),
        ("ec2:RunInstances", "*"),
    ],
)
def test_no_role_within_the_boundary_reaches_beyond_the_stack(action: str, resource: str) -> None:
    assert not boundary().allows(Call(action, resource, {"iam:PassedToService": "lambda.amazonaws.com"}))


def test_the_policies_fit_into_iams_limits() -> None:
    def characters(document: object) -> int:
        return len("".join(json.dumps(document).split()))

    for role in ("Builder", "Deployer"):
        assert sum(characters(document) for document in policies_of(role).documents) < INLINE_CHARACTERS, role
    assert sum(characters(document) for document in boundary().documents) < MANAGED_CHARACTERS


def test_every_role_of_the_stack_takes_the_boundary() -> None:
    given = {"Fn::If": ["HasRolesBoundary", {"Ref": "RolesBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    for name, resource in stack_resources().items():
        if resource["Type"] == "AWS::IAM::Role":
            assert resource["Properties"].get("PermissionsBoundary") == given, name
