"""Events that cannot be delivered go to a queue."""

from collections.abc import Iterator
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, names, of_type, statements

_LONGEST_RETENTION = 1209600  # seconds: 14 days


class DeadLetters(CloudFormationLintRule):
    """An asynchronous caller that names no queue loses the events that fail."""

    id = "E9020"
    shortdesc = "Asynchronous triggers have a dead letter queue"
    description = "Streams, schedules, rules, subscriptions and asynchronously called functions name a queue of the template for failures"

    def match(self, cfn: Template) -> list[RuleMatch]:
        queues = of_type(cfn, "AWS::SQS::Queue").keys()
        matches = [
            RuleMatch(["Resources", name, "Properties"], f"{name}{part} names no queue of the template for failures")
            for name, part, target in _deliveries(cfn)
            if not names(target) & queues
        ]
        configured = {
            function
            for config in of_type(cfn, "AWS::Lambda::EventInvokeConfig").values()
            if names(config.get("DestinationConfig", {}).get("OnFailure")) & queues
            for function in names(config["FunctionName"])
        }
        for function in sorted(_called_asynchronously(cfn)):
            if function not in configured:
                matches.append(RuleMatch(["Resources", function], f"{function} is called asynchronously and names no queue for failures"))
            elif not _may_send(cfn, function):
                matches.append(RuleMatch(["Resources", function], f"the role of {function} may not send to its queue for failures"))
        return matches


class DeadLetterQueues(CloudFormationLintRule):
    """People read the dead letters, and people have holidays."""

    id = "E9021"
    shortdesc = "Queues keep messages as long as possible"
    description = "Every queue keeps its messages for 14 days"

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(["Resources", name, "Properties"], f"{name} keeps messages less than 14 days")
            for name, queue in of_type(cfn, "AWS::SQS::Queue").items()
            if queue.get("MessageRetentionPeriod") != _LONGEST_RETENTION
        ]


def _deliveries(cfn: Template) -> Iterator[tuple[str, str, Any]]:
    """Every delivery of events: the resource, which of its targets, and the value that names its queue for failures."""
    for name, mapping in of_type(cfn, "AWS::Lambda::EventSourceMapping").items():
        yield name, "", mapping.get("DestinationConfig", {}).get("OnFailure")
    for name, schedule in of_type(cfn, "AWS::Scheduler::Schedule").items():
        yield name, "", schedule["Target"].get("DeadLetterConfig")
    for name, rule in of_type(cfn, "AWS::Events::Rule").items():
        for target in rule.get("Targets", []):
            yield name, f" (target {target['Id']})", target.get("DeadLetterConfig")
    for name, subscription in of_type(cfn, "AWS::SNS::Subscription").items():
        if not str(subscription.get("Protocol", "")).startswith("email"):
            yield name, "", subscription.get("RedrivePolicy")


def _called_asynchronously(cfn: Template) -> set[str]:
    """Functions that schedules, rules, subscriptions and buckets call."""
    callers: list[Any] = [schedule["Target"]["Arn"] for schedule in of_type(cfn, "AWS::Scheduler::Schedule").values()]
    callers += [target["Arn"] for rule in of_type(cfn, "AWS::Events::Rule").values() for target in rule.get("Targets", [])]
    callers += [subscription.get("Endpoint") for subscription in of_type(cfn, "AWS::SNS::Subscription").values()]
    callers += [
        bucket.get("NotificationConfiguration", {}).get("LambdaConfigurations") for bucket in of_type(cfn, "AWS::S3::Bucket").values()
    ]
    of_alias = {name: names(alias["FunctionName"]) for name, alias in of_type(cfn, "AWS::Lambda::Alias").items()}
    return {function for name in names(callers) for function in of_alias.get(name, {name})} & of_type(cfn, "AWS::Lambda::Function").keys()


def _may_send(cfn: Template, function: str) -> bool:
    role = names(of_type(cfn, "AWS::Lambda::Function")[function].get("Role"))
    return any(
        name in role and statement["Effect"] == "Allow" and "sqs:SendMessage" in listed(statement["Action"])
        for name, _, statement in statements(cfn, trust=False)
    )
