"""The key that signs tokens. It never leaves KMS; its public half is read every five minutes at most."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retainstream.settings import settings
from retainstream.storage.clients import kms
from retainstream.storage.errors import storage_errors

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PUBLIC_KEY_SECONDS = 300


@dataclass(frozen=True)
class PublicKey:
    """The public half (DER, SubjectPublicKeyInfo) of the key that `key_arn` names."""

    key_arn: str
    der: bytes
    read_at: float


class SigningKey:
    """Every method raises StorageUnavailable when KMS does not answer."""

    def __init__(self, key_id: str = "", client: "KMSClient | None" = None) -> None:
        self._key_id = key_id or settings().signing_key_id
        self._client = client or kms()
        self._public: PublicKey | None = None

    def public_key(self) -> PublicKey:
        """The public half, at most five minutes old."""
        if self._public is None or time.monotonic() - self._public.read_at > PUBLIC_KEY_SECONDS:
            with storage_errors():
                answer = self._client.get_public_key(KeyId=self._key_id)
            self._public = PublicKey(answer["KeyId"], answer["PublicKey"], time.monotonic())
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The DER signature (ECDSA, SHA-256) of a message of at most 4,096 bytes, by the key whose public half `public_key` answers."""
        with storage_errors():
            answer = self._client.sign(
                KeyId=self.public_key().key_arn, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
            )
        return answer["Signature"]
