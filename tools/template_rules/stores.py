"""What holds data, or carries it."""

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, names, of_type, statements

_PRIVATE = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class Tables(CloudFormationLintRule):
    """A row that was overwritten by mistake comes back from any second of the last 35 days."""

    id = "E9050"
    shortdesc = "Tables are encrypted and can be restored"
    description = (
        "Every table is encrypted by a KMS key, can be restored to a point in time, and says what becomes of it when the stack goes"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, table in of_type(cfn, "AWS::DynamoDB::Table").items():
            resource = cfn.template["Resources"][name]
            faults = {
                "is not encrypted by a KMS key": table.get("SSESpecification", {}).get("SSEEnabled") is not True,
                "cannot be restored": table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True,
                "does not say what becomes of it": not {"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys(),
            }
            found += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return found


class Buckets(CloudFormationLintRule):
    """Private, encrypted, reached by TLS alone; an overwritten file comes back, and nothing unfinished is kept and paid for."""

    id = "E9051"
    shortdesc = "Buckets are private, encrypted, versioned and tidied"
    description = (
        "Buckets are encrypted, closed to the public, versioned with an end for what is old or unfinished, and refuse calls without TLS"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, bucket in of_type(cfn, "AWS::S3::Bucket").items():
            rules = [
                rule
                for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
                if rule.get("Status") == "Enabled" and "Prefix" not in rule
            ]
            closed = bucket.get("PublicAccessBlockConfiguration", {})
            owners = bucket.get("OwnershipControls", {}).get("Rules", [])
            faults = {
                "is not encrypted": not bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"),
                "is not closed to the public": not all(closed.get(one) is True for one in _PRIVATE),
                "takes objects of other owners": [rule.get("ObjectOwnership") for rule in owners] != ["BucketOwnerEnforced"],
                "is not versioned": bucket.get("VersioningConfiguration", {}).get("Status") != "Enabled",
                "keeps old versions for ever": not any("NoncurrentVersionExpiration" in rule for rule in rules),
                "keeps unfinished uploads for ever": not any("AbortIncompleteMultipartUpload" in rule for rule in rules),
                "answers without TLS": not _refuses_without_tls(cfn, name, "s3:*", 2),
            }
            found += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return found


class QueuesAndTopics(CloudFormationLintRule):
    """Letters hold events of customers, notifications hold what went wrong."""

    id = "E9052"
    shortdesc = "Queues and topics are encrypted"
    description = "Every queue and topic is encrypted and refuses calls without TLS"

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, queue in of_type(cfn, "AWS::SQS::Queue").items():
            if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} is not encrypted"))
            if not _refuses_without_tls(cfn, name, "sqs:SendMessage", 1):
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} answers without TLS"))
        for name, topic in of_type(cfn, "AWS::SNS::Topic").items():
            if "KmsMasterKeyId" not in topic:
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} is not encrypted"))
            elif not names(topic["KmsMasterKeyId"]) & of_type(cfn, "AWS::KMS::Key").keys():
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} is encrypted by a key that alarms cannot use"))
            if not _refuses_without_tls(cfn, name, "sns:Publish", 1):
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} answers without TLS"))
        return found


class Keys(CloudFormationLintRule):
    """A key that encrypts is changed by KMS every year; none can be gone in less than a week."""

    id = "E9053"
    shortdesc = "Keys rotate and go slowly"
    description = "Every key that encrypts rotates, and every key waits before it is deleted"

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for name, key in of_type(cfn, "AWS::KMS::Key").items():
            if key.get("KeyUsage", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT" and key.get("EnableKeyRotation") is not True:
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} encrypts and does not rotate"))
            if "PendingWindowInDays" not in key:
                found.append(RuleMatch(["Resources", name, "Properties"], f"{name} does not say how long it waits before it goes"))
        return found


def _refuses_without_tls(cfn: Template, name: str, action: str, resources: int) -> bool:
    """Whether a policy denies the action to everybody without TLS, on all the resource's so many ARNs."""
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and action in listed(statement["Action"])
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and len([one for one in listed(statement["Resource"]) if name in names(one)]) == resources
        for _, _, statement in statements(cfn, trust=False)
    )
