"""An AWS account in memory, with the stack's tables and bucket and the functions' environment."""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import ModuleType
from typing import Any
from weakref import WeakSet

import boto3
import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import HealthCheck, settings
from moto import mock_aws
from moto.core.config import default_user_config

from local.atomic_tables import atomic_tables
from retainstream.storage.stores import Stores
from tests import dynamodb_local
from tests.as_function import refused
from tests.dynamodb_local.chosen import split
from tests.strict.disturb import count_anew, whole_answers
from tests.strict.hook import read_strictly, violations
from tests.told import watch_loggers, watched

pytest_plugins = ["pytester"]

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_EC2_METADATA_DISABLED="true",
)
os.environ["PARENT_PID"] = str(os.getpid())  # a local stack that a test starts ends with this process
for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
    os.environ.pop(variable, None)

_KEYS = {
    "USERS_TABLE": ["email"],
    "CUSTOMERS_TABLE": ["customer_id"],
    "PREDICTIONS_TABLE": ["customer_id"],
    "MODELS_TABLE": ["pk", "sk"],
    "RUNS_TABLE": ["run_id"],
    "ROLLUPS_TABLE": ["pk", "sk"],
    "RATE_LIMITS_TABLE": ["key"],
    "REVOKED_TOKENS_TABLE": ["jti"],
    "REMOVED_CUSTOMERS_TABLE": ["mark"],
}
_INDEXES = {"PREDICTIONS_TABLE": {"by-probability": "probability_rank", "by-value": "value_rank"}}
os.environ.update({variable: f"test-{variable.removesuffix('_TABLE').lower().replace('_', '-')}" for variable in _KEYS})
_MACHINES = "arn:aws:states:eu-west-1:123456789012:stateMachine:test"
os.environ.update(
    STACK_NAME="test",
    BUCKET="test-bucket",
    SIGNING_KEY_ID="alias/test-signing",
    SEALING_SECRET_ARN="test-sealing",
    PAGES_SECRET_ARN="test-pages",
    TOKEN_ISSUER="https://test.example",
    RETRAINING_STATE_MACHINE_ARN=f"{_MACHINES}-retraining",
    SCORING_STATE_MACHINE_ARN=f"{_MACHINES}-scoring",
    IMPORT_STATE_MACHINE_ARN=f"{_MACHINES}-import",
    RECOUNT_STATE_MACHINE_ARN=f"{_MACHINES}-recount",
    EXPORT_STATE_MACHINE_ARN=f"{_MACHINES}-export",
    PREPARE_STATE_MACHINE_ARN=f"{_MACHINES}-prepare",
    DEAD_LETTERS_URL="https://sqs.eu-west-1.amazonaws.com/123456789012/test-DeadLetters",
    RECOUNT_SETTLE_SECONDS="1",
    SELF_REGISTRATION="open",
    ALLOWED_ORIGINS="http://localhost:5000",
    MODEL_CACHE_SECONDS="0",
)


default_user_config["core"]["reset_boto3_session"] = False
"""One session of boto3 for the whole process: with a new one, every test would read the descriptions of the services again."""
_client: Any = cache(boto3.client)

settings.register_profile(
    "any-machine", settings.get_profile(settings.get_current_profile_name()), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")
"""No example fails for its time. In continuous integration hypothesis takes the same examples each time."""

if dynamodb_local.FOLDER:
    dynamodb_local.start()
read_strictly()
watch_loggers()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what DynamoDB Local cannot run, where it stands in for moto's tables."""
    if dynamodb_local.FOLDER:
        items[:], not_here = split(items)
        config.hook.pytest_deselected(items=not_here)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """What a test leaves to its fixtures has an end, too: pytest stops its watch when a test fails."""
    if seconds := float(item.config.getini("faulthandler_timeout") or 0):
        faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[fault_handler_stderr_fd_key])
    return (yield)


@pytest.fixture(autouse=True)
def requests_are_what_aws_takes() -> Iterator[None]:
    """A request that AWS would refuse and moto does not fails the test."""
    violations.clear()
    count_anew()
    yield
    assert violations == []


@pytest.fixture
def tidy_answers() -> Iterator[None]:
    """Answers are whole, for a test that counts requests or leaves things undone itself."""
    with whole_answers():
        yield


@pytest.fixture
def as_moto_does() -> Iterator[None]:
    """Nothing is refused or cut short that moto takes, for tests of what stands in for a part of it."""
    with whole_answers():
        yield
    violations.clear()


@pytest.fixture(autouse=True)
def functions_keep_to_their_roles() -> Iterator[None]:
    """A call that a role does not allow fails the test, even where the function makes an answer of the refusal."""
    refused.clear()
    yield
    assert refused == []


@pytest.fixture(autouse=True)
def functions_tell_nothing_of_people() -> Iterator[None]:
    """A log line with a secret or something about a person in it fails the test."""
    with watched() as told:
        yield
        assert told() == []


@pytest.fixture
def aws() -> Iterator[None]:
    """The stack's tables, bucket, signing key and secrets, empty; tables as safe for threads as DynamoDB's."""
    with account():
        yield


loaded_functions: WeakSet[ModuleType] = WeakSet()
"""Every instance of a function that a test loaded."""


def forget_other_accounts() -> None:
    """Functions forget what they keep from one invocation to the next: public keys and records of another account."""
    for module in loaded_functions:
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()
            if isinstance(kept, Stores):
                kept.reopen()


@contextmanager
def account() -> Iterator[None]:
    """What `aws` gives, for as long as the context lasts. Functions that are loaded already start cold in it."""
    forget_other_accounts()
    with mock_aws(), atomic_tables():
        dynamodb = _client("dynamodb")
        make_table = partial(dynamodb_local.make_table, dynamodb) if dynamodb_local.FOLDER else dynamodb.create_table
        for variable, key in _KEYS.items():
            indexes = _INDEXES.get(variable, {})
            attributes = {*key, *indexes.values(), *(["risk_shard"] if indexes else [])}
            options: Any = {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": name,
                        "KeySchema": [{"AttributeName": "risk_shard", "KeyType": "HASH"}, {"AttributeName": rank, "KeyType": "RANGE"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                    for name, rank in indexes.items()
                ]
            }
            key_schema: Any = [{"AttributeName": name, "KeyType": kind} for name, kind in zip(key, ("HASH", "RANGE"), strict=False)]
            make_table(
                TableName=os.environ[variable],
                BillingMode="PAY_PER_REQUEST",
                KeySchema=key_schema,
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
                **(options if indexes else {}),
            )
        _client("s3").create_bucket(Bucket=os.environ["BUCKET"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        _client("sqs").create_queue(QueueName=os.environ["DEAD_LETTERS_URL"].rsplit("/", 1)[1])
        kms = _client("kms")
        key_id = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=os.environ["SIGNING_KEY_ID"], TargetKeyId=key_id)
        for variable in ("SEALING_SECRET_ARN", "PAGES_SECRET_ARN"):
            _client("secretsmanager").create_secret(Name=os.environ[variable], SecretString=f"the secret {os.environ[variable]}")
        yield
