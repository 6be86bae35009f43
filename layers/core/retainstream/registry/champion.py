"""The champion: a pointer to the version in service, moved by one conditional write."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from retainstream.engine.model.levels import LevelBounds, bounds_of
from retainstream.registry.errors import CorruptModel, NotPromotable, UnknownVersion
from retainstream.registry.versions import SERVING_FILES, get
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models, Pointer, PromotionRecord, RollbackRecord, Version

_HISTORY = 50
_REMEMBERED, _MOST_REMEMBERED = timedelta(days=1), 200
"""Rollbacks with a key are remembered for so long, and at most so many of them."""


@dataclass(frozen=True)
class Champion:
    """The pointer as it was read.

    `revision` grows by one with every move. `previous` is the version that a rollback restores. `record` is a copy of the version's
    record, made when the pointer moved. `history` and `rollbacks` are newest first; `rollbacks` are those of the last day with a key.
    """

    version: str
    previous: str | None
    revision: int
    promoted_at: str
    promoted_by: str
    history: tuple[PromotionRecord, ...]
    record: Version | None = field(default=None, compare=False, repr=False)
    rollbacks: tuple[RollbackRecord, ...] = field(default=(), compare=False)


def champion(models: Models) -> Champion | None:
    """The version in service, or None before the first promotion.

    Raises:
        CorruptModel: the stored pointer cannot be read.
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
            tuple(stored.get("rollbacks", ())),
        )
    except (KeyError, TypeError) as error:
        raise CorruptModel("The pointer to the model in service cannot be read.") from error


def record_in_service(models: Models) -> Version | None:
    """The record of the version in service, in one read, since the pointer holds a copy.

    None before the first promotion, and where the record cannot be read: stored predictions are shown all the same.
    """
    stored = models.champion()
    if stored is None:
        return None
    record = stored.get("record") or models.version(str(stored.get("version")))
    if record is None:
        return None
    try:
        bounds_of(record)
    except ValueError:
        return None
    return record


def levels_in_service(models: Models) -> LevelBounds | None:
    """The bounds of the levels of the version in service; None as for `record_in_service`."""
    record = record_in_service(models)
    return bounds_of(record) if record else None


def promote(models: Models, version: str, by: str, *, expected_revision: int | None = None) -> Champion:
    """Puts a registered version into service. Promoting the version in service changes nothing.

    `expected_revision` is the revision that the decision was based on (0: there was no champion). Default: the present one. Of two
    promotions from the same revision exactly one succeeds.

    Raises:
        UnknownVersion: the version does not exist.
        NotPromotable: the gate rejected it.
        Conflict: the pointer has moved since.
    """
    record = models.version(version)
    if record is None:
        raise UnknownVersion(version)
    if record["status"] == "rejected":
        raise NotPromotable("The gate rejected this version: " + " ".join(record["gate"]["reasons"]))
    current = champion(models)
    if current is not None and current.version == version:
        return current
    if expected_revision is not None and expected_revision != (current.revision if current else 0):
        raise Conflict("another version was promoted meanwhile")
    return _move(models, current, record, by)


def rollback(models: Models, by: str, *, asked: str | None = None) -> Champion:
    """Puts the previous version back into service. A second rollback undoes the first, unless both have the same request id `asked`: then
    the second answers with the champion as the first left it, for a day, whatever was promoted meanwhile.

    Raises:
        NotPromotable: no version with another model was in service before.
        UnknownVersion: the previous version's record does not exist.
        Conflict: the pointer moved at the same moment.
    """
    current = champion(models)
    done = next((done for done in current.rollbacks if done["asked"] == asked), None) if current else None
    if current is not None and done is not None:
        return _as_it_was(models, current, done)
    if current is None or current.previous is None:
        raise NotPromotable("No version with another model was in service before this one.")
    return _move(models, current, get(models, current.previous), by, asked)


def _as_it_was(models: Models, current: Champion, done: RollbackRecord) -> Champion:
    """The champion after a rollback that was done before."""
    if done["revision"] == current.revision:
        return current
    history = current.history[current.revision - done["revision"] :]
    record = models.version(done["version"])
    return Champion(done["version"], done["previous"], done["revision"], done["promoted_at"], done["promoted_by"], history, record)


def _move(models: Models, current: Champion | None, record: Version, by: str, asked: str | None = None) -> Champion:
    version = record["version"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    revision = current.revision if current else 0
    entry: PromotionRecord = {"version": version, "promoted_at": now, "promoted_by": by}
    history = (entry, *(current.history if current else ()))[:_HISTORY]
    kept = cast("Version", {name: value for name, value in record.items() if name not in ("pk", "sk")})
    previous = _previous(models, current, record)
    rollbacks = _remembered(current.rollbacks) if current else ()
    if asked is not None:
        done = RollbackRecord(**entry, asked=asked, revision=revision + 1, previous=previous)
        rollbacks = (done, *rollbacks)[:_MOST_REMEMBERED]
    moved = Champion(version, previous, revision + 1, now, by, history, kept, rollbacks)
    pointer: Pointer = {
        "version": moved.version,
        "revision": moved.revision,
        "promoted_at": moved.promoted_at,
        "promoted_by": moved.promoted_by,
        "history": list(moved.history),
        "record": kept,
    }
    if rollbacks:
        pointer["rollbacks"] = list(rollbacks)
    if moved.previous:
        pointer["previous"] = moved.previous
    models.set_champion(pointer, expected_revision=revision)
    return moved


def _previous(models: Models, current: Champion | None, record: Version) -> str | None:
    """The version that a rollback from `record` restores: the latest one that was in service with another model."""
    if current is None:
        return None
    before = current.record or models.version(current.version)
    return current.previous if before and _content(before) == _content(record) else current.version


def _content(record: Version) -> tuple[object, ...]:
    """What the scores of a version depend on. Versions of the same customers and settings may have the same."""
    files = record.get("files") or {}
    digests = [files[name]["sha256"] for name in SERVING_FILES if name in files]
    return (*digests, record.get("threshold"), record.get("levels")) if len(digests) == len(SERVING_FILES) else (record["version"],)


def _remembered(rollbacks: tuple[RollbackRecord, ...]) -> tuple[RollbackRecord, ...]:
    earliest = (datetime.now(UTC) - _REMEMBERED).isoformat(timespec="milliseconds")
    return tuple(done for done in rollbacks if done["promoted_at"] > earliest)
