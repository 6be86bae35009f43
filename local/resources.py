"""The template's resources, made on moto by boto3.

moto's own CloudFormation does not know half of the types used and drops properties of the others in silence.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.dynamodb.models import dynamodb_backends

from local.intrinsics import Resolver
from local.isolation import ACCOUNT, REGION
from tools.expand import Expanded

STACK_NAME = "retainstream"
_STREAM_LABEL = "2026-01-01T00:00:00.000"  # the same after every restart, as in AWS

# Described by other resources, or without any effect on one machine: nothing a person would miss.
SILENT_TYPES = frozenset(
    {
        "AWS::ApiGatewayV2::Stage",
        "AWS::Lambda::Permission",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::SQS::QueuePolicy",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
        "AWS::Lambda::Alias",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::AppConfig::Application",
        "AWS::AppConfig::ConfigurationProfile",
        "AWS::AppConfig::HostedConfigurationVersion",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginAccessControl",
    }
)


@dataclass(frozen=True)
class Function:
    """A Lambda function of the template: its handler, its environment and its time-out in seconds."""

    name: str
    file: Path
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]


@dataclass(frozen=True)
class StreamMapping:
    """A function that reads a table's stream."""

    name: str
    table: str
    function: str
    stream_arn: str
    batch_size: int
    retries: int
    bisect: bool
    on_failure: str | None


@dataclass(frozen=True)
class ArrivalRule:
    """A function that is notified of new objects in a bucket whose names begin with one of `prefixes`."""

    name: str
    bucket: str
    prefixes: tuple[str, ...]
    function: str


@dataclass(frozen=True)
class Schedule:
    """A time expression that starts a state machine, or calls a function, with `input`; `target` is its ARN."""

    name: str
    expression: str
    timezone: str
    target: str
    input: str
    enabled: bool


@dataclass
class Deployment:
    """The resources made from the template.

    `environment` holds the variables that all functions share, `api` the HTTP API's OpenAPI document, `page_headers` the headers of the
    dashboard's pages, `state_machines` ARNs by name, `keys` key ids by logical id; `not_made` counts omitted resources by type.
    """

    environment: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    state_machines: dict[str, str] = field(default_factory=dict)
    mappings: list[StreamMapping] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    arrival_rules: list[ArrivalRule] = field(default_factory=list)
    api: dict[str, Any] = field(default_factory=dict)
    page_headers: dict[str, str] = field(default_factory=dict)
    not_made: Counter[str] = field(default_factory=Counter)


class UnsupportedError(Exception):
    """The template uses a feature that the local stack does not support."""


type KeyMaker = Callable[[str, Mapping[str, Any]], str]
type Notes = Callable[[str, str], str]


def deploy(
    expanded: Expanded, parameters: Mapping[str, str], make_key: KeyMaker | None = None, note: Notes = lambda _name, text: text
) -> Deployment:
    """Make the resources of `expanded` on the moto that is running.

    `make_key(logical id, properties)` makes a KMS key and returns its id; without it boto3 makes a new one.
    `note(name, text)` returns the text that an earlier deployment noted under the name, else `text`; the generated secrets stay so.

    Raises:
        UnsupportedError, UnresolvedError: the template uses a feature or a name that the local stack does not know.
    """
    return _Deployer(expanded, parameters, make_key or _make_key, note).deploy()


def _make_key(_logical_id: str, properties: Mapping[str, Any]) -> str:
    options = {name: properties[name] for name in ("KeySpec", "KeyUsage", "Description") if name in properties}
    made = boto3.client("kms").create_key(**options)
    return made["KeyMetadata"]["KeyId"]


