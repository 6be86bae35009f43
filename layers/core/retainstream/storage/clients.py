"""One client per AWS service and process."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from retainstream.storage.item_json import write_and_read_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

# A fixed user agent: botocore builds its own for every request, which takes a quarter of the client's time.
_CONFIG = Config(user_agent="retainstream", connect_timeout=2, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 4})
# Signed links name the region's own host in every region, us-east-1 too: the dashboard's content security policy allows no other.
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}))


@cache
def dynamodb() -> "DynamoDBClient":
    client = boto3.client("dynamodb", config=_CONFIG.merge(Config(parameter_validation=False)))
    write_and_read_items(client)
    return client


@cache
def s3() -> "S3Client":
    return boto3.client("s3", config=_S3_CONFIG)


@cache
def kms() -> "KMSClient":
    return boto3.client("kms", config=_CONFIG)


@cache
def secretsmanager() -> "SecretsManagerClient":
    return boto3.client("secretsmanager", config=_CONFIG)


@cache
def stepfunctions() -> "SFNClient":
    return boto3.client("stepfunctions", config=_CONFIG)


@cache
def sns() -> "SNSClient":
    return boto3.client("sns", config=_CONFIG)


@cache
def sqs() -> Any:
    return boto3.client("sqs", config=_CONFIG)


@cache
def glue() -> Any:
    return boto3.client("glue", config=_CONFIG)


def drop_connections() -> None:
    """Closes the connections of all clients. Each connects again with its next request."""
    for client in (dynamodb, s3, kms, secretsmanager, stepfunctions, sns, sqs, glue):
        if client.cache_info().currsize:
            client().close()
