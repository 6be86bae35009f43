"""Changes of the objects in moto's buckets."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.s3.models import FakeKey, s3_backends
from moto.s3.responses import S3Response

from local.isolation import ACCOUNT

LOCK = threading.RLock()


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
