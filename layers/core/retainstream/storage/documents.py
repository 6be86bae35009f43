"""The bucket: whole documents with their checksums, and links for browsers."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retainstream.settings import settings
from retainstream.storage.clients import s3
from retainstream.storage.errors import NotStored, StorageUnavailable, TooLarge, storage_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_CHUNK = 4 << 20
LINK_SECONDS = 900
"""The lifetime of a download link: 15 minutes."""


@dataclass(frozen=True)
class Stored:
    """A document's key, and the SHA-256 of its bytes in hexadecimal."""

    key: str
    sha256: str


@dataclass(frozen=True)
class Tagged:
    """A document's bytes, a tag that changes with them, and the time at which they were written (UTC)."""

    content: bytes
    tag: str
    written_at: datetime


@dataclass(frozen=True)
class StoredObject:
    """A document's key, its size in bytes, and the time at which it was written (UTC)."""

    key: str
    size: int
    written_at: datetime


@dataclass(frozen=True)
class Documents:
    """The stack's bucket. Every method raises StorageUnavailable when S3 does not answer."""

    bucket: str = field(default_factory=lambda: settings().bucket)
    client: "S3Client" = field(default_factory=s3)

    def get_bytes(self, key: str, *, at_most: int | None = None) -> bytes:
        """The whole document.

        Raises:
            NotStored: no document has that key.
            TooLarge: the document has more than `at_most` bytes; none of it was read.
        """
        with storage_errors():
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            if at_most is not None and answer["ContentLength"] > at_most:
                raise TooLarge(key)
            return answer["Body"].read()

    def get_tagged(self, key: str) -> Tagged:
        """The whole document with its tag.

        Raises:
            NotStored: no document has that key.
        """
        with storage_errors():
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            return Tagged(answer["Body"].read(), answer["ETag"], answer["LastModified"].astimezone(UTC))

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, tag: str | None) -> None:
        """Writes the whole document in place of the one with that tag, or of none.

        Raises:
            Conflict: another document has the key now.
        """
        with storage_errors():
            if tag is None:
                self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type, IfNoneMatch="*")
            else:
                self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type, IfMatch=tag)

    def put_bytes(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> Stored:
        """Writes the whole document and replaces an earlier one."""
        with storage_errors():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type)
        return Stored(key, hashlib.sha256(content).hexdigest())

    def get_file(self, key: str, path: Path) -> None:
        """Copies a document to a file, of which a few megabytes at a time are held in memory.

        Raises:
            NotStored: no document has that key.
        """
        with storage_errors():
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            with path.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(_CHUNK):
                    file.write(chunk)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Writes a document from a file of at most 5 GB, and replaces an earlier one."""
        with storage_errors(), path.open("rb") as file:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=file, ContentType=content_type)

    def objects(self, prefix: str) -> list[StoredObject]:
        """The documents below a prefix, by key."""
        listed: list[StoredObject] = []
        with storage_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                listed += [
                    StoredObject(document["Key"], document["Size"], document["LastModified"].astimezone(UTC))
                    for document in page.get("Contents", [])
                ]
        return listed

    def exists(self, key: str) -> bool:
        """Whether a document has that key."""
        with storage_errors():
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return any(document["Key"] == key for document in answer.get("Contents", []))

    def tags(self, prefix: str) -> dict[str, str]:
        """The documents below a prefix: key → a tag that changes with the content."""
        tags: dict[str, str] = {}
        with storage_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                tags |= {document["Key"]: document["ETag"] for document in page.get("Contents", [])}
        return tags

    def remove(self, key: str, *, but_latest: bool = False) -> None:
        """Removes every version of a document, or all but the latest."""
        with storage_errors():
            for versions in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key):
                listed = [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
                self._delete([version for version in listed if version["Key"] == key and not (but_latest and version["IsLatest"])])

    def withdraw(self, prefix: str) -> int:
        """Removes every version of every document below a prefix, and aborts multipart uploads there. Returns the number of documents."""
        removed: set[str] = set()
        with storage_errors():
            for page in self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
                for upload in page.get("Uploads", []):
                    self._abort(upload["Key"], upload["UploadId"])
            for versions in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
                removed |= {version["Key"] for version in versions.get("Versions", []) if version["IsLatest"]}
                listed = [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
                self._delete(listed)
        return len(removed)

    def _delete(self, versions: Sequence[Any]) -> None:
        if not versions:
            return
        names: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": names, "Quiet": True})
        if errors := answer.get("Errors"):
            raise StorageUnavailable(f"DeleteObjects: {errors[0]['Code']}")

    def _abort(self, key: str, upload_id: str) -> None:
        with suppress(NotStored), storage_errors():
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)

    def download_link(self, key: str, *, file_name: str, seconds: int) -> str:
        """A link that downloads the document under `file_name` and ends after `seconds`."""
        return self._link(key, f'attachment; filename="{file_name}"', seconds)

    def page_link(self, key: str, *, seconds: int) -> str:
        """A link that shows the document in a browser and ends after `seconds`."""
        return self._link(key, "inline", seconds)

    def _link(self, key: str, disposition: str, seconds: int) -> str:
        parameters = {"Bucket": self.bucket, "Key": key, "ResponseContentDisposition": disposition}
        with storage_errors():
            return self.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
