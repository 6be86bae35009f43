"""Alarms: which resources need one, and which alarms work."""

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, of_type, watched

_MOST_METRICS = 10  # CloudWatch's limit for one alarm


class FunctionAlarms(CloudFormationLintRule):
    """The alarm must name the failing function; a sum over all functions does not."""

    id = "E9010"
    shortdesc = "Every function has alarms"
    description = "Every function has one alarm on its errors and one on its throttles"

    def match(self, cfn: Template) -> list[RuleMatch]:
        functions = of_type(cfn, "AWS::Lambda::Function")
        seen = {
            (metric, next(iter(targets)))
            for _, namespace, metric, statistic, targets in watched(cfn)
            if namespace == "AWS/Lambda" and statistic == "Sum" and len(targets) == 1
        }
        return [
            RuleMatch(["Resources", name], f"{name} has no alarm on {metric}")
            for name in functions
            for metric in ("Errors", "Throttles")
            if (metric, name) not in seen
        ]


class ApiAlarms(CloudFormationLintRule):
    """Failed answers and slow answers are what users notice."""

    id = "E9011"
    shortdesc = "Every API has alarms"
    description = "Every HTTP API has an alarm on its 5xx answers and one on the 99th percentile of its latency"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {
            (metric, statistic, name)
            for _, namespace, metric, statistic, targets in watched(cfn)
            if namespace == "AWS/ApiGateway"
            for name in targets
        }
        return [
            RuleMatch(["Resources", name], f"{name} has no alarm on {statistic} of {metric}")
            for name in of_type(cfn, "AWS::ApiGatewayV2::Api")
            for metric, statistic in (("5xx", "Sum"), ("Latency", "p99"))
            if (metric, statistic, name) not in seen
        ]


class StateMachineAlarms(CloudFormationLintRule):
    """A run can end badly in three ways, each with a metric of its own."""

    id = "E9012"
    shortdesc = "Every state machine has alarms"
    description = "Every state machine has alarms on failed, timed-out and aborted executions and on throttled steps"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {(metric, name) for _, namespace, metric, _, targets in watched(cfn) if namespace == "AWS/States" for name in targets}
        return [
            RuleMatch(["Resources", name], f"{name} has no alarm on {metric}")
            for name in of_type(cfn, "AWS::StepFunctions::StateMachine")
            for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
            if (metric, name) not in seen
        ]


class StreamAlarms(CloudFormationLintRule):
    """A stream drops a record after a day."""

    id = "E9013"
    shortdesc = "Streams and queues have alarms"
    description = "Every reader of a stream has an alarm on its delay, and every queue one on its messages"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {(metric, name) for _, _, metric, _, targets in watched(cfn) for name in targets}
        aliases = {name: next(iter(alias["FunctionName"].values())) for name, alias in of_type(cfn, "AWS::Lambda::Alias").items()}
        readers = {
            aliases.get(mapping["FunctionName"].get("Ref", ""), mapping["FunctionName"].get("Ref", ""))
            for mapping in of_type(cfn, "AWS::Lambda::EventSourceMapping").values()
        }
        needed = [("IteratorAge", name) for name in sorted(readers)]
        needed += [("ApproximateNumberOfMessagesVisible", name) for name in of_type(cfn, "AWS::SQS::Queue")]
        return [RuleMatch(["Resources", name], f"{name} has no alarm on {metric}") for metric, name in needed if (metric, name) not in seen]


class AlarmsThatWork(CloudFormationLintRule):
    """An alarm without a notification, or one that CloudWatch refuses, does not help."""

    id = "E9014"
    shortdesc = "Alarms are valid and notify a topic"
    description = "Alarms notify a topic of the template, have a description, state TreatMissingData, and have at most ten metrics"

    def match(self, cfn: Template) -> list[RuleMatch]:
        topics = of_type(cfn, "AWS::SNS::Topic")
        matches = []
        for name, alarm in of_type(cfn, "AWS::CloudWatch::Alarm").items():
            actions = [action.get("Ref") for action in listed(alarm.get("AlarmActions", [])) if isinstance(action, dict)]
            metrics = sum("MetricStat" in query for query in alarm.get("Metrics", []))
            faults = {
                "notifies no topic of the template": not topics.keys() & set(actions),
                "has no AlarmDescription": not alarm.get("AlarmDescription"),
                "states no TreatMissingData": "TreatMissingData" not in alarm,
                f"has {metrics} metrics; CloudWatch allows {_MOST_METRICS}": metrics > _MOST_METRICS,
            }
            matches += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return matches
