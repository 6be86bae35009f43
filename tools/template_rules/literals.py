"""No secret stands in the template: every reader of the repository or of the console would have it."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

# Public identifiers: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
PUBLIC: Final = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": "CloudFront's CachingOptimized",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "CloudFront's CachingDisabled",
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": "CloudFront's AllViewerExceptHostHeader",
}
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|api_?key|private_?key|credential|(access|auth|bearer|refresh|session)_?token", re.IGNORECASE
)
_KEY_LIKE = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_\w{20,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}"  # Slack
    r"|\bsk_(?:live|test)_[0-9A-Za-z]{16,}|\bsk-[0-9A-Za-z_-]{20,}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."  # JSON web tokens
    r"|[a-z+]+://[^/\s:@]+:[^/\s:@]+@"  # user and password in an address
)
_TOKEN = re.compile(r"[0-9A-Za-z+/=_-]{20,}")
_HEX = re.compile(r"[0-9a-f]{20,}|[0-9A-F]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FEWEST_BITS = 4.0  # bits per character; random letters and digits of this length have more, words and paths fewer
_REFERRING = {"Ref", "Fn::GetAtt", "Condition", "DependsOn"}


class LiteralSecrets(CloudFormationLintRule):
    """Checks every text of the template: its name, the patterns of known keys, and its randomness."""

    id = "E9040"
    shortdesc = "No literal secret"
    description = "No property named like a secret has a literal value, no such parameter a default, and no text looks like a key"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, parameter in cfn.template.get("Parameters", {}).items():
            if _SECRET_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)) and parameter.get("Type") in ("String", "CommaDelimitedList"):
                if parameter.get("Default"):
                    matches.append(RuleMatch(["Parameters", name], f"the parameter {name} is a secret with a default"))
                if parameter.get("NoEcho") not in (True, "true"):
                    matches.append(RuleMatch(["Parameters", name], f"the parameter {name} is a secret without NoEcho"))
        for path, value in _texts(cfn.template, []):
            property_name = next((key for key in reversed(path) if isinstance(key, str) and not key.startswith("Fn::")), "")
            if (
                "Resources" in path[:1]
                and _SECRET_NAME.search(property_name)
                and not value.startswith(("{{resolve:", "${"))
                and _is_value(value)
            ):
                matches.append(RuleMatch(path, f"{property_name} has a literal value"))
            elif looks_like_a_key(value):
                matches.append(RuleMatch(path, "a text looks like a key"))
        return matches


def looks_like_a_key(value: str) -> bool:
    """Whether a text matches the pattern of a known kind of key, or holds a run of letters and digits as random as a key."""
    if _KEY_LIKE.search(value):
        return True
    for public in PUBLIC:
        value = value.replace(public, "")
    return any(_HEX.fullmatch(run) is not None or _is_random(run) for run in _TOKEN.findall(re.sub(r"\$\{[^}]*\}", " ", value)))


def _is_random(run: str) -> bool:
    kinds = (re.search("[a-z]", run), re.search("[A-Z]", run), re.search("[0-9]", run))
    if not all(kinds):
        return False
    counts = Counter(run)
    return -sum(count / len(run) * math.log2(count / len(run)) for count in counts.values()) >= _FEWEST_BITS


def _is_value(value: str) -> bool:
    """Whether a text can be a secret; switches and numbers cannot."""
    return len(value) >= 4 and value.lower() not in {"true", "false", "none", "enabled", "disabled"} and not value.isdigit()


def _texts(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Fn::If":  # the first part names a condition
                for index, part in enumerate(inner[1:], 1):
                    yield from _texts(part, [*path, key, index])
            elif key not in _REFERRING:
                yield from _texts(inner, [*path, key])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, [*path, index])
    elif isinstance(value, str):
        yield path, value
