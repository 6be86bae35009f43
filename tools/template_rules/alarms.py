"""Who tells when something goes wrong."""

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, of_type, watched

_MOST_METRICS = 10  # of one alarm; CloudWatch refuses more


class FunctionAlarms(CloudFormationLintRule):
    """A failing function is told by its own name, not within a sum of all."""

    id = "E9010"
    shortdesc = "Alarms watch every function"
    description = "An alarm of its own watches every function's errors, another its throttles"

    def match(self, cfn: Template) -> list[RuleMatch]:
        functions = of_type(cfn, "AWS::Lambda::Function")
        seen = {
            (metric, next(iter(of)))
            for _, namespace, metric, statistic, of in watched(cfn)
            if namespace == "AWS/Lambda" and statistic == "Sum" and len(of) == 1
        }
        return [
            RuleMatch(["Resources", name], f"no alarm watches the {metric} of {name}")
            for name in functions
            for metric in ("Errors", "Throttles")
            if (metric, name) not in seen
        ]


class ApiAlarms(CloudFormationLintRule):
    """What people meet: answers that fail, and answers that are slow for one in a hundred."""

    id = "E9011"
    shortdesc = "Alarms watch the API"
    description = "Alarms watch the 5xx answers and the 99th percentile of the latency of every HTTP API"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {
            (metric, statistic, name)
            for _, namespace, metric, statistic, of in watched(cfn)
            if namespace == "AWS/ApiGateway"
            for name in of
        }
        return [
            RuleMatch(["Resources", name], f"no alarm watches {statistic} of {metric} of {name}")
            for name in of_type(cfn, "AWS::ApiGatewayV2::Api")
            for metric, statistic in (("5xx", "Sum"), ("Latency", "p99"))
            if (metric, statistic, name) not in seen
        ]


class StateMachineAlarms(CloudFormationLintRule):
    """A run may end badly in three ways, and each is another metric."""

    id = "E9012"
    shortdesc = "Alarms watch every state machine"
    description = "Alarms watch executions that fail, run out of time or are stopped, and steps held back, of every state machine"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {(metric, name) for _, namespace, metric, _, of in watched(cfn) if namespace == "AWS/States" for name in of}
        return [
            RuleMatch(["Resources", name], f"no alarm watches the {metric} of {name}")
            for name in of_type(cfn, "AWS::StepFunctions::StateMachine")
            for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
            if (metric, name) not in seen
        ]


class StreamAlarms(CloudFormationLintRule):
    """What waits in a stream is gone after a day."""

    id = "E9013"
    shortdesc = "Alarms watch streams and dead letters"
    description = "Alarms watch how far the readers of streams are behind, and every queue that takes what failed"

    def match(self, cfn: Template) -> list[RuleMatch]:
        seen = {(metric, name) for _, _, metric, _, of in watched(cfn) for name in of}
        aliases = {name: next(iter(alias["FunctionName"].values())) for name, alias in of_type(cfn, "AWS::Lambda::Alias").items()}
        readers = {
            aliases.get(mapping["FunctionName"].get("Ref", ""), mapping["FunctionName"].get("Ref", ""))
            for mapping in of_type(cfn, "AWS::Lambda::EventSourceMapping").values()
        }
        asked = [("IteratorAge", name) for name in sorted(readers)]
        asked += [("ApproximateNumberOfMessagesVisible", name) for name in of_type(cfn, "AWS::SQS::Queue")]
        return [
            RuleMatch(["Resources", name], f"no alarm watches the {metric} of {name}")
            for metric, name in asked
            if (metric, name) not in seen
        ]


class AlarmsThatWork(CloudFormationLintRule):
    """An alarm that nobody hears, or that CloudWatch refuses to make, is none."""

    id = "E9014"
    shortdesc = "Alarms can be made and are heard"
    description = "Alarms tell a topic, say what they mean and what no data means, and watch no more metrics than CloudWatch takes"

    def match(self, cfn: Template) -> list[RuleMatch]:
        topics = of_type(cfn, "AWS::SNS::Topic")
        found = []
        for name, alarm in of_type(cfn, "AWS::CloudWatch::Alarm").items():
            told = [action.get("Ref") for action in listed(alarm.get("AlarmActions", [])) if isinstance(action, dict)]
            watching = sum("MetricStat" in query for query in alarm.get("Metrics", []))
            faults = {
                "tells no topic of the template": not topics.keys() & set(told),
                "has no AlarmDescription": not alarm.get("AlarmDescription"),
                "does not say how it takes missing data": "TreatMissingData" not in alarm,
                f"watches {watching} metrics, and CloudWatch takes {_MOST_METRICS}": watching > _MOST_METRICS,
            }
            found += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return found
