"""A secret of the stack in Secrets Manager, and the keys that are derived from it."""

import hmac
from functools import cached_property
from typing import TYPE_CHECKING

from retainstream.storage.clients import secretsmanager
from retainstream.storage.errors import storage_errors

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Secret:
    """A secret, read once per process, at its first use: a new value takes effect in new processes.

    Every method raises StorageUnavailable when Secrets Manager does not answer. `name` is the secret's ARN or name.
    """

    def __init__(self, name: str, client: "SecretsManagerClient | None" = None) -> None:
        self._name = name
        self._client = client

    @cached_property
    def text(self) -> str:
        """The secret itself."""
        with storage_errors():
            return (self._client or secretsmanager()).get_secret_value(SecretId=self._name)["SecretString"]

    def key(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose. It reveals neither the secret nor the key of another purpose.

        The key is HMAC-SHA-256 (RFC 2104) of the purpose under the secret.
        """
        return hmac.digest(self.text.encode(), purpose.encode(), "sha256")
