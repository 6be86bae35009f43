"""The objects in moto's buckets: their changes, and their bodies in pieces."""

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.s3.models import FakeKey, FakeMultipart, s3_backends
from moto.s3.responses import S3Response

from local.isolation import ACCOUNT

LOCK = threading.RLock()
_IN_MEMORY_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class ObjectChanges:
    """Objects written, by bucket and name, with metadata and body; objects removed; and the keys at the time of the comparison."""

    written: dict[tuple[str, str], tuple[dict[str, Any], bytes]]
    removed: set[tuple[str, str]]
    seen: dict[tuple[str, str], Any]


class ObjectWatch:
    """Compares the newest version of every object with that of the last call of `done`."""

    def __init__(self, buckets: list[str]) -> None:
        self._buckets = buckets
        self._seen: dict[tuple[str, str], Any] = self._newest()

    def changes(self) -> ObjectChanges:
        """The changes since the last call of `done`. Older versions of an object are not stored."""
        with LOCK:
            newest = self._newest()
            written = {place: (_metadata(key), key.value) for place, key in newest.items() if self._seen.get(place) is not key}
        return ObjectChanges(written, set(self._seen) - set(newest), newest)

    def done(self, changes: ObjectChanges) -> None:
        """Mark the changes as processed."""
        self._seen = changes.seen

    def _newest(self) -> dict[tuple[str, str], Any]:
        newest = {}
        with LOCK:
            for bucket in self._buckets:
                for name, key in s3_backends[ACCOUNT]["aws"].buckets[bucket].keys.items():
                    if isinstance(key, FakeKey):
                        newest[bucket, name] = key
        return newest


def put_object(bucket: str, name: str, metadata: dict[str, Any], body: bytes) -> None:
    """Restore a stored object."""
    with LOCK:
        key = s3_backends[ACCOUNT]["aws"].put_object(bucket, name, body)
        key.set_metadata(dict(metadata["metadata"]))
        key.last_modified = datetime.fromisoformat(metadata["last_modified"])


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


def _metadata(key: Any) -> dict[str, Any]:
    return {"metadata": {str(name): str(value) for name, value in key.metadata.items()}, "last_modified": key.last_modified.isoformat()}


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
