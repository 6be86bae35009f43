"""The version in service: a pointer that moves by one conditional write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retainstream.registry.errors import CorruptModel, NotPromotable, UnknownVersion
from retainstream.registry.versions import get
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models

_HISTORY = 50


@dataclass(frozen=True)
class Champion:
    """The pointer as it was read. `revision` grows by one with every move; `record` is the version's, as it was when the pointer moved;
    `asked` is the id of the request that moved it, if it had one."""

    version: str
    previous: str | None
    revision: int
    promoted_at: str
    promoted_by: str
    history: tuple[dict[str, str], ...]
    record: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    asked: str | None = None


def champion(models: Models) -> Champion | None:
    """The version in service, or None while there is none.

    Raises:
        CorruptModel: what is stored of it is none.
    """
    stored = models.champion()
    if stored is None:
        return None
    try:
        return Champion(
            stored["version"],
            stored.get("previous"),
            stored["revision"],
            stored["promoted_at"],
            stored["promoted_by"],
            tuple(stored["history"]),
            stored.get("record"),
            stored.get("asked"),
        )
    except (KeyError, TypeError) as error:
        raise CorruptModel("The pointer to the model in service cannot be read.") from error


def record_in_service(models: Models) -> dict[str, Any] | None:
    """The record of the version in service, which the pointer carries along, so that one read tells all. None while there is none, or
    none that can be read: what is stored of customers is shown all the same."""
    stored = models.champion()
    if stored is None:
        return None
    record: dict[str, Any] | None = stored.get("record") or models.version(str(stored.get("version")))
    if record is None or isinstance(record.get("threshold"), bool) or not isinstance(record.get("threshold"), int | float):
        return None
    return record


def promote(models: Models, version: str, by: str, *, expected_revision: int | None = None) -> Champion:
    """Puts a registered version into service. Promoting the version in service changes nothing.

    `expected_revision` is the revision the decision was based on (0: there was no champion); the present one when not given. Of two
    promotions from the same revision exactly one succeeds.

    Raises:
        UnknownVersion: there is no such version.
        NotPromotable: it was rejected when it was made.
        Conflict: the pointer has moved since.
    """
    record = models.version(version)
    if record is None:
        raise UnknownVersion(version)
    if record["status"] == "rejected":
        raise NotPromotable("This version was rejected when it was made: " + " ".join(record["gate"]["reasons"]))
    current = champion(models)
    if current is not None and current.version == version:
        return current
    if expected_revision is not None and expected_revision != (current.revision if current else 0):
        raise Conflict("another version was promoted in the meantime")
    return _move(models, current, record, by)


def rollback(models: Models, by: str, *, asked: str | None = None) -> Champion:
    """Puts the version back into service that was there before the last move. A second rollback undoes the first, unless both are the
    same request, `asked` twice.

    Raises:
        NotPromotable: there is no version to go back to.
        UnknownVersion: its record is gone.
        Conflict: the pointer moved at the same moment.
    """
    current = champion(models)
    if current is None or current.previous is None:
        raise NotPromotable("There is no earlier version to go back to.")
    if asked is not None and current.asked == asked:
        return current
    return _move(models, current, get(models, current.previous), by, asked)


def _move(models: Models, current: Champion | None, record: Mapping[str, Any], by: str, asked: str | None = None) -> Champion:
    version = record["version"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    revision = current.revision if current else 0
    entry = {"version": version, "promoted_at": now, "promoted_by": by}
    history = (entry, *(current.history if current else ()))[:_HISTORY]
    kept = {name: value for name, value in record.items() if name not in ("pk", "sk")}
    moved = Champion(version, current.version if current else None, revision + 1, now, by, history, kept, asked)
    pointer: dict[str, Any] = {
        "version": moved.version,
        "revision": moved.revision,
        "promoted_at": moved.promoted_at,
        "promoted_by": moved.promoted_by,
        "history": list(moved.history),
        "record": kept,
    }
    if asked is not None:
        pointer["asked"] = asked
    if moved.previous:
        pointer["previous"] = moved.previous
    models.set_champion(pointer, expected_revision=revision)
    return moved
