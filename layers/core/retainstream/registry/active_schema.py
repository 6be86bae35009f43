"""The feature schema in force: the one the business set, or the default."""

import threading
import time

from retainstream.schema import FeatureSchema, default_schema
from retainstream.settings import settings
from retainstream.storage.documents import Documents, Stored
from retainstream.storage.errors import NotStored

KEY = "schemas/active.json"

_lock = threading.Lock()
_known: dict[str, tuple[float, FeatureSchema]] = {}


def active_schema(documents: Documents) -> FeatureSchema:
    """The schema in force, read again once it is older than a model may be cached (at most 60 s)."""
    with _lock:
        read_at, schema = _known.get(documents.bucket, (0.0, default_schema()))
        if 0 <= time.time() - read_at < settings().model_cache_seconds:
            return schema
        try:
            schema = FeatureSchema.model_validate_json(documents.get_bytes(KEY))
        except NotStored:
            schema = default_schema()
        _known[documents.bucket] = (time.time(), schema)
        return schema


def forget_active_schema() -> None:
    """Makes the next call read the schema again."""
    with _lock:
        _known.clear()


def set_active_schema(documents: Documents, schema: FeatureSchema) -> Stored:
    """Puts a schema in force; every process follows within the time a model may be cached."""
    stored = documents.put_bytes(KEY, schema.model_dump_json(indent=1).encode(), "application/json")
    with _lock:
        _known.pop(documents.bucket, None)
    return stored
