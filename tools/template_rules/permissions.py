"""Permissions of policies, and their principals."""

import re
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, names, of_type, statements, text

# Policies whose resource may be "*", with the reason.
ANY_RESOURCE: Final = {
    "TracingPolicy": "X-Ray traces have no resource to name",
    "StateMachinePolicy": "X-Ray traces and log delivery have no resource to name",
    "DeploymentRole": "cloudwatch:DescribeAlarms cannot be limited to some alarms",
    "SigningKey": "in a key's own policy it means this key",
    "NotificationKey": "in a key's own policy it means this key",
}
# Services whose calls do not carry the account.
_WITHOUT_SOURCE: Final = {"lambda.amazonaws.com", "states.amazonaws.com"}
_SOURCES: Final = {"aws:SourceAccount", "aws:SourceArn", "kms:CallerAccount"}


class Wildcards(CloudFormationLintRule):
    """Policies name every action, and resources at least by the name of the stack or of one of its resources."""

    id = "E9030"
    shortdesc = "No permission by wildcard"
    description = "No policy allows an action by wildcard, few listed ones any resource, and no role has a managed policy of AWS"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, path, statement in statements(cfn):
            if statement["Effect"] != "Allow":
                continue
            matches += [
                RuleMatch(path, f"{name} allows everything except some, by {key}")
                for key in ("NotAction", "NotResource", "NotPrincipal")
                if key in statement
            ]
            matches += [
                RuleMatch(path, f"{name} allows {action} by wildcard")
                for action in map(text, listed(statement.get("Action", [])))
                if "*" in action
            ]
            matches += [
                RuleMatch(path, f"{name} allows {', '.join(map(text, listed(statement.get('Action', []))))} on {resource}")
                for resource in map(text, listed(statement.get("Resource", [])))
                if _is_any(resource) and not (resource == "*" and name in ANY_RESOURCE)
            ]
        ours = of_type(cfn, "AWS::IAM::ManagedPolicy").keys()
        for name, role in of_type(cfn, "AWS::IAM::Role").items():
            foreign = [policy for policy in role.get("ManagedPolicyArns", []) if not names(policy) & ours]
            matches += [
                RuleMatch(["Resources", name, "Properties"], f"{name} has {text(policy)}, which is not a policy of the template")
                for policy in foreign
            ]
        return matches


class Principals(CloudFormationLintRule):
    """A service that works for many accounts may act only for this one, and no other account has access."""

    id = "E9031"
    shortdesc = "Only this account has access"
    description = "Policies limit a service, or any principal, to this account, and name no other account"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, path, statement in statements(cfn):
            if statement["Effect"] != "Allow" or "Principal" not in statement:
                continue
            bound = {key for condition in statement.get("Condition", {}).values() for key in condition} & _SOURCES
            for kind, principal in _principals(statement["Principal"]):
                if principal == "*" and not bound:
                    matches.append(RuleMatch(path, f"{name} allows any principal"))
                if kind == "Service" and principal not in _WITHOUT_SOURCE and not bound:
                    matches.append(RuleMatch(path, f"{name} allows {principal} for any account"))
                if kind == "AWS" and principal != "*" and (re.search(r":\d{12}:", principal) or "${" not in principal):
                    matches.append(RuleMatch(path, f"{name} allows {principal}, which is another account"))
        return matches


def _is_any(resource: str) -> bool:
    """Whether a pattern of resources begins with a wildcard, or has only the kind of resource before it."""
    if resource == "*":
        return True
    if "*" not in resource or not resource.startswith("arn:"):
        return False
    parts = re.sub(r"\$\{[^}]*\}", "$", resource).split("*")[0].split(":", 5)  # references have colons of their own
    resource_name = parts[5] if len(parts) > 5 else ""
    return re.sub(r"^[a-z-]+[:/]", "", resource_name) == ""


def _principals(principal: Any) -> list[tuple[str, str]]:
    if not isinstance(principal, dict) or names(principal) == {"Ref"}:
        return [("", text(principal))]
    return [(kind, text(value)) for kind, values in principal.items() for value in listed(values)]
