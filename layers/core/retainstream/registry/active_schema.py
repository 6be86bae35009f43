"""The active feature schema: the one that the business set, or the default; and the schemas that were active before it."""

import hashlib
import logging
import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.engine.schema.validation import UnusableSchema
from retainstream.settings import settings
from retainstream.storage.documents import Documents, Stored
from retainstream.storage.errors import Conflict, NotStored

KEY = "schemas/active.json"
EARLIER = "schemas/earlier/"
EARLIER_ID = r"^\d{8}T\d{6}Z\.[a-z][a-z0-9_-]{0,40}\.[0-9a-f]{12}$"
MOST_LISTED = 100

_JSON = "application/json"
_MOMENT, _NEVER = "%Y%m%dT%H%M%SZ", "00000000T000000Z"
_UNREADABLE = f"The active feature schema ({KEY} in the bucket) cannot be read. An operator can restore its previous version."
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_known: dict[str, tuple[float, FeatureSchema | None]] = {}


class UnknownSchema(LookupError):
    """No earlier schema has that id."""


@dataclass(frozen=True)
class ActiveSchema:
    """The active schema as it is stored.

    `schema` is None where the stored document cannot be read. `digest` is the same for equal schemas. `tag` is that of the stored
    document, and `since` the time at which it was written; both are None while the default is active.
    """

    schema: FeatureSchema | None
    digest: str
    content: bytes
    tag: str | None
    since: datetime | None


class EarlierSchema(BaseModel):
    """A schema that was active before."""

    id: str = Field(description="For GET /api/model/schema/earlier/{id}")
    name: str = Field(description="The schema's name; unreadable where the stored document could not be read")
    active_since: str | None = Field(description="The time at which it became active, ISO 8601 in UTC; null for the default of a new stack")


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
    schema = stored_active(documents).schema
    if schema is None:
        raise UnusableSchema(_UNREADABLE)
    return schema


def stored_active(documents: Documents) -> ActiveSchema:
    """The active schema with its document, for a change of it. Its bucket must answer; its document may be unreadable."""
    try:
        stored = documents.get_tagged(KEY)
    except NotStored:
        default = default_schema()
        return ActiveSchema(default, digest_of(default), _document(default), None, None)
    try:
        schema = FeatureSchema.model_validate_json(stored.content)
        digest = digest_of(schema)
    except ValueError:
        schema, digest = None, hashlib.sha256(stored.content).hexdigest()
    return ActiveSchema(schema, digest, stored.content, stored.tag, stored.written_at)


def digest_of(schema: FeatureSchema) -> str:
    """SHA-256 of the schema in hexadecimal, the same for equal schemas however they were written."""
    return hashlib.sha256(schema.model_dump_json().encode()).hexdigest()


def forget_active_schema() -> None:
    """Makes the next call read the schema again."""
    with _lock:
        _known.clear()


def set_active_schema(documents: Documents, schema: FeatureSchema) -> Stored:
    """Makes a schema the active one, whatever was active. Every process follows within `model_cache_seconds`."""
    stored = documents.put_bytes(KEY, _document(schema), _JSON)
    _forget(documents)
    return stored


def replace_active_schema(documents: Documents, schema: FeatureSchema, before: ActiveSchema) -> str:
    """Makes a schema the active one in place of `before`, and keeps that one first. Returns the id of the kept one, which is the same when
    an interrupted change is repeated.

    Raises:
        Conflict: another schema became active meanwhile.
    """
    name = before.schema.name if before.schema else "unreadable"
    kept = f"{before.since.strftime(_MOMENT) if before.since else _NEVER}.{name}.{before.digest[:12]}"
    documents.put_bytes(_key(kept), before.content, _JSON)
    try:
        documents.replace_bytes(KEY, _document(schema), _JSON, tag=before.tag)
    except Conflict:
        if stored_active(documents).schema != schema:  # the first answer to the same write may have been lost
            raise
    _forget(documents)
    return kept


def earlier_schemas(documents: Documents) -> list[EarlierSchema]:
    """The schemas that were active before, in the order in which they became active, the last one first; `MOST_LISTED` at most."""
    ids = [key.removeprefix(EARLIER).removesuffix(".json") for key in documents.tags(EARLIER)]
    listed = sorted((kept for kept in ids if re.fullmatch(EARLIER_ID, kept)), reverse=True)[:MOST_LISTED]
    return [_earlier(kept) for kept in listed]


def earlier_schema(documents: Documents, kept: str) -> FeatureSchema:
    """The schema with this id.

    Raises:
        UnknownSchema: no earlier schema has that id.
        UnusableSchema: it cannot be read.
    """
    try:
        return FeatureSchema.model_validate_json(documents.get_bytes(_key(kept)))
    except NotStored as error:
        raise UnknownSchema(kept) from error
    except ValueError as error:
        raise UnusableSchema(f"The earlier feature schema {kept} cannot be read.") from error


def _earlier(kept: str) -> EarlierSchema:
    moment, name, _ = kept.split(".")
    since = None if moment == _NEVER else datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC).isoformat()
    return EarlierSchema(id=kept, name=name, active_since=since)


def _document(schema: FeatureSchema) -> bytes:
    return schema.model_dump_json(indent=1).encode()


def _key(kept: str) -> str:
    return f"{EARLIER}{kept}.json"


def _forget(documents: Documents) -> None:
    with _lock:
        _known.pop(documents.bucket, None)
