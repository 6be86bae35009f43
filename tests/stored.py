"""What is stored, read as a whole: for tests to look at, past the short answers that functions must be ready for."""

from typing import Any

import boto3

from tests.strict.disturb import whole_answers


def stored_items(table: str) -> list[dict[str, Any]]:
    """Every item of a table, in DynamoDB's own form."""
    with whole_answers():
        return list(boto3.client("dynamodb").scan(TableName=table)["Items"])


def stored_keys(bucket: str, prefix: str = "") -> list[str]:
    """The keys of the objects below a prefix, in order."""
    with whole_answers():
        return [found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
