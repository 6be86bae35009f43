"""parliament, which carries AWS's service authorization data, reads every policy. Run by `make audit`; needs no network."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.audit.policies import policies

ROOT = Path(__file__).parents[2]
_KEY = "a key's own policy says * for the key"
_WIDE = "the actions of a whole service, of which some fit other resources only"
# Findings that are right as they are, by the policy that holds them and parliament's word for them, each with the reason.
ACCEPTED = {
    ("NotificationKey 1", "RESOURCE_STAR"): _KEY,
    ("SigningKey 1", "RESOURCE_STAR"): _KEY,
    ("DeploymentRole 1", "RESOURCE_STAR"): "CodeDeploy asks for alarms by a call that takes no pattern of names",
    ("RollupsRole 1", "RESOURCE_MISMATCH"): "ListStreams on the table's streams, as SAM's own policy for streams has it",
    **{
        (f"{policy} 1", "RESOURCE_MISMATCH"): "executions of a standard machine; parliament knows express ones alone"
        for policy in (
            "CustomersRole",
            "DashboardRole",
            "DistributedScoringPolicy",
            "ModelRole",
            "PredictionsRole",
            "PrepareRole",
            "RetrainingRole",
        )
    },
    ("deploy-role Deployer 1", "INVALID_ARN"): "SAM's transform belongs to the account `aws`",
    ("deploy-role Builder 2", "INVALID_ARN"): "SAM's transform belongs to the account `aws`",
    ("deploy-role Builder 1", "MISMATCHED_TYPE_BUT_USABLE"): "an ARN is compared as a text, character by character",
    ("deploy-role Builder 2", "RESOURCE_MISMATCH"): _WIDE,
    ("deploy-role Builder 2", "RESOURCE_STAR"): _WIDE,
    ("deploy-role Boundary 1", "RESOURCE_MISMATCH"): _WIDE,
    ("deploy-role Boundary 1", "RESOURCE_STAR"): _WIDE,
}


def findings(documents: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """The details of parliament's findings, by policy and kind."""
    command = [ROOT / ".venv-audit/bin/python", ROOT / "tests/audit/parliament_findings.py"]
    answer = subprocess.run(command, input=json.dumps(documents), capture_output=True, text=True, check=True)
    by_kind: dict[tuple[str, str], list[str]] = {}
    for name, texts in json.loads(answer.stdout).items():
        for text in texts:
            kind, _, detail = text.partition(" ")
            by_kind.setdefault((name, kind), []).append(detail)
    return by_kind


def test_no_policy_has_a_fault_that_is_not_accepted() -> None:
    documents = policies()
    assert len(documents) > 35
    present = findings(documents)
    assert {key: details for key, details in present.items() if key not in ACCEPTED} == {}
    assert ACCEPTED.keys() <= present.keys(), "an accepted finding is gone"


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [
        ("UNKNOWN_ACTION", "dynamodb:GetItems", "arn:aws:dynamodb:eu-west-1:123456789012:table/test"),
        ("UNKNOWN_PREFIX", "dynamo:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/test"),
        ("RESOURCE_MISMATCH", "s3:GetObject", "arn:aws:s3:::test"),
        ("RESOURCE_MISMATCH", "sns:Unsubscribe", "arn:aws:sns:eu-west-1:123456789012:test"),
        ("RESOURCE_STAR", "dynamodb:GetItem", "*"),
    ],
)
def test_a_planted_fault_is_found(kind: str, action: str, resource: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert ("planted", kind) in findings({"planted": document})
