"""Whether the stack can answer: the version it runs, the model in service, what it depends on."""

from typing import Literal

from pydantic import BaseModel, Field

from retainstream import __version__
from retainstream.registry.champion import champion
from retainstream.registry.loading import MODEL_FILE
from retainstream.registry.versions import get
from retainstream.storage.documents import Documents
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.models import Models


class ModelInService(BaseModel):
    version: str
    promoted_at: str


class Dependencies(BaseModel):
    tables: Literal["ok", "unavailable"]
    bucket: Literal["ok", "unavailable"]
    model: Literal["ok", "none", "missing", "unknown"] = Field(description="none: nothing was promoted yet; missing: its file is gone")


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    version: str = Field(description="Version of RetainStream")
    model: ModelInService | None
    dependencies: Dependencies


def health(models: Models, documents: Documents) -> Health:
    """The state of things, seen by two small reads of each table and bucket. A dependency that does not answer is named, not raised."""
    found = Dependencies(tables="ok", bucket="ok", model="none")
    in_service = None
    try:
        pointer = champion(models)
        record = get(models, pointer.version) if pointer else None
    except StorageUnavailable:
        found.tables, found.model, pointer, record = "unavailable", "unknown", None, None
    if pointer and record:
        in_service = ModelInService(version=pointer.version, promoted_at=pointer.promoted_at)
        found.model = "ok"
    key = record["files"][MODEL_FILE]["key"] if record else "models/"
    try:
        there = documents.exists(key)
    except StorageUnavailable:
        found.bucket, found.model = "unavailable", "unknown" if record else found.model
    else:
        if record and not there:
            found.model = "missing"
    healthy = found.tables == found.bucket == "ok" and found.model == "ok"
    return Health(status="ok" if healthy else "degraded", version=__version__, model=in_service, dependencies=found)
