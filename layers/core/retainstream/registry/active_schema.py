"""The active feature schema: the one that the business set, or the default."""

import logging
import threading
import time

from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.engine.schema.validation import UnusableSchema
from retainstream.settings import settings
from retainstream.storage.documents import Documents, Stored
from retainstream.storage.errors import NotStored

KEY = "schemas/active.json"

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_known: dict[str, tuple[float, FeatureSchema | None]] = {}


def active_schema(documents: Documents) -> FeatureSchema:
    """The active schema, read again when it is older than `model_cache_seconds` (at most 60 s).

    While the stored schema cannot be read, the one that was read before stays in use.

    Raises:
        UnusableSchema: the stored schema cannot be read, and no other was read before.
        StorageUnavailable: the bucket did not answer.
    """
    with _lock:
        read_at, schema = _known.get(documents.bucket, (0.0, None))
        if schema and 0 <= time.time() - read_at < settings().model_cache_seconds:
            return schema
        try:
            schema = stored_schema(documents)
        except UnusableSchema as error:
            if schema is None:
                raise
            _log.warning("keeping the feature schema that was read before: %s", error)
        _known[documents.bucket] = (time.time(), schema)
        return schema


def stored_schema(documents: Documents) -> FeatureSchema:
    """The active schema as it is stored, or the default.

    Raises: as `active_schema`.
    """
    try:
        return FeatureSchema.model_validate_json(documents.get_bytes(KEY))
    except NotStored:
        return default_schema()
    except ValueError as error:
        raise UnusableSchema(
            f"The active feature schema ({KEY} in the bucket) cannot be read. An operator can restore its previous version."
        ) from error


def forget_active_schema() -> None:
    """Makes the next call read the schema again."""
    with _lock:
        _known.clear()


def set_active_schema(documents: Documents, schema: FeatureSchema) -> Stored:
    """Makes a schema the active one. Every process follows within `model_cache_seconds`."""
    stored = documents.put_bytes(KEY, schema.model_dump_json(indent=1).encode(), "application/json")
    with _lock:
        _known.pop(documents.bucket, None)
    return stored
