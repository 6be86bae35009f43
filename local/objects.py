"""The objects in moto's buckets: their changes, and their bodies in pieces."""

import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.s3.models import FakeKey, FakeMultipart, s3_backends
from moto.s3.responses import S3Response

from local.bodies import Body
from local.isolation import ACCOUNT

LOCK = threading.RLock()
_IN_MEMORY_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20

type Place = tuple[str, str]
"""Bucket and name of an object."""


@dataclass(frozen=True)
class ObjectChanges:
    """Objects written and objects removed; and the buckets that should exist and do not."""

    written: dict[Place, FakeKey]
    removed: set[Place]
    missing: list[str]


class ObjectWatch:
    """Compares the newest version of every object with the version that was saved. Older versions of an object are not saved."""

    def __init__(self, buckets: list[str]) -> None:
        self._buckets = buckets
        self._saved: dict[Place, FakeKey] = {}
        self._saved = self.changes().written

    def changes(self) -> ObjectChanges:
        """The objects that differ from those saved. Hold LOCK while you read their bodies."""
        with LOCK:
            existing = s3_backends[ACCOUNT]["aws"].buckets
            buckets = [bucket for bucket in self._buckets if bucket in existing]
            newest = {(bucket, name): key for bucket in buckets for name, key in existing[bucket].keys.items() if isinstance(key, FakeKey)}
        written = {place: key for place, key in newest.items() if self._saved.get(place) is not key}
        removed = {place for place in self._saved if place not in newest and place[0] in buckets}
        return ObjectChanges(written, removed, [bucket for bucket in self._buckets if bucket not in existing])

    def done(self, written: dict[Place, FakeKey], removed: set[Place]) -> None:
        """Mark these changes as saved."""
        self._saved = {place: key for place, key in self._saved.items() if place not in removed} | written


def restore(place: Place, metadata: str, body: Body) -> None:
    """Put a saved object into its bucket. Its body stays in the file.

    Raises:
        OSError: the file of the body is missing.
    """
    bucket, name = place
    stored = json.loads(metadata)
    size = body.size
    with LOCK:
        key: Any = s3_backends[ACCOUNT]["aws"].put_object(bucket, name, b"")
        key.set_metadata(dict(stored["metadata"]))
        key.last_modified = datetime.fromisoformat(stored["last_modified"])
        key._etag = stored.get("etag")
        key.contentsize = size
        read_from(key, body)


def read_from(key: Any, body: Body) -> None:
    """Let moto read an object's body from a file from now on. Hold LOCK."""
    if key.multipart:
        key.multipart.dispose()  # its parts repeat the body
    with key.lock:
        key._value_buffer.close()
        key._value_buffer = body


def metadata_of(key: FakeKey) -> str:
    """What is stored of an object beside its body, as JSON."""
    names = {str(name): str(value) for name, value in key.metadata.items()}
    return json.dumps({"metadata": names, "last_modified": key.last_modified.isoformat(), "etag": key.etag.strip('"')})


class ArrivedBody:
    """A body as it arrives, in memory up to 16 MB and in a file beyond. The object that takes it keeps it there: it is never copied."""

    def __init__(self) -> None:
        self.size = 0
        self._content = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - the object closes it
        self._digest = hashlib.md5(usedforsecurity=False)  # S3's tag

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        self._content.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def move_to(self, key: Any) -> None:
        """Make these bytes the body of an object, or of a part of one."""
        key._value_buffer.close()
        key._value_buffer = self._content
        key._etag = self._digest.hexdigest()
        key.contentsize = self.size


def put_arrived(bucket: str, name: str, headers: dict[str, str], body: ArrivedBody) -> str:
    """Write an object with the headers of its upload. Returns its tag."""
    with LOCK:
        key = s3_backends[ACCOUNT]["aws"].put_object(bucket, name, b"")
        key.set_metadata(headers)
        body.move_to(key)
        return key.etag


def parts_of(bucket: str, name: str, upload_id: str) -> FakeMultipart | None:
    """The parts of an upload that is not complete; None when the object has no such upload."""
    with LOCK:
        upload = s3_backends[ACCOUNT]["aws"].buckets[bucket].multiparts.get(upload_id)
        return upload if upload is not None and upload.key_name == name else None


def put_arrived_part(parts: FakeMultipart, number: int, body: ArrivedBody) -> str:
    """Write a part, and replace an earlier one. Returns its tag."""
    with LOCK:
        part = parts.set_part(number, b"")
        body.move_to(part)
        return part.etag


def find_object(bucket: str, name: str) -> FakeKey | None:
    """The newest version of an object; None when there is none or it is removed."""
    with LOCK:
        return s3_backends[ACCOUNT]["aws"].get_object(bucket, name)


def pieces(key: FakeKey, start: int, end: int) -> Iterator[bytes]:
    """The bytes of an object from `start` up to `end`, read 1 MB at a time."""
    for place in range(start, end, _PIECE_BYTES):
        with key.lock:
            key._value_buffer.seek(place)
            piece = key._value_buffer.read(min(_PIECE_BYTES, end - place))
        yield piece


@contextmanager
def atomic_objects() -> Iterator[None]:
    """moto's S3 answers one request at a time while the context lasts: its listings break when a bucket changes under them."""
    originals = {name: getattr(S3Response, name) for name in ("_bucket_response", "_key_response")}
    for name, original in originals.items():
        setattr(S3Response, name, _one_at_a_time(original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(S3Response, name, original)


def _one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    def respond(self: S3Response, *args: Any, **options: Any) -> Any:
        with LOCK:
            return original(self, *args, **options)

    return respond
