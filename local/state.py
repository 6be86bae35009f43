"""The stored state of the local stack: one SQLite file, and beside it a file for the body of each object.

Everything a flush writes is one transaction over one moment between two batches of the stream readers: tables, positions in the
streams and the records that still have to be processed always agree, whenever the process is killed. Bodies are on the disk before
the transaction names them. An object whose body cannot be written waits for a later flush and holds up nothing else.
"""

import fcntl
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeKey

from local.atomic_tables import LOCK, Key, store, stored
from local.bodies import Bodies, Body
from local.isolation import ACCOUNT, REGION
from local.objects import LOCK as OBJECTS_LOCK
from local.objects import ObjectWatch, Place, metadata_of, pieces, read_from, restore
from local.save_error import SaveError, reason
from local.state_file import StateError, files, open_state
from local.stream_shard import Record, StreamShard
from local.wire import attributes, item_from_attributes, to_json

_FILE = "state.sqlite3"
_BODIES = "objects"
_LISTED = 3


class _Stream(NamedTuple):
    name: str
    next_sequence: int
    readers: dict[str, int]
    first: int
    records: list[Record]


class _SavedObject(NamedTuple):
    """An object, what is stored of it beside the body, and the file of its body."""

    key: FakeKey
    metadata: str
    file: str


