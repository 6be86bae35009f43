"""Keep the local stack away from real AWS: made-up credentials, no profiles, no metadata service."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

REGION = "us-east-1"
ACCOUNT = "123456789012"

_MADE_UP = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_REMOVED_PREFIXES = (
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE",
    "AWS_WEB_IDENTITY",
    "AWS_CONTAINER",
)


def isolate_from_aws() -> None:
    """Set the credentials and the region of this process, before boto3 makes its first session. The secret key is a new one each time."""
    for name in [name for name in os.environ if name.startswith(_REMOVED_PREFIXES)]:
        del os.environ[name]
    os.environ.update(_MADE_UP, AWS_SECRET_ACCESS_KEY=secrets.token_urlsafe(32))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The process environment with `variables` set while the context lasts."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
