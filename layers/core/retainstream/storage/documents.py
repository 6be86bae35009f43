"""The bucket: whole documents in and out, each with its checksum, and links a browser may follow."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retainstream.settings import settings
from retainstream.storage.clients import s3
from retainstream.storage.errors import NotStored, StorageUnavailable, TooLarge, storage_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Stored:
    """Where a document went, and the SHA-256 of its bytes in hexadecimal."""

    key: str
    sha256: str


@dataclass(frozen=True)
class Documents:
    """The stack's bucket. Every method raises StorageUnavailable when S3 does not answer."""

    bucket: str = field(default_factory=lambda: settings().bucket)
    client: "S3Client" = field(default_factory=s3)

    def get_bytes(self, key: str, *, at_most: int | None = None) -> bytes:
        """The whole document, of at most so many bytes.

        Raises:
            NotStored: there is no document of that key.
            TooLarge: it is larger; nothing of it was read.
        """
        with storage_errors():
            found = self.client.get_object(Bucket=self.bucket, Key=key)
            if at_most is not None and found["ContentLength"] > at_most:
                raise TooLarge(key)
            return found["Body"].read()

    def put_bytes(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> Stored:
        """Writes the whole document, over one that is there."""
        with storage_errors():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type)
        return Stored(key, hashlib.sha256(content).hexdigest())

    def exists(self, key: str) -> bool:
        """Whether there is a document of that key."""
        with storage_errors():
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return any(found["Key"] == key for found in answer.get("Contents", []))

    def tags(self, prefix: str) -> dict[str, str]:
        """The documents below a prefix: key → a tag that changes with the content."""
        tags: dict[str, str] = {}
        with storage_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                tags |= {found["Key"]: found["ETag"] for found in page.get("Contents", [])}
        return tags

    def withdraw(self, prefix: str) -> int:
        """Removes everything below a prefix, every version of it, and gives up uploads in parts that are under way. Returns how many
        documents there were."""
        there: set[str] = set()
        with storage_errors():
            for page in self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
                for upload in page.get("Uploads", []):
                    self._abort(upload["Key"], upload["UploadId"])
            for found in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
                there |= {version["Key"] for version in found.get("Versions", []) if version["IsLatest"]}
                listed = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
                if not listed:
                    continue
                names: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in listed]
                answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": names, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise StorageUnavailable(f"DeleteObjects: {errors[0]['Code']}")
        return len(there)

    def _abort(self, key: str, upload_id: str) -> None:
        with suppress(NotStored), storage_errors():
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)

    def download_link(self, key: str, *, file_name: str, seconds: int) -> str:
        """A link that downloads the document under `file_name` and ends after `seconds`."""
        parameters: dict[str, Any] = {
            "Bucket": self.bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        with storage_errors():
            return self.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    def page_link(self, key: str, *, seconds: int) -> str:
        """A link that shows the document in a browser and ends after `seconds`."""
        parameters: dict[str, Any] = {"Bucket": self.bucket, "Key": key, "ResponseContentDisposition": "inline"}
        with storage_errors():
            return self.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
