"""What there is in an account: the physical ids of each type of resource that a stack of ours creates and AWS can list."""

from collections.abc import Callable, Iterator
from typing import Any

type Clients = Callable[[str], Any]
"""A client of the account, for the name of a service."""


def existing(account: Clients) -> dict[str, set[str]]:
    """Physical ids, as CloudFormation has them, by type of resource."""
    return {kind: set(listed(account)) for kind, listed in _LISTED.items()}


def _pages(service: str, operation: str, key: str, field: str | None = None) -> Callable[[Clients], Iterator[str]]:
    def listed(account: Clients) -> Iterator[str]:
        client = account(service)
        answers = client.get_paginator(operation).paginate() if client.can_paginate(operation) else [getattr(client, operation)()]
        for answer in answers:
            for part in answer.get(key) or ():
                yield part[field] if field else part

    return listed


def _keys(account: Clients) -> Iterator[str]:
    client = account("kms")
    for page in client.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            if client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled":
                yield key["KeyId"]


def _layers(account: Clients) -> Iterator[str]:
    client = account("lambda")
    for layer in client.list_layers()["Layers"]:
        for version in client.list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]:
            yield version["LayerVersionArn"]


def _distributions(account: Clients) -> Iterator[str]:
    for distribution in account("cloudfront").list_distributions()["DistributionList"].get("Items", ()):
        yield distribution["Id"]


def _policies(account: Clients) -> Iterator[str]:
    for page in account("iam").get_paginator("list_policies").paginate(Scope="Local"):
        for policy in page["Policies"]:
            yield policy["Arn"]


_LISTED: dict[str, Callable[[Clients], Iterator[str]]] = {
    "AWS::ApiGatewayV2::Api": _pages("apigatewayv2", "get_apis", "Items", "ApiId"),
    "AWS::AppConfig::Application": _pages("appconfig", "list_applications", "Items", "Id"),
    "AWS::CloudFront::Distribution": _distributions,
    "AWS::CloudWatch::Alarm": _pages("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "AWS::DynamoDB::Table": _pages("dynamodb", "list_tables", "TableNames"),
    "AWS::Events::Rule": _pages("events", "list_rules", "Rules", "Name"),
    "AWS::IAM::ManagedPolicy": _policies,
    "AWS::IAM::Role": _pages("iam", "list_roles", "Roles", "RoleName"),
    "AWS::KMS::Key": _keys,
    "AWS::Lambda::EventSourceMapping": _pages("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "AWS::Lambda::Function": _pages("lambda", "list_functions", "Functions", "FunctionName"),
    "AWS::Lambda::LayerVersion": _layers,
    "AWS::Logs::LogGroup": _pages("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "AWS::S3::Bucket": _pages("s3", "list_buckets", "Buckets", "Name"),
    "AWS::Scheduler::Schedule": _pages("scheduler", "list_schedules", "Schedules", "Name"),
    "AWS::SecretsManager::Secret": _pages("secretsmanager", "list_secrets", "SecretList", "Name"),  # AWS has the ARN, the emulator the name
    "AWS::SNS::Topic": _pages("sns", "list_topics", "Topics", "TopicArn"),
    "AWS::SQS::Queue": _pages("sqs", "list_queues", "QueueUrls"),
    "AWS::StepFunctions::StateMachine": _pages("stepfunctions", "list_state_machines", "stateMachines", "stateMachineArn"),
}