class _Deployer:
    def __init__(self, expanded: Expanded, parameters: Mapping[str, str], make_key: KeyMaker, note: Notes) -> None:
        pseudo = {
            "AccountId": ACCOUNT,
            "Region": REGION,
            "Partition": "aws",
            "StackName": STACK_NAME,
            "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK_NAME}/local",
            "URLSuffix": "amazonaws.com",
        }
        self._code = expanded.code
        self._make_key = make_key
        self._note = note
        self._resolver = Resolver(expanded.template, parameters, pseudo)
        self._resources = {
            logical_id: resource
            for logical_id, resource in expanded.template["Resources"].items()
            if "Condition" not in resource or self._resolver.holds(resource["Condition"])
        }
        self._made = Deployment()

    def deploy(self) -> Deployment:
        self._name_everything()
        order: list[tuple[str, Callable[[str, dict[str, Any]], None]]] = [
            ("AWS::DynamoDB::Table", self._table),
            ("AWS::S3::Bucket", self._bucket),
            ("AWS::KMS::Key", self._key),
            ("AWS::KMS::Alias", self._key_alias),
            ("AWS::SecretsManager::Secret", self._secret),
            ("AWS::SNS::Topic", self._topic),
            ("AWS::SQS::Queue", self._queue),
            ("AWS::Lambda::Function", self._function),
            ("AWS::Lambda::EventSourceMapping", self._mapping),
            ("AWS::StepFunctions::StateMachine", self._state_machine),
            ("AWS::Scheduler::Schedule", self._schedule),
            ("AWS::Events::Rule", self._arrival_rule),
            ("AWS::ApiGatewayV2::Api", self._api),
            ("AWS::CloudFront::ResponseHeadersPolicy", self._page_headers),
        ]
        for kind, make in order:
            for logical_id, resource in self._resources.items():
                if resource["Type"] == kind:
                    make(logical_id, self._resolver.resolve(resource.get("Properties", {})))
        environments = [set(function.environment.items()) for function in self._made.functions.values()]
        self._made.environment = dict(set.intersection(*environments)) if environments else {}
        known = {kind for kind, _ in order} | SILENT_TYPES
        self._made.not_made = Counter(resource["Type"] for resource in self._resources.values() if resource["Type"] not in known)
        return self._made

    def _name_everything(self) -> None:
        """Give every resource its name and ARN before any is made, because they refer to each other in circles."""
        attributes = self._resolver.attributes
        for logical_id, resource in self._resources.items():
            properties = resource.get("Properties", {})

            def name(property_name: str, default: str, properties: dict[str, Any] = properties) -> str:
                return str(self._resolver.resolve(properties[property_name])) if property_name in properties else default

            plain = f"{STACK_NAME}-{logical_id}"
            match resource["Type"]:
                case "AWS::DynamoDB::Table":
                    table = name("TableName", plain)
                    attributes[logical_id] = {"Ref": table, "Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"}
                case "AWS::S3::Bucket":
                    bucket = name("BucketName", plain.lower())
                    attributes[logical_id] = {"Ref": bucket, "Arn": f"arn:aws:s3:::{bucket}"}
                case "AWS::SNS::Topic":
                    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name('TopicName', plain)}"
                    attributes[logical_id] = {"Ref": arn, "TopicArn": arn, "TopicName": arn.rsplit(":", 1)[1]}
                case "AWS::SQS::Queue":
                    queue = name("QueueName", plain)
                    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"
                    attributes[logical_id] = {"Ref": url, "QueueName": queue, "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"}
                case "AWS::Lambda::Function":
                    function = name("FunctionName", plain)
                    attributes[logical_id] = {"Ref": function, "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"}
                case "AWS::StepFunctions::StateMachine":
                    machine = name("StateMachineName", plain)
                    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"
                    attributes[logical_id] = {"Ref": arn, "Arn": arn, "Name": machine}
                case "AWS::IAM::Role":
                    attributes[logical_id] = {"Ref": plain, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{plain}"}
                case "AWS::IAM::ManagedPolicy":
                    arn = f"arn:aws:iam::{ACCOUNT}:policy/{plain}"
                    attributes[logical_id] = {"Ref": arn, "PolicyArn": arn}
                case "AWS::Logs::LogGroup":
                    group = name("LogGroupName", plain)
                    attributes[logical_id] = {"Ref": group, "Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"}
                case "AWS::Lambda::Alias" | "AWS::Lambda::Version":
                    pass
                case _:
                    attributes[logical_id] = {"Ref": plain}
        for logical_id, resource in self._resources.items():
            properties = resource.get("Properties", {})
            if resource["Type"] in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
                function = self._resolver.resolve(properties["FunctionName"])
                qualifier = self._resolver.resolve(properties["Name"]) if "Name" in properties else "1"
                arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.rsplit(':', 1)[-1]}:{qualifier}"
                attributes[logical_id] = {"Ref": arn, "Version": "1", "AliasArn": arn}

    def _table(self, logical_id: str, properties: dict[str, Any]) -> None:
        dynamodb = boto3.client("dynamodb")
        name = self._resolver.attributes[logical_id]["Ref"]
        taken = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        options = {option: properties[option] for option in taken if option in properties}
        if "StreamSpecification" in properties:
            options["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": properties["StreamSpecification"]["StreamViewType"]}
        arn = dynamodb.create_table(TableName=name, **options)["TableDescription"]["TableArn"]
        if "StreamSpecification" in properties:
            dynamodb_backends[ACCOUNT][REGION].tables[name].latest_stream_label = _STREAM_LABEL
            self._resolver.attributes[logical_id]["StreamArn"] = f"{arn}/stream/{_STREAM_LABEL}"
        if "TimeToLiveSpecification" in properties:
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
        self._made.tables.append(name)

    def _bucket(self, logical_id: str, properties: dict[str, Any]) -> None:
        s3 = boto3.client("s3")
        name = self._resolver.attributes[logical_id]["Ref"]
        s3.create_bucket(Bucket=name)
        if "VersioningConfiguration" in properties:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
        if "CorsConfiguration" in properties:
            renamed = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
            rules: Any = [
                {renamed.get(key, key): value for key, value in rule.items()} for rule in properties["CorsConfiguration"]["CorsRules"]
            ]
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
        self._made.buckets.append(name)

    def _key(self, logical_id: str, properties: dict[str, Any]) -> None:
        key_id = self._make_key(logical_id, properties)
        self._resolver.attributes[logical_id] = {
            "Ref": key_id,
            "KeyId": key_id,
            "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}",
        }
        self._made.keys[logical_id] = key_id

    def _key_alias(self, logical_id: str, properties: dict[str, Any]) -> None:
        boto3.client("kms").create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
        self._resolver.attributes[logical_id] = {"Ref": properties["AliasName"]}

    def _secret(self, logical_id: str, properties: dict[str, Any]) -> None:
        client = boto3.client("secretsmanager")
        generated = client.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
        made = client.create_secret(Name=properties["Name"], SecretString=self._note(f"secret {logical_id}", generated))
        self._resolver.attributes[logical_id] = {"Ref": made["ARN"]}

    def _topic(self, logical_id: str, _properties: dict[str, Any]) -> None:
        boto3.client("sns").create_topic(Name=self._resolver.attributes[logical_id]["TopicName"])

    def _queue(self, logical_id: str, _properties: dict[str, Any]) -> None:
        boto3.client("sqs").create_queue(QueueName=self._resolver.attributes[logical_id]["QueueName"])

    def _function(self, logical_id: str, properties: dict[str, Any]) -> None:
        module, _, handler = properties["Handler"].rpartition(".")
        variables = {name: str(value) for name, value in properties.get("Environment", {}).get("Variables", {}).items()}
        name = self._resolver.attributes[logical_id]["Ref"]
        self._made.functions[name] = Function(
            name,
            self._code[logical_id] / f"{module.replace('.', '/')}.py",
            handler,
            int(properties.get("Timeout", 3)),
            int(properties.get("MemorySize", 128)),
            variables,
        )

    def _mapping(self, logical_id: str, properties: dict[str, Any]) -> None:
        source = properties["EventSourceArn"]
        if ":dynamodb:" not in source:
            raise UnsupportedError(f"{logical_id}: the local stack feeds functions from DynamoDB streams only, not from {source}")
        for option in ("FilterCriteria", "FunctionResponseTypes"):
            if properties.get(option):
                raise UnsupportedError(f"{logical_id}: the local stack does not support {option}")
        retries = properties.get("MaximumRetryAttempts", -1)
        self._made.mappings.append(
            StreamMapping(
                logical_id,
                source.split("/")[1],
                _function_name(properties["FunctionName"]),
                source,
                int(properties.get("BatchSize", 100)),
                int(retries),
                bool(properties.get("BisectBatchOnFunctionError", False)),
                properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
            )
        )

    def _state_machine(self, logical_id: str, properties: dict[str, Any]) -> None:
        name = self._resolver.attributes[logical_id]["Name"]
        definition = properties.get("DefinitionString") or json.dumps(properties["Definition"])
        for placeholder, value in properties.get("DefinitionSubstitutions", {}).items():
            if str(value).isdigit():  # AWS substitutes in the YAML, where an unquoted number is a number
                definition = definition.replace(f'"${{{placeholder}}}"', str(value))
            definition = definition.replace(f"${{{placeholder}}}", str(value))
        machine = boto3.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=properties["RoleArn"])
        self._made.state_machines[name] = machine["stateMachineArn"]

    def _schedule(self, logical_id: str, properties: dict[str, Any]) -> None:
        target = properties["Target"]
        if not {"states", "lambda"} & set(target["Arn"].split(":")[2:3]):
            raise UnsupportedError(f"{logical_id}: the local stack schedules state machines and functions only, not {target['Arn']}")
        self._made.schedules.append(
            Schedule(
                properties.get("Name", logical_id),
                properties["ScheduleExpression"],
                properties.get("ScheduleExpressionTimezone", "UTC"),
                target["Arn"],
                target.get("Input", "{}"),
                properties.get("State", "ENABLED") == "ENABLED",
            )
        )

    def _arrival_rule(self, logical_id: str, properties: dict[str, Any]) -> None:
        pattern = properties.get("EventPattern", {})
        if pattern.get("source") != ["aws.s3"] or pattern.get("detail-type") != ["Object Created"]:
            raise UnsupportedError(
                f"{logical_id}: the local stack supports EventBridge rules on new objects in a bucket only, not {pattern}"
            )
        prefixes = tuple(key["prefix"] for key in pattern["detail"]["object"]["key"])
        for target in properties["Targets"]:
            if ":lambda:" not in target["Arn"]:
                raise UnsupportedError(f"{logical_id}: the local stack notifies functions of new objects, not {target['Arn']}")
            for bucket in pattern["detail"]["bucket"]["name"]:
                self._made.arrival_rules.append(ArrivalRule(logical_id, bucket, prefixes, _function_name(target["Arn"])))

    def _api(self, _logical_id: str, properties: dict[str, Any]) -> None:
        self._made.api = {**properties["Body"], "cors": properties.get("CorsConfiguration", {})}

    def _page_headers(self, _logical_id: str, properties: dict[str, Any]) -> None:
        security = properties["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        self._made.page_headers = {
            "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
            "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        }


def _function_name(reference: str) -> str:
    parts = reference.split(":")
    return parts[6] if reference.startswith("arn:") else parts[0]
