"""Model versions: written once, never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from retainstream.registry.errors import UnknownVersion
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models
from retainstream.storage.table import Page


def version_name(created: datetime, run_id: str) -> str:
    """A version's name: sorts by time, and is the same for the same run."""
    return f"{created:%Y%m%dT%H%M%SZ}-{run_id[:8]}"


def register(models: Models, record: Mapping[str, Any]) -> bool:
    """Writes a new version under record["version"]. Returns False when the same run has registered it already.

    Raises:
        Conflict: another run's version has that name.
    """
    try:
        models.add_version(record["version"], record)
    except Conflict:
        if get(models, record["version"])["run_id"] != record["run_id"]:
            raise
        return False
    return True


def get(models: Models, version: str) -> dict[str, Any]:
    """A version's record.

    Raises:
        UnknownVersion: there is no such version.
    """
    found = models.version(version)
    if found is None:
        raise UnknownVersion(f"There is no model version {version}.")
    return found


def newest(models: Models, *, limit: int, after: str | None = None) -> Page:
    """Versions, newest first, after the version that ended the page before."""
    return models.versions(limit=limit, after=after)
