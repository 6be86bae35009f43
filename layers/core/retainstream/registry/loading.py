"""The model in service, loaded once per process and checked before use."""

import hashlib
import json
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.champion import champion
from retainstream.registry.errors import CorruptModel, NoModel, UnknownVersion
from retainstream.registry.versions import get
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.models import Models

if TYPE_CHECKING:
    from retainstream.engine.model.model import ScoringModel

_log = logging.getLogger(__name__)

MODEL_FILE, SCHEMA_FILE, CALIBRATION_FILE = "model.ubj", "schema.json", "calibration.json"
SERVING_FILES = (MODEL_FILE, SCHEMA_FILE, CALIBRATION_FILE)
METRICS_FILE, REFERENCE_FILE = "metrics.json", "reference.json"
CARD_FILE, CARD_PAGE_FILE = "card.json", "card.html"


def load_version(models: Models, documents: Documents, version: str) -> "ScoringModel":
    """A registered version, its files compared with the checksums it was registered with.

    Raises:
        UnknownVersion: there is no such version.
        CorruptModel: a file is absent, changed, or cannot be read as what it should be.
    """
    return _load(get(models, version), documents)


def verified_file(record: dict[str, Any], documents: Documents, name: str) -> bytes:
    """The bytes of one file of a version.

    Raises:
        CorruptModel: the file is absent or its checksum differs.
    """
    files = record.get("files")
    stated = files.get(name) if isinstance(files, dict) else None
    if stated is None:
        raise CorruptModel(f"Version {record['version']} has no {name}.")
    try:
        content = documents.get_bytes(stated["key"])
    except NotStored as error:
        raise CorruptModel(f"{name} of version {record['version']} is gone.") from error
    if hashlib.sha256(content).hexdigest() != stated["sha256"]:
        raise CorruptModel(f"{name} of version {record['version']} is not what was registered.")
    return content


def load_reference(models: Models, documents: Documents, version: str) -> Reference | None:
    """What customers and scores looked like when the version was made. None where its file is absent or changed: scores need it not.

    Raises:
        UnknownVersion: there is no such version.
    """
    try:
        reference: Reference = json.loads(verified_file(get(models, version), documents, REFERENCE_FILE))
        if not isinstance(reference, dict) or "features" not in reference:
            raise CorruptModel(f"{REFERENCE_FILE} of version {version} is none.")
    except ValueError as error:
        _log.warning("drift from model %s cannot be known: %s", version, error)
        return None
    return reference


@dataclass
class ChampionCache:
    """One process's loaded champion.

    The pointer is read again once it is older than `max_age_seconds`, by the wall clock, so that a process restored from a snapshot
    looks again too. A new champion that cannot be loaded, or a pointer that cannot be read, leaves the loaded model in use.
    """

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: "ScoringModel | None" = None
    _identity: tuple[str, ...] = ()
    _checked_at: float = 0.0

    def model(self, models: Models, documents: Documents, max_age_seconds: float) -> "ScoringModel":
        """The champion.

        Raises:
            NoModel: nothing is in service.
            CorruptModel: the champion cannot be used and none was loaded before it.
            StorageUnavailable: the pointer cannot be read and no model is loaded.
        """
        with self._lock:
            place = (models.name, documents.bucket)
            if self._identity[:2] != place:
                self._loaded, self._identity = None, place
            age = time.time() - self._checked_at
            if self._loaded is None or not 0 <= age < max_age_seconds:
                try:
                    self._look_again(models, documents, place)
                except (CorruptModel, StorageUnavailable) as error:
                    if self._loaded is None:
                        raise
                    _log.warning("keeping model %s in use: %s", self._loaded.version, error)
                self._checked_at = time.time()
            assert self._loaded is not None  # noqa: S101
            return self._loaded

    def doubt(self) -> None:
        """Makes the next call look at the pointer, however recently that was done."""
        with self._lock:
            self._checked_at = 0.0

    def _look_again(self, models: Models, documents: Documents, place: tuple[str, str]) -> None:
        chosen_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        pointer = champion(models)
        if pointer is None:
            self._loaded = None
            raise NoModel("No model is in service yet.")
        identity = (*place, pointer.version, pointer.promoted_at)
        if self._loaded is None or self._identity != identity:
            try:
                record = get(models, pointer.version)
            except UnknownVersion as error:
                raise CorruptModel(f"Version {pointer.version} is in service but has no record.") from error
            self._loaded, self._identity = _load(record, documents), identity
        self._loaded = replace(self._loaded, chosen_at=chosen_at)


_cache = ChampionCache()


def champion_model(models: Models, documents: Documents, max_age_seconds: float) -> "ScoringModel":
    """The model in service, from this process's cache; see ChampionCache.

    Raises:
        NoModel: nothing is in service.
        CorruptModel: it cannot be used and none was loaded before it.
        StorageUnavailable: storage does not answer and no model is loaded.
    """
    return _cache.model(models, documents, max_age_seconds)


def later_champion(models: Models, documents: Documents, than: "ScoringModel") -> "ScoringModel | None":
    """Another model that was put into service after `than` was seen to be, if it can be used.

    Raises:
        StorageUnavailable: the pointer cannot be read.
    """
    try:
        pointer = champion(models)
        if pointer is None or pointer.version == than.version or pointer.promoted_at <= than.chosen_at:
            return None
        found = champion_model(models, documents, 0)
    except (CorruptModel, NoModel) as error:
        _log.warning("keeping model %s in use: %s", than.version, error)
        return None
    return found if found.version == pointer.version else None


def doubt_champion() -> None:
    """Makes the next call of `champion_model` look whether the loaded model is still the one in service."""
    _cache.doubt()


def _load(record: dict[str, Any], documents: Documents) -> "ScoringModel":
    from retainstream.engine.model.model import ScoringModel, UnusableModel

    version, content = record["version"], serving_files(record, documents)
    schema = _schema_in(version, content[SCHEMA_FILE])
    try:
        return ScoringModel.from_bytes(
            content[MODEL_FILE], json.loads(content[CALIBRATION_FILE]), schema, threshold=float(record["threshold"]), version=version
        )
    except UnusableModel as error:
        raise CorruptModel(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"What is stored of version {version} cannot be read.") from error


def serving_files(record: dict[str, Any], documents: Documents) -> dict[str, bytes]:
    """The files of a version that scoring needs, by name.

    Raises:
        CorruptModel: one is absent, or its checksum differs.
    """
    return {name: verified_file(record, documents, name) for name in SERVING_FILES}


def check_version(record: dict[str, Any], documents: Documents) -> None:
    """Looks whether a version could score, as far as that is known without loading it.

    Raises:
        CorruptModel: it could not.
    """
    version = record["version"]
    _schema_in(version, serving_files(record, documents)[SCHEMA_FILE])
    threshold = record.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise CorruptModel(f"Version {version} has no threshold between 0 and 1.")


def _schema_in(version: str, content: bytes) -> FeatureSchema:
    try:
        return FeatureSchema.model_validate_json(content)
    except ValueError as error:
        raise CorruptModel(f"The feature schema of version {version} is none that this version of RetainStream can read.") from error
