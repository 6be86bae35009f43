"""The model in service, loaded once per process and verified before use."""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retainstream.engine.model.levels import LevelBounds, bounds_of
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.champion import champion
from retainstream.registry.errors import CorruptModel, NoModel, UnknownVersion
from retainstream.registry.versions import (
    CALIBRATION_FILE,
    JUDGED_FIT_FILE,
    JUDGED_MODEL_FILE,
    MODEL_FILE,
    SCHEMA_FILE,
    SERVING_FILES,
    get,
)
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored, RequestRefused, StorageUnavailable
from retainstream.storage.models import Models, Version

if TYPE_CHECKING:
    from retainstream.engine.learning.unseen import Learned
    from retainstream.engine.model.model import ScoringModel

_log = logging.getLogger(__name__)

METRICS_FILE, REFERENCE_FILE = "metrics.json", "reference.json"
CARD_FILE, CARD_PAGE_FILE = "card.json", "card.html"


def load_version(models: Models, documents: Documents, version: str) -> "ScoringModel":
    """A registered version. Its files are compared with the registered checksums.

    Raises:
        UnknownVersion: the version does not exist.
        CorruptModel: a file is missing, has changed, or cannot be read.
    """
    return _load(get(models, version), documents)


def load_judged(record: Version, documents: Documents) -> "tuple[ScoringModel, Learned] | None":
    """The model that was judged at a version's training, and what it had learned. None if that is the model in service itself.

    Raises:
        CorruptModel: a file is missing, has changed, or cannot be read.
    """
    if JUDGED_FIT_FILE not in record["files"]:
        return None
    fitted = json.loads(verified_file(record, documents, JUDGED_FIT_FILE))
    content = {
        MODEL_FILE: verified_file(record, documents, JUDGED_MODEL_FILE),
        SCHEMA_FILE: verified_file(record, documents, SCHEMA_FILE),
        CALIBRATION_FILE: json.dumps(fitted["calibration"]).encode(),
    }
    learned: Learned = fitted["record"]["learned"]
    return _model(record["version"], content, _bounds(record["version"], fitted), fitted.get("average_probability")), learned


def verified_file(record: Version, documents: Documents, name: str) -> bytes:
    """The bytes of one file of a version.

    Raises:
        CorruptModel: the file is missing, or its checksum differs.
    """
    files = record.get("files")
    stated = files.get(name) if isinstance(files, dict) else None
    if stated is None:
        raise CorruptModel(f"Version {record['version']} has no {name}.")
    try:
        content = documents.get_bytes(stated["key"])
    except NotStored as error:
        raise CorruptModel(f"{name} of version {record['version']} is missing.") from error
    if hashlib.sha256(content).hexdigest() != stated["sha256"]:
        raise CorruptModel(f"{name} of version {record['version']} has changed since it was registered.")
    return content


def load_reference(models: Models, documents: Documents, version: str) -> Reference | None:
    """The distributions of the customers and scores that the version was made with. None where the file is missing, has changed or cannot
    be read: scoring does not need it.

    Raises:
        UnknownVersion: the version does not exist.
    """
    try:
        reference: Reference = json.loads(verified_file(get(models, version), documents, REFERENCE_FILE))
        if not isinstance(reference, dict) or "features" not in reference:
            raise CorruptModel(f"{REFERENCE_FILE} of version {version} is not a reference.")
    except ValueError as error:
        _log.warning("drift from model %s cannot be computed: %s", version, error)
        return None
    return reference


@dataclass
class ChampionCache:
    """One process's loaded champion.

    The pointer is read again when it is older than `max_age_seconds`, by the wall clock, so that a process restored from a snapshot reads
    it again too. While the new champion cannot be loaded, or the pointer cannot be read, the loaded model stays in use.
    """

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: "ScoringModel | None" = None
    _identity: tuple[str, ...] = ()
    _checked_at: float = 0.0

    def model(self, models: Models, documents: Documents, max_age_seconds: float) -> "ScoringModel":
        """The champion.

        Raises:
            NoModel: no model is in service.
            CorruptModel: the champion cannot be used, and no model was loaded before.
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
                except (CorruptModel, RequestRefused, StorageUnavailable) as error:
                    if self._loaded is None:
                        raise
                    _log.warning("keeping model %s in use: %s", self._loaded.version, error)
                self._checked_at = time.time()
            assert self._loaded is not None  # noqa: S101
            return self._loaded

    def doubt(self) -> None:
        """Makes the next call read the pointer, however recently that was done."""
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
        NoModel: no model is in service.
        CorruptModel: it cannot be used, and no model was loaded before.
        StorageUnavailable: storage does not answer and no model is loaded.
    """
    return _cache.model(models, documents, max_age_seconds)


def later_champion(models: Models, documents: Documents, than: "ScoringModel") -> "ScoringModel | None":
    """Another model that went into service after `than` was chosen, if it can be used.

    Raises:
        StorageUnavailable: the pointer cannot be read.
    """
    try:
        pointer = champion(models)
        if pointer is None or pointer.version == than.version or pointer.promoted_at <= than.chosen_at:
            return None
        model = champion_model(models, documents, 0)
    except (CorruptModel, NoModel) as error:
        _log.warning("keeping model %s in use: %s", than.version, error)
        return None
    return model if model.version == pointer.version else None


def doubt_champion() -> None:
    """Makes the next call of `champion_model` check whether the loaded model is still the one in service."""
    _cache.doubt()


def _load(record: Version, documents: Documents) -> "ScoringModel":
    content = serving_files(record, documents)
    return _model(record["version"], content, _bounds(record["version"], record), record.get("average_probability"))


def _bounds(version: str, stored: Mapping[str, object]) -> LevelBounds:
    try:
        return bounds_of(stored)
    except ValueError as error:
        raise CorruptModel(f"The threshold or the risk levels of version {version} cannot be read: {error}.") from error


def _model(version: str, content: dict[str, bytes], levels: LevelBounds, average_probability: float | None) -> "ScoringModel":
    from retainstream.engine.model.model import ScoringModel, UnusableModel

    schema = _schema_in(version, content[SCHEMA_FILE])
    try:
        return ScoringModel.from_bytes(
            content[MODEL_FILE],
            json.loads(content[CALIBRATION_FILE]),
            schema,
            threshold=levels.high,
            version=version,
            levels=levels,
            average_probability=average_probability,
        )
    except UnusableModel as error:
        raise CorruptModel(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"The stored files of version {version} cannot be read.") from error


def schema_of(record: Version, documents: Documents) -> FeatureSchema:
    """The feature schema that a version was trained on.

    Raises:
        CorruptModel: the file is missing, has changed, or cannot be read.
    """
    return _schema_in(record["version"], verified_file(record, documents, SCHEMA_FILE))


def serving_files(record: Version, documents: Documents) -> dict[str, bytes]:
    """The files of a version that scoring needs, by name.

    Raises:
        CorruptModel: a file is missing, or its checksum differs.
    """
    return {name: verified_file(record, documents, name) for name in SERVING_FILES}


def check_version(record: Version, documents: Documents) -> None:
    """Checks whether a version can score, without loading its model.

    Raises:
        CorruptModel: it cannot.
    """
    version = record["version"]
    _schema_in(version, serving_files(record, documents)[SCHEMA_FILE])
    _bounds(version, record)


def _schema_in(version: str, content: bytes) -> FeatureSchema:
    try:
        return FeatureSchema.model_validate_json(content)
    except ValueError as error:
        raise CorruptModel(f"This version of RetainStream cannot read the feature schema of version {version}.") from error
