"""Model versions, which never change after they are written."""

from datetime import datetime

from retainstream.registry.errors import UnknownVersion
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models, Version
from retainstream.storage.table import Page

MODEL_FILE, SCHEMA_FILE, CALIBRATION_FILE = "model.ubj", "schema.json", "calibration.json"
JUDGED_MODEL_FILE, JUDGED_FIT_FILE = "judged.ubj", "judged.json"
"""The model that was judged at the training of a version, where the model in service was fitted again to all rows, and its fit."""
SERVING_FILES = (MODEL_FILE, SCHEMA_FILE, CALIBRATION_FILE)
"""The files of a version that scoring needs."""


def version_name(created: datetime, run_id: str) -> str:
    """A version's name. Names sort by time, and the same run gives the same name."""
    return f"{created:%Y%m%dT%H%M%SZ}-{run_id[:8]}"


def register(models: Models, record: Version) -> bool:
    """Writes a new version. Returns False if the same run registered it before.

    Raises:
        Conflict: a version of another run has that name.
    """
    try:
        models.add_version(record["version"], record)
    except Conflict:
        if get(models, record["version"])["run_id"] != record["run_id"]:
            raise
        return False
    return True


def get(models: Models, version: str) -> Version:
    """A version's record.

    Raises:
        UnknownVersion: the version does not exist.
    """
    record = models.version(version)
    if record is None:
        raise UnknownVersion(f"Model version {version} does not exist.")
    return record


def newest(models: Models, *, limit: int, after: str | None = None) -> Page[Version]:
    """Versions, newest first, after the last version of the previous page."""
    return models.versions(limit=limit, after=after)
