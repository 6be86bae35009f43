"""Whether the stack can answer: the version it runs, the model in service, what it depends on."""

from collections.abc import Mapping
from threading import Lock
from typing import Any, Literal

from pydantic import BaseModel, Field

from retainstream import __version__
from retainstream.engine.schema.validation import UnusableSchema
from retainstream.registry.active_schema import stored_schema
from retainstream.registry.champion import champion
from retainstream.registry.errors import ADVICE, CorruptModel
from retainstream.registry.loading import SERVING_FILES, check_version
from retainstream.storage.documents import Documents
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.models import Models


class ModelInService(BaseModel):
    version: str
    promoted_at: str


class Dependencies(BaseModel):
    tables: Literal["ok", "unavailable"]
    bucket: Literal["ok", "unavailable"]
    model: Literal["ok", "none", "missing", "damaged", "unknown"] = Field(
        description="none: nothing was promoted yet; missing: its record or a file is gone; damaged: they are not what was registered"
    )
    feature_schema: Literal["ok", "damaged", "unknown"] = Field(description="The feature schema in force")


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    version: str = Field(description="Version of RetainStream")
    model: ModelInService | None
    dependencies: Dependencies
    advice: list[str] = Field(description="What is wrong and what to do about it, a sentence or two each; empty when all is well")


_lock = Lock()
_checked: dict[tuple[Any, ...], str] = {}
"""What was wrong with files that have been looked at, by what they were then."""


def health(models: Models, documents: Documents) -> Health:
    """The state of things, seen by a small read of the table and two of the bucket; files are read whole once, and again when they have
    changed. A dependency that does not answer is named, not raised."""
    found = Dependencies(tables="ok", bucket="ok", model="none", feature_schema="ok")
    in_service, advice = None, list[str]()
    try:
        pointer = champion(models)
        record = (pointer.record or models.version(pointer.version)) if pointer else None
    except StorageUnavailable:
        found.tables, found.model, pointer, record = "unavailable", "unknown", None, None
        advice.append("DynamoDB does not answer. Try again shortly.")
    except CorruptModel as error:
        found.model, pointer, record = "damaged", None, None
        advice.append(f"{error} {ADVICE}")
    if pointer:
        in_service = ModelInService(version=pointer.version, promoted_at=pointer.promoted_at)
        found.model = "ok" if record else "missing"
        if not record:
            advice.append(f"Version {pointer.version} is in service but has no record. {ADVICE}")
    elif found.model == "none":
        advice.append("No model is in service yet. Train one: POST /api/model/train.")
    try:
        if record and (wrong := _look_at_files(record, documents)):
            found.model, told = wrong
            advice.append(f"{told} {ADVICE}")
        stored_schema(documents)
    except StorageUnavailable:
        found.bucket, found.feature_schema, found.model = "unavailable", "unknown", "unknown" if record else found.model
        advice.append("The bucket does not answer. Try again shortly.")
    except UnusableSchema as error:
        found.feature_schema = "damaged"
        advice.append(str(error))
    return Health(status="degraded" if advice else "ok", version=__version__, model=in_service, dependencies=found, advice=advice)


def _look_at_files(record: Mapping[str, Any], documents: Documents) -> tuple[Literal["missing", "damaged"], str] | None:
    version = record["version"]
    tags = documents.tags(f"models/{version}/")
    stated: Any = record.get("files")
    keys = {name: stated[name]["key"] for name in SERVING_FILES if name in stated} if isinstance(stated, dict) else {}
    gone = [name for name in SERVING_FILES if keys.get(name) not in tags]
    if gone:
        return "missing", f"Version {version} lacks {' and '.join(gone)}."
    seen = (documents.bucket, version, record.get("threshold"), *(tags[keys[name]] for name in SERVING_FILES))
    with _lock:
        told = _checked.get(seen)
    if told is None:
        try:
            check_version(dict(record), documents)
            told = ""
        except CorruptModel as error:
            told = str(error)
        with _lock:
            _checked.clear()
            _checked[seen] = told
    return ("damaged", told) if told else None
