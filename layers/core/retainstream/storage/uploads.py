"""Files that people upload to the bucket by signed links, read by ranges whatever their size."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retainstream.settings import settings
from retainstream.storage.clients import s3
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable, storage_errors
from retainstream.storage.retry import attempts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RANGE = 8 << 20
PART = 16 << 20
_READ_ATTEMPTS = 4


@dataclass(frozen=True)
class StoredFile:
    """A file in the bucket: its size in bytes, and the tag that changes with its content."""

    key: str
    size: int
    tag: str


class ChangedFile(Exception):
    """The file was replaced while it was being read."""


@dataclass(frozen=True)
class Uploads:
    """The bucket's files. Every method raises StorageUnavailable when S3 does not answer."""

    bucket: str = field(default_factory=lambda: settings().bucket)
    client: "S3Client" = field(default_factory=s3)

    def link(self, key: str, size: int, *, seconds: int) -> str:
        """A link that accepts a PUT of exactly `size` bytes, once or again, for so many seconds."""
        parameters = {"Bucket": self.bucket, "Key": key, "ContentLength": size}
        with storage_errors():
            return self.client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)

    def begin(self, key: str, content_type: str = "binary/octet-stream") -> str:
        """Begins a multipart upload. Returns its id."""
        with storage_errors():
            return self.client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type)["UploadId"]

    def abort(self, key: str) -> None:
        """Aborts every incomplete multipart upload of this key."""
        with storage_errors():
            answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=key)
        for upload in answer.get("Uploads", []):
            if upload["Key"] == key:
                with suppress(NotStored), storage_errors():
                    self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload["UploadId"])

    def part_link(self, key: str, upload_id: str, number: int, size: int, *, seconds: int) -> str:
        """A link that accepts a PUT of part `number` (counted from 1), of exactly `size` bytes."""
        parameters = {
            "Bucket": self.bucket,
            "Key": key,
            "UploadId": upload_id,
            "PartNumber": number,
            "ContentLength": size,
        }
        with storage_errors():
            return self.client.generate_presigned_url("upload_part", Params=parameters, ExpiresIn=seconds)

    def parts(self, key: str, upload_id: str) -> dict[int, StoredFile]:
        """The parts that have arrived, by number.

        Raises:
            NotStored: the upload does not exist, was completed, or was aborted after two days.
        """
        parts: dict[int, StoredFile] = {}
        with storage_errors():
            for page in self.client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id):
                parts |= {part["PartNumber"]: StoredFile(key, part["Size"], part["ETag"]) for part in page.get("Parts", [])}
        return parts

    def complete(self, key: str, upload_id: str, parts: Mapping[int, StoredFile]) -> None:
        """Joins the parts to one file. An upload that is gone but left a file of this size was completed by an earlier try.

        Raises:
            NotStored: neither the upload nor such a file exists.
        """
        listed: Any = [{"PartNumber": number, "ETag": parts[number].tag} for number in sorted(parts)]
        try:
            with storage_errors():
                self.client.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed})
        except NotStored:
            file = self.find(key)
            if file is None or file.size != sum(part.size for part in parts.values()):
                raise

    def put_part(self, key: str, upload_id: str, number: int, content: bytes) -> StoredFile:
        """Writes a part of an upload, and replaces an earlier one."""
        with storage_errors():
            answer = self.client.upload_part(Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=content)
        return StoredFile(key, len(content), answer["ETag"])

    def write(self, key: str, pieces: Iterable[bytes], content_type: str) -> None:
        """Writes one file from pieces. At most PART bytes and one piece are held in memory."""
        blocks = in_blocks(pieces, PART)
        first = next(blocks, b"")
        if len(first) < PART:
            with storage_errors():
                self.client.put_object(Bucket=self.bucket, Key=key, Body=first, ContentType=content_type)
            return
        upload_id = self.begin(key, content_type)
        parts = {1: self.put_part(key, upload_id, 1, first)}
        for number, block in enumerate(blocks, start=2):
            parts[number] = self.put_part(key, upload_id, number, block)
        self.complete(key, upload_id, parts)

    def find(self, key: str) -> StoredFile | None:
        """The file, or None."""
        try:
            with storage_errors():
                answer = self.client.head_object(Bucket=self.bucket, Key=key)
        except NotStored:
            return None
        return StoredFile(key, answer["ContentLength"], answer["ETag"])

    def keys(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """Up to `limit` keys below a prefix, in their order, after a key. S3 may list fewer keys at once than it was asked for."""
        keys: list[str] = []
        while len(keys) < limit:
            options: Any = {"StartAfter": after} if after else {}
            with storage_errors():
                answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=limit - len(keys), **options)
            page = [file["Key"] for file in answer.get("Contents", [])]
            keys += page
            if not page or not answer.get("IsTruncated"):
                break
            after = page[-1]
        return keys

    def open(self, file: StoredFile, start: int = 0, end: int | None = None) -> io.BufferedReader:
        """The bytes of a file from `start` up to `end`, read by ranges of RANGE bytes. The stream allows seeking.

        Reading raises ChangedFile when the file was replaced.
        """
        return io.BufferedReader(_Ranges(self, file, start, file.size if end is None else end), 1 << 16)

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`.

        Raises:
            ChangedFile, NotStored
        """
        if start >= end:
            return b""
        for attempt in attempts(_READ_ATTEMPTS):
            try:
                with storage_errors():
                    answer = self.client.get_object(Bucket=self.bucket, Key=file.key, Range=f"bytes={start}-{end - 1}", IfMatch=file.tag)
                    content = answer["Body"].read()
                if len(content) == end - start:
                    return content
            except Conflict as error:
                raise ChangedFile(file.key) from error
            except StorageUnavailable:
                if attempt == _READ_ATTEMPTS:
                    raise
        raise StorageUnavailable("S3 answered with too few bytes of a file")


class _Ranges(io.RawIOBase):
    """`_held` is the range that was read last; it begins at `_begin` of the file, and `_next` is the place of the next byte."""

    def __init__(self, uploads: Uploads, file: StoredFile, start: int, end: int) -> None:
        self._uploads, self._file, self._start, self._stop = uploads, file, start, end
        self._held, self._begin, self._next = memoryview(b""), start, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._next, io.SEEK_END: self._stop}[whence]
        self._next = max(base + offset, self._start)
        return self._next - self._start

    def readinto(self, buffer: Any) -> int:
        if not self._begin <= self._next < self._begin + len(self._held):
            self._begin = self._next
            self._held = memoryview(self._uploads.read(self._file, self._begin, min(self._begin + RANGE, self._stop)))
        place = self._next - self._begin
        size = min(len(buffer), len(self._held) - place)
        buffer[:size] = self._held[place : place + size]
        self._next += size
        return size


def in_blocks(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of `size`, of which the last may be smaller."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
