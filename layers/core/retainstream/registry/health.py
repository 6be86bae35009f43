"""The stack's health: its version, the model in service, and its dependencies."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Literal

from pydantic import BaseModel, Field

from retainstream import __version__
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.validation import UnusableSchema
from retainstream.registry.active_schema import stored_schema
from retainstream.registry.champion import champion
from retainstream.registry.errors import ADVICE, CorruptModel
from retainstream.registry.loading import check_version
from retainstream.registry.versions import SERVING_FILES
from retainstream.storage.documents import Documents
from retainstream.storage.errors import RequestRefused, StorageUnavailable
from retainstream.storage.models import Models, Version


class ModelInService(BaseModel):
    version: str
    promoted_at: str


class Dependencies(BaseModel):
    tables: Literal["ok", "unavailable", "refused"] = Field(description="refused: a permission is missing or the request is invalid")
    bucket: Literal["ok", "unavailable", "refused"] = Field(description="As tables")
    model: Literal["ok", "none", "outdated", "missing", "damaged", "unknown"] = Field(
        description="none: nothing was promoted yet; outdated: it was trained on other columns than the active feature schema has; "
        "missing: a record or file is absent; damaged: one has changed or cannot be read"
    )
    feature_schema: Literal["ok", "damaged", "unknown"] = Field(description="The active feature schema")


class ServiceStatus(BaseModel):
    """All that strangers learn of the health."""

    status: Literal["ok", "degraded"]
    checked_at: str = Field(description="The moment of the reading, which is at most 10 seconds old")


class Health(ServiceStatus):
    version: str = Field(description="Version of RetainStream")
    model: ModelInService | None
    dependencies: Dependencies
    advice: list[str] = Field(description="Each problem and its remedy in a sentence or two; empty while the status is ok")


checks: list[Callable[[], str | None]] = []
"""Further checks. Each returns a problem with its remedy, or None. The local stack adds the saving of its state."""

_REFUSED_ADVICE = "Trying again does not help. Check the permissions of the function's role."
FRESH_SECONDS = 10.0
_lock = Lock()
_checked: dict[tuple[object, ...], str] = {}
"""The problem of files that were checked, by their tags at that time; empty where there was none."""


@dataclass
class Checkup:
    """One process's latest reading of the health, shared by all requests of the next seconds."""

    _lock: Lock = field(default_factory=Lock)
    _latest: Health | None = None
    _read_at: float = 0.0

    def health(self, models: Models, documents: Documents, fresh_seconds: float) -> Health:
        """The latest reading, or a new one when it is older than `fresh_seconds` by the wall clock, or when the clock was set back."""
        with self._lock:
            now = time.time()
            if self._latest is None or not 0 <= now - self._read_at < fresh_seconds:
                self._latest, self._read_at = read_health(models, documents), now
            return self._latest


def read_health(models: Models, documents: Documents) -> Health:
    """The health now, from one small read of the table and two of the bucket. Files are read once, and again when they have changed. A
    dependency that does not answer is reported, not raised."""
    dependencies = Dependencies(tables="ok", bucket="ok", model="none", feature_schema="ok")
    in_service, advice = None, list[str]()
    try:
        pointer = champion(models)
        record = (pointer.record or models.version(pointer.version)) if pointer else None
    except StorageUnavailable:
        dependencies.tables, dependencies.model, pointer, record = "unavailable", "unknown", None, None
        advice.append("DynamoDB does not answer. Try again shortly.")
    except RequestRefused as error:
        dependencies.tables, dependencies.model, pointer, record = "refused", "unknown", None, None
        advice.append(f"DynamoDB refuses a request ({error}). {_REFUSED_ADVICE}")
    except CorruptModel as error:
        dependencies.model, pointer, record = "damaged", None, None
        advice.append(f"{error} {ADVICE}")
    if pointer:
        in_service = ModelInService(version=pointer.version, promoted_at=pointer.promoted_at)
        dependencies.model = "ok" if record else "missing"
        if not record:
            advice.append(f"Version {pointer.version} is in service but has no record. {ADVICE}")
    elif dependencies.model == "none":
        advice.append("No model is in service yet. Train one: POST /api/model/train.")
    try:
        if record and (wrong := _problem_of_files(record, documents)):
            dependencies.model, problem = wrong
            advice.append(f"{problem} {ADVICE}")
        schema = stored_schema(documents)
        if record and dependencies.model == "ok" and _has_other_features(record, schema):
            dependencies.model = "outdated"
            advice.append(
                f"Version {record['version']} was trained on other columns than the active feature schema has. "
                "Import customers with the new columns, then train a new version: POST /api/model/train."
            )
    except StorageUnavailable:
        dependencies.bucket, dependencies.feature_schema = "unavailable", "unknown"
        dependencies.model = "unknown" if record else dependencies.model
        advice.append("The bucket does not answer. Try again shortly.")
    except RequestRefused as error:
        dependencies.bucket, dependencies.feature_schema = "refused", "unknown"
        dependencies.model = "unknown" if record else dependencies.model
        advice.append(f"The bucket refuses a request ({error}). {_REFUSED_ADVICE}")
    except UnusableSchema as error:
        dependencies.feature_schema = "damaged"
        advice.append(str(error))
    advice += [reason for check in checks if (reason := check())]
    return Health(
        status="degraded" if advice else "ok",
        checked_at=datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        version=__version__,
        model=in_service,
        dependencies=dependencies,
        advice=advice,
    )


def _has_other_features(record: Version, schema: FeatureSchema) -> bool:
    names: object = record.get("feature_names")
    return isinstance(names, list) and set(names) != {column.name for column in schema.features}


def _problem_of_files(record: Version, documents: Documents) -> tuple[Literal["missing", "damaged"], str] | None:
    version = record["version"]
    tags = documents.tags(f"models/{version}/")
    stated: Any = record.get("files")
    keys = {name: stated[name]["key"] for name in SERVING_FILES if name in stated} if isinstance(stated, dict) else {}
    missing = [name for name in SERVING_FILES if keys.get(name) not in tags]
    if missing:
        return "missing", f"Version {version} lacks {' and '.join(missing)}."
    seen = (documents.bucket, version, record.get("threshold"), str(record.get("levels")), *(tags[keys[name]] for name in SERVING_FILES))
    with _lock:
        problem = _checked.get(seen)
    if problem is None:
        try:
            check_version(record, documents)
            problem = ""
        except CorruptModel as error:
            problem = str(error)
        with _lock:
            _checked.clear()
            _checked[seen] = problem
    return ("damaged", problem) if problem else None
