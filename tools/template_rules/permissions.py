"""What policies allow, and whom."""

import re
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, names, of_type, statements, text

# Where "*" may stand for every resource, and why.
ANY_RESOURCE: Final = {
    "TracingPolicy": "X-Ray's traces have no resource to name",
    "StateMachinePolicy": "neither have X-Ray's traces nor the delivery of logs",
    "DeploymentRole": "a look at alarms is allowed for all of them or not at all",
    "SigningKey": "in a key's own policy it is this key",
    "NotificationKey": "in a key's own policy it is this key",
}
# Services whose calls cannot carry the account they are made for.
_WITHOUT_SOURCE: Final = {"lambda.amazonaws.com", "states.amazonaws.com"}
_SOURCES: Final = {"aws:SourceAccount", "aws:SourceArn", "kms:CallerAccount"}


class Wildcards(CloudFormationLintRule):
    """What is allowed is named: each action, and resources at least by the name of the stack or of one of its resources."""

    id = "E9030"
    shortdesc = "Nothing is allowed by wildcard"
    description = "No action is allowed by wildcard, no resource beyond a listed few, and no role holds a policy of AWS"

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, path, statement in statements(cfn):
            if statement["Effect"] != "Allow":
                continue
            found += [
                RuleMatch(path, f"{name} allows all but some by {key}")
                for key in ("NotAction", "NotResource", "NotPrincipal")
                if key in statement
            ]
            found += [
                RuleMatch(path, f"{name} allows {action}, by wildcard")
                for action in map(text, listed(statement.get("Action", [])))
                if "*" in action
            ]
            found += [
                RuleMatch(path, f"{name} allows {', '.join(map(text, listed(statement.get('Action', []))))} on {resource}")
                for resource in map(text, listed(statement.get("Resource", [])))
                if _is_any(resource) and not (resource == "*" and name in ANY_RESOURCE)
            ]
        ours = of_type(cfn, "AWS::IAM::ManagedPolicy").keys()
        for name, role in of_type(cfn, "AWS::IAM::Role").items():
            foreign = [policy for policy in role.get("ManagedPolicyArns", []) if not names(policy) & ours]
            found += [
                RuleMatch(["Resources", name, "Properties"], f"{name} holds {text(policy)}, which is not the template's")
                for policy in foreign
            ]
        return found


class Strangers(CloudFormationLintRule):
    """A service that acts for many accounts is let in for this one alone, and nobody else's account is."""

    id = "E9031"
    shortdesc = "Policies let in this account alone"
    description = "Whoever a policy lets in, everybody or a service, is bound to this account; no other account is named"

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, path, statement in statements(cfn):
            if statement["Effect"] != "Allow" or "Principal" not in statement:
                continue
            bound = {key for condition in statement.get("Condition", {}).values() for key in condition} & _SOURCES
            for kind, principal in _principals(statement["Principal"]):
                if principal == "*" and not bound:
                    found.append(RuleMatch(path, f"{name} lets everybody in"))
                if kind == "Service" and principal not in _WITHOUT_SOURCE and not bound:
                    found.append(RuleMatch(path, f"{name} lets {principal} in, for whatever account"))
                if kind == "AWS" and principal != "*" and (re.search(r":\d{12}:", principal) or "${" not in principal):
                    found.append(RuleMatch(path, f"{name} lets {principal} in, which is another account"))
        return found


def _is_any(resource: str) -> bool:
    """Whether a pattern of resources begins with a wildcard, or names nothing but their kind before it."""
    if resource == "*":
        return True
    if "*" not in resource or not resource.startswith("arn:"):
        return False
    parts = re.sub(r"\$\{[^}]*\}", "$", resource).split("*")[0].split(":", 5)  # references have colons of their own
    named = parts[5] if len(parts) > 5 else ""
    return re.sub(r"^[a-z-]+[:/]", "", named) == ""


def _principals(given: Any) -> list[tuple[str, str]]:
    if not isinstance(given, dict) or names(given) == {"Ref"}:
        return [("", text(given))]
    return [(kind, text(one)) for kind, those in given.items() for one in listed(those)]
