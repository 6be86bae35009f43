"""Tables, buckets, queues, topics and keys."""

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from tools.template_rules.reading import listed, names, of_type, statements

_PRIVATE = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class Tables(CloudFormationLintRule):
    """A table with point-in-time recovery can go back to any second of the last 35 days."""

    id = "E9050"
    shortdesc = "Tables are encrypted and can be restored"
    description = (
        "Every table is encrypted by a KMS key, can be restored to a point in time, and states DeletionPolicy and UpdateReplacePolicy"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, table in of_type(cfn, "AWS::DynamoDB::Table").items():
            resource = cfn.template["Resources"][name]
            faults = {
                "is not encrypted by a KMS key": table.get("SSESpecification", {}).get("SSEEnabled") is not True,
                "cannot be restored": table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True,
                "states no DeletionPolicy or UpdateReplacePolicy": not {"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys(),
            }
            matches += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return matches


class Buckets(CloudFormationLintRule):
    """Buckets are private and encrypted; old versions bring an overwritten file back, and unfinished uploads cost nothing."""

    id = "E9051"
    shortdesc = "Buckets are private, encrypted, versioned and tidy"
    description = "Buckets are encrypted, private and versioned, expire old versions and unfinished uploads, and refuse calls without TLS"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
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
                "is not closed to the public": not all(closed.get(setting) is True for setting in _PRIVATE),
                "accepts objects of other owners": [rule.get("ObjectOwnership") for rule in owners] != ["BucketOwnerEnforced"],
                "is not versioned": bucket.get("VersioningConfiguration", {}).get("Status") != "Enabled",
                "keeps old versions forever": not any("NoncurrentVersionExpiration" in rule for rule in rules),
                "keeps unfinished uploads forever": not any("AbortIncompleteMultipartUpload" in rule for rule in rules),
                "answers without TLS": not _refuses_without_tls(cfn, name, "s3:*", 2),
            }
            matches += [RuleMatch(["Resources", name, "Properties"], f"{name} {fault}") for fault, holds in faults.items() if holds]
        return matches


class QueuesAndTopics(CloudFormationLintRule):
    """Messages hold events of customers, and notifications hold faults."""

    id = "E9052"
    shortdesc = "Queues and topics are encrypted"
    description = "Every queue and topic is encrypted and refuses calls without TLS"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, queue in of_type(cfn, "AWS::SQS::Queue").items():
            if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} is not encrypted"))
            if not _refuses_without_tls(cfn, name, "sqs:SendMessage", 1):
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} answers without TLS"))
        for name, topic in of_type(cfn, "AWS::SNS::Topic").items():
            if "KmsMasterKeyId" not in topic:
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} is not encrypted"))
            elif not names(topic["KmsMasterKeyId"]) & of_type(cfn, "AWS::KMS::Key").keys():
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} is encrypted by a key that alarms cannot use"))
            if not _refuses_without_tls(cfn, name, "sns:Publish", 1):
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} answers without TLS"))
        return matches


class Keys(CloudFormationLintRule):
    """KMS rotates an encryption key every year, and deletes no key before its waiting time is over."""

    id = "E9053"
    shortdesc = "Keys rotate and wait before deletion"
    description = "Every encryption key rotates, and every key states its waiting time before deletion"

    def match(self, cfn: Template) -> list[RuleMatch]:
        matches = []
        for name, key in of_type(cfn, "AWS::KMS::Key").items():
            if key.get("KeyUsage", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT" and key.get("EnableKeyRotation") is not True:
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} encrypts and does not rotate"))
            if "PendingWindowInDays" not in key:
                matches.append(RuleMatch(["Resources", name, "Properties"], f"{name} states no PendingWindowInDays"))
        return matches


def _refuses_without_tls(cfn: Template, name: str, action: str, resources: int) -> bool:
    """Whether a policy denies the action to any caller without TLS, on all ARNs of the resource; `resources` is their number."""
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and action in listed(statement["Action"])
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and len([resource for resource in listed(statement["Resource"]) if name in names(resource)]) == resources
        for _, _, statement in statements(cfn, trust=False)
    )
