"""Logs, limits and aliases of functions."""

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import names, of_type


class LogGroups(CloudFormationLintRule):
    """Lambda creates a missing log group itself, and keeps its logs forever."""

    id = "E9001"
    shortdesc = "Logs have a group with a retention"
    description = (
        "Functions log to a log group of their own, stages and state machines to a group of the template; every group states a retention"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        groups = of_type(cfn, "AWS::Logs::LogGroup")
        matches = [
            RuleMatch(["Resources", name], f"{name} states no RetentionInDays")
            for name, group in groups.items()
            if "RetentionInDays" not in group
        ]
        users: dict[str, str] = {}
        for name, function in of_type(cfn, "AWS::Lambda::Function").items():
            own = names(function.get("LoggingConfig", {}).get("LogGroup")) & groups.keys()
            if not own:
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} names no log group of the template"))
            for group in own:
                if group in users:
                    matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} shares {group} with {users[group]}"))
                users[group] = name
        for name, stage in of_type(cfn, "AWS::ApiGatewayV2::Stage").items():
            if not names(stage.get("AccessLogSettings")) & groups.keys():
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} has no access log in a log group of the template"))
        for name, machine in of_type(cfn, "AWS::StepFunctions::StateMachine").items():
            if not names(machine.get("LoggingConfiguration")) & groups.keys():
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} has no log in a log group of the template"))
        return matches


class TimeAndMemory(CloudFormationLintRule):
    """Lambda's defaults, 3 seconds and 128 MB, fit no function here."""

    id = "E9002"
    shortdesc = "Functions state time-out and memory"
    description = "Every function states Timeout and MemorySize as numbers"

    def match(self, cfn: Template) -> list[RuleMatch]:
        return [
            RuleMatch(["Resources", name, "Properties"], f"{name} states no {stated}")
            for name, function in of_type(cfn, "AWS::Lambda::Function").items()
            for stated in ("Timeout", "MemorySize")
            if not isinstance(function.get(stated), int)
        ]


class Aliases(CloudFormationLintRule):
    """An alarm can take back the code behind an alias; a caller past the alias keeps the faulty code."""

    id = "E9003"
    shortdesc = "Functions have an alias, and callers use it"
    description = "Every function has an alias that CodeDeploy moves under alarms, and every caller names the alias"

    _OF_THE_FUNCTION_ITSELF = frozenset(
        {"AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        functions = of_type(cfn, "AWS::Lambda::Function")
        aliased: set[str] = set()
        matches = []
        for name, alias in of_type(cfn, "AWS::Lambda::Alias").items():
            aliased |= names(alias["FunctionName"])
            shift = cfn.template["Resources"][name].get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate", {})
            groups = of_type(cfn, "AWS::CodeDeploy::DeploymentGroup")
            alarmed = [group for group in names(shift) & groups.keys() if "Alarms" in str(groups[group].get("AlarmConfiguration"))]
            if not alarmed:
                matches.append(RuleMatch(["Resources", name], f"{name} moves all at once, or in a deployment without alarms"))
        matches += [RuleMatch(["Resources", name], f"{name} has no alias") for name in sorted(functions.keys() - aliased)]
        for name, resource in cfn.template["Resources"].items():
            if resource["Type"] in self._OF_THE_FUNCTION_ITSELF:
                continue
            if resource["Type"] == "AWS::Lambda::EventInvokeConfig" and resource["Properties"].get("Qualifier") != "$LATEST":
                continue
            called = names(_without_aliased(resource.get("Properties", {}))) & functions.keys()
            matches += [
                RuleMatch(["Resources", name, "Properties"], f"{name} calls {function} past its alias") for function in sorted(called)
            ]
        return matches


def _without_aliased(value: object) -> object:
    """A value without the ARNs that name an alias in writing."""
    if isinstance(value, dict):
        sub = value.get("Fn::Sub")
        if isinstance(sub, str) and sub.endswith("}:live"):
            return ""
        return {key: _without_aliased(inner) for key, inner in value.items()}
    return [_without_aliased(inner) for inner in value] if isinstance(value, list) else value