class State:
    """The state of a data folder, which no other process can use until `close`.

    Raises:
        StateError: the folder or the file in it cannot be used.
    """

    def __init__(self, folder: Path, *, reset: bool = False) -> None:
        self._folder = folder
        self._path = folder / _FILE
        self._dirty: dict[tuple[str, str], tuple[str, Key]] = {}
        self._objects = ObjectWatch([])
        self._flushed: dict[str, int] = {}
        self._flushing = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_file = (folder / "lock").open("w")
        except OSError as error:
            raise StateError(f"The data folder {folder} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock_file.close()
            raise StateError(f"The data folder {folder} is in use by another local stack.") from error
        try:
            if reset:
                self._remove()
            self._bodies = Bodies(folder / _BODIES)
            self._database = open_state(self._path, self._bodies)
        except StateError:
            self._lock_file.close()
            raise
        except (OSError, sqlite3.Error) as error:
            self._lock_file.close()
            raise StateError(f"The state in {self._path} cannot be read ({error}). Start again with RESET=1.") from error

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(_FILE + suffix).unlink(missing_ok=True)
        if (self._folder / _BODIES).exists():
            shutil.rmtree(self._folder / _BODIES)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a folder holds a state."""
        return (folder / _FILE).exists()

    @property
    def seeded(self) -> bool:
        """Whether the first seeding is complete."""
        return self._database.execute("SELECT 1 FROM meta WHERE name='seeded'").fetchone() is not None

    def keep_seeded(self) -> None:
        """Record that the first seeding is complete and flushed."""
        with self._flushing:
            self._database.execute("INSERT OR REPLACE INTO meta VALUES ('seeded', '1')")

    def note(self, name: str, default: str) -> str:
        """The value stored under a name; `default` is stored if there is no value."""
        with self._flushing:
            self._database.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (f"note {name}", default))
            [value] = self._database.execute("SELECT value FROM meta WHERE name=?", (f"note {name}",)).fetchone()
        return str(value)

    def begin_seeding(self, name: str, origin: str) -> None:
        """Record the beginning of a seeding from `origin`, as a note of that name."""
        with self._flushing:
            self._database.execute("DELETE FROM meta WHERE name='seeded'")
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"note {name}", origin))

    def remembered(self, name: str) -> str | None:
        """The value stored under a name."""
        row = self._database.execute("SELECT value FROM meta WHERE name=?", (f"note {name}",)).fetchone()
        return None if row is None else str(row[0])

    def moment(self, name: str) -> datetime:
        """The time of the first call with this name."""
        return datetime.fromisoformat(self.note(name, datetime.now(UTC).isoformat()))

    def key(self, logical_id: str) -> tuple[str, str] | None:
        """Id and private key (PEM) of a stored KMS key."""
        row: tuple[str, str] | None = self._database.execute("SELECT key_id, pem FROM keys WHERE logical_id=?", (logical_id,)).fetchone()
        return row

    def keep_key(self, logical_id: str, key_id: str, pem: str) -> None:
        with self._flushing:
            self._database.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (logical_id, key_id, pem))

    def load(self, progress: Callable[[int], None] = lambda _: None, report: Callable[[str], None] = lambda _: None) -> int:
        """Load the stored state into moto's tables, streams and buckets, which must exist. Returns the number of items.

        The bodies of objects stay in their files. An object without its file is reported and left out.

        Raises:
            StateError: the stored state does not fit the template.
        """
        tables = dynamodb_backends[ACCOUNT][REGION].tables
        loaded = 0
        try:
            for name, item in self._database.execute("SELECT name, item FROM items"):
                table = tables[name]
                made = item_from_attributes(table.hash_key_attr, table.range_key_attr, json.loads(item))
                store(table, (made.hash_key, made.range_key), made)
                loaded += 1
                if loaded % 1000 == 0:
                    progress(loaded)
            for bucket, name, metadata, file in self._database.execute("SELECT bucket, name, metadata, file FROM objects"):
                try:
                    restore((bucket, name), metadata, self._bodies.body(file))
                except FileNotFoundError:
                    report(f"The object {bucket}/{name} is left out: its file {file} is missing in {self._folder / _BODIES}.")
            for name, next_sequence, readers in self._database.execute("SELECT name, next_sequence, readers FROM streams"):
                rows = self._database.execute("SELECT sequence, event FROM records WHERE name=? ORDER BY sequence", (name,))
                records = [Record(int(sequence), json.loads(event)) for sequence, event in rows]
                shard: Any = tables[name].stream_shard
                shard.restore(records, int(next_sequence), json.loads(readers))
                self._flushed[name] = int(next_sequence)
        except (KeyError, ValueError, AttributeError, sqlite3.Error) as error:
            fault = f"{type(error).__name__}: {error}"
            raise StateError(f"The state in {self._path} does not fit this template ({fault}). Start again with RESET=1.") from error
        return loaded

    def watch(self, table: Table, old: Item | None, new: Item | None) -> None:
        """Watcher for `atomic_tables`: note the items that have to be written."""
        for item in (old, new):
            if item is not None:
                key = (item.hash_key, item.range_key)
                self._dirty[table.name, _place(key)] = (table.name, key)
                return

    def watch_objects(self, buckets: list[str]) -> None:
        """Save the objects of these buckets that change from now on."""
        self._objects = ObjectWatch(buckets)

    def flush(self, between_batches: AbstractContextManager[Any]) -> None:
        """Write what has changed since the last flush: bodies of objects to their files, then all else in one transaction.

        Raises:
            SaveError: a part could not be written. The rest is written, and the next flush tries that part again.
        """
        with self._flushing:
            unsaved: dict[tuple[str, str], tuple[str, Key]] = {}
            try:
                with ExitStack() as copying:
                    with between_batches, LOCK:
                        unsaved, self._dirty = self._dirty, {}
                        tables = dynamodb_backends[ACCOUNT][REGION].tables
                        items = [(name, place, stored(tables[name], key)) for (name, place), (_, key) in unsaved.items() if name in tables]
                        streams = [
                            _Stream(
                                name,
                                shard.next_sequence,
                                dict(shard.readers),
                                shard.starting_sequence_number,
                                self._new_records(name, shard),
                            )
                            for name, shard in _shards(tables)
                        ]
                        copying.enter_context(OBJECTS_LOCK)
                        changes = self._objects.changes()
                    copied, refused = self._copied(changes.written)
                saved = self._finished(copied, refused)
                self._write(items, streams, saved, changes.removed)
                unsaved = {place: entry for place, entry in unsaved.items() if place[0] not in tables}
            except (OSError, sqlite3.Error) as error:
                raise SaveError(f"The state of the local stack cannot be saved: {reason(error, self._folder)}.") from error
            finally:
                with LOCK:
                    self._dirty = {**unsaved, **self._dirty}
            self._flushed.update({stream.name: stream.next_sequence for stream in streams})
            self._objects.done({place: row.key for place, row in saved.items()}, changes.removed)
            self._bodies.keep_only(files(self._database))
        missing = sorted({f"the table {name}" for name, _ in unsaved} | {f"the bucket {name}" for name in changes.missing})
        if refused or missing:
            raise SaveError(
                " ".join([*_refusals(refused), *(f"Changes of {name} cannot be saved: it does not exist." for name in missing)])
            )

    def _copied(self, written: Mapping[Place, FakeKey]) -> tuple[dict[Place, _SavedObject], dict[Place, str]]:
        """Copy bodies that have no file yet. Returns the objects, and the reasons why others could not be copied."""
        copied, refused = dict[Place, _SavedObject](), dict[Place, str]()
        for place, key in written.items():
            source: Any = key._value_buffer
            try:
                file = source.name if isinstance(source, Body) else self._bodies.copy(pieces(key, 0, key.size), key.size)
                copied[place] = _SavedObject(key, metadata_of(key), file)
            except OSError as error:
                refused[place] = reason(error, self._folder)
        return copied, refused

    def _finished(self, copied: Mapping[Place, _SavedObject], refused: dict[Place, str]) -> dict[Place, _SavedObject]:
        """Write the copies to the disk, and let moto read the bodies there. Adds those that the disk does not take to `refused`."""
        finished = {}
        for place, row in copied.items():
            try:
                if not isinstance(row.key._value_buffer, Body):
                    self._bodies.finish(row.file)
            except OSError as error:
                refused[place] = reason(error, self._folder)
                continue
            finished[place] = row
            with OBJECTS_LOCK:
                if not row.key.disposed and not isinstance(row.key._value_buffer, Body):
                    read_from(row.key, self._bodies.body(row.file))
        if finished:
            self._bodies.sync()
        return finished

    def _new_records(self, name: str, shard: StreamShard) -> list[Record]:
        flushed = self._flushed.get(name, 0)
        new = []
        for record in reversed(shard.records):
            if record.sequence < flushed:
                break
            new.append(record)
        return new

    def _write(
        self, items: list[tuple[str, str, Item | None]], streams: list[_Stream], saved: Mapping[Place, _SavedObject], removed: set[Place]
    ) -> None:
        database = self._database
        # A file is removed after the transaction that no longer names it, so a power failure must not undo that transaction.
        database.execute(f"PRAGMA synchronous={'FULL' if saved or removed else 'NORMAL'}")
        database.execute("BEGIN")
        try:
            database.executemany(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?)",
                ((name, place, to_json(attributes(item))) for name, place, item in items if item is not None),
            )
            database.executemany(
                "DELETE FROM items WHERE name=? AND place=?", ((name, place) for name, place, item in items if item is None)
            )
            for name, next_sequence, readers, first, records in streams:
                database.execute("INSERT OR REPLACE INTO streams VALUES (?, ?, ?)", (name, str(next_sequence), json.dumps(readers)))
                database.execute("DELETE FROM records WHERE name=? AND sequence<?", (name, str(first)))
                rows = ((name, str(record.sequence), json.dumps(record.event)) for record in records)
                database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)
            objects = ((*place, row.metadata, row.file) for place, row in saved.items())
            database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", objects)
            database.executemany("DELETE FROM objects WHERE bucket=? AND name=?", removed)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # after some errors SQLite has rolled back itself
                with suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Release the data folder."""
        with self._flushing:
            self._database.close()
        self._lock_file.close()


def _shards(tables: Mapping[str, Table]) -> Iterator[tuple[str, StreamShard]]:
    for name, table in tables.items():
        shard: Any = table.stream_shard
        if shard is not None:
            yield name, shard


def _refusals(refused: Mapping[Place, str]) -> Iterator[str]:
    """One sentence for each reason, with the first objects that it concerns."""
    for cause in sorted(set(refused.values())):
        names = ["/".join(place) for place, why in refused.items() if why == cause]
        listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
        yield f"{len(names):,} object{'s' if len(names) > 1 else ''} cannot be saved ({listed}): {cause}."


def _place(key: Key) -> str:
    return json.dumps([None if part is None else [part.type, part.value] for part in key], default=str)
