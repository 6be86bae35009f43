"""The stored state of the local stack, in one SQLite file.

Everything a flush writes is one transaction over one moment between two batches of the stream readers: tables, positions in the
streams and the records that still have to be processed always agree, whenever the process is killed.
"""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from local.atomic_tables import LOCK, Key, store, stored
from local.isolation import ACCOUNT, REGION
from local.objects import ObjectWatch, put_object
from local.stream_shard import Record, StreamShard
from local.wire import attributes, item_from_attributes, to_json

FORMAT = "1"
_FILE = "state.sqlite3"
_FLUSH_SECONDS = 1.0
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items (name TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;
CREATE TABLE objects (bucket TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (bucket, name));
CREATE TABLE streams (name TEXT PRIMARY KEY, next_sequence TEXT NOT NULL, readers TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (name TEXT NOT NULL, sequence TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (name, sequence)) WITHOUT ROWID;
CREATE TABLE keys (logical_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, pem TEXT NOT NULL) WITHOUT ROWID;
"""


class StateError(Exception):
    """This version cannot read, write or use the state; the message is one line for a person."""


class State:
    """The state of a data folder, which no other process can use until `close`.

    Raises:
        StateError: the folder or the file in it cannot be used.
    """

    def __init__(self, folder: Path, *, reset: bool = False) -> None:
        self._path = folder / _FILE
        self._dirty: dict[tuple[str, str], tuple[str, Key]] = {}
        self._objects = ObjectWatch([])
        self._flushed: dict[str, int] = {}
        self._flushing = threading.Lock()
        self._failed = False
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
                for suffix in ("", "-wal", "-shm", "-journal"):
                    self._path.with_name(_FILE + suffix).unlink(missing_ok=True)
            self._database = self._open()
        except StateError:
            self._lock_file.close()
            raise
        except (OSError, sqlite3.Error) as error:
            self._lock_file.close()
            raise StateError(f"The state in {self._path} cannot be read ({error}). Start again with RESET=1.") from error

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path.chmod(0o600)
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        if not tables:
            database.execute("BEGIN")
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
            database.execute("COMMIT")
        row = database.execute("SELECT value FROM meta WHERE name='format'").fetchone() if not tables or "meta" in tables else None
        if row is None or row[0] != FORMAT:
            database.close()
            raise StateError(f"The state in {self._path} was written by another version of the local stack. Start again with RESET=1.")
        return database

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

    def load(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Load the stored state into moto's tables, streams and buckets, which must exist. Returns the number of items.

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
            for bucket, name, metadata, body in self._database.execute("SELECT bucket, name, metadata, body FROM objects"):
                put_object(bucket, name, json.loads(metadata), body)
            for name, next_sequence, readers in self._database.execute("SELECT name, next_sequence, readers FROM streams"):
                rows = self._database.execute("SELECT sequence, event FROM records WHERE name=? ORDER BY sequence", (name,))
                records = [Record(int(sequence), json.loads(event)) for sequence, event in rows]
                shard: Any = tables[name].stream_shard
                shard.restore(records, int(next_sequence), json.loads(readers))
                self._flushed[name] = int(next_sequence)
        except (KeyError, ValueError, AttributeError, sqlite3.Error) as error:
            reason = f"{type(error).__name__}: {error}"
            raise StateError(f"The state in {self._path} does not fit this template ({reason}). Start again with RESET=1.") from error
        return loaded

    def watch(self, table: Table, old: Item | None, new: Item | None) -> None:
        """Watcher for `atomic_tables`: note the items that have to be written."""
        for item in (old, new):
            if item is not None:
                key = (item.hash_key, item.range_key)
                self._dirty[table.name, _place(key)] = (table.name, key)
                return

    @contextmanager
    def kept(self, buckets: list[str], between_batches: AbstractContextManager[Any], report: Callable[[str], None]) -> Iterator[None]:
        """Flush every second while the context lasts, and once more at its end."""
        self._objects = ObjectWatch(buckets)
        stopping = threading.Event()

        def flush_often() -> None:
            while not stopping.wait(_FLUSH_SECONDS):
                self._flush_or_report(between_batches, report)

        thread = threading.Thread(target=flush_often, name="flush", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(timeout=10)
            self._flush_or_report(between_batches, report)

    def _flush_or_report(self, between_batches: AbstractContextManager[Any], report: Callable[[str], None]) -> None:
        try:
            self.flush(between_batches)
            self._failed = False
        except sqlite3.Error as error:
            if not self._failed:
                report(f"The state cannot be written to {self._path} ({error}); later changes are lost if the stack stops.")
            self._failed = True

    def flush(self, between_batches: AbstractContextManager[Any]) -> None:
        """Write what has changed since the last flush, in one transaction.

        Raises:
            sqlite3.Error: the state could not be written; the next flush tries again.
        """
        with self._flushing:
            with between_batches, LOCK:
                dirty, self._dirty = self._dirty, {}
                tables = dynamodb_backends[ACCOUNT][REGION].tables
                items = [(name, place, stored(tables[name], key)) for (name, place), (_, key) in dirty.items()]
                streams = [
                    (name, shard.next_sequence, dict(shard.readers), shard.starting_sequence_number, self._new_records(name, shard))
                    for name, shard in _shards(tables)
                ]
                objects = self._objects.changes()
            try:
                self._write(items, streams, objects.written, objects.removed)
            except sqlite3.Error:
                with LOCK:
                    self._dirty = {**dirty, **self._dirty}
                raise
            self._flushed.update({name: next_sequence for name, next_sequence, *_ in streams})
            self._objects.done(objects)

    def _new_records(self, name: str, shard: StreamShard) -> list[Record]:
        flushed = self._flushed.get(name, 0)
        new = []
        for record in reversed(shard.records):
            if record.sequence < flushed:
                break
            new.append(record)
        return new

    def _write(
        self,
        items: list[tuple[str, str, Item | None]],
        streams: list[tuple[str, int, dict[str, int], int, list[Record]]],
        written: Mapping[tuple[str, str], tuple[dict[str, Any], bytes]],
        removed: set[tuple[str, str]],
    ) -> None:
        database = self._database
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
            rows_of_objects = ((bucket, name, json.dumps(metadata), body) for (bucket, name), (metadata, body) in written.items())
            database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", rows_of_objects)
            database.executemany("DELETE FROM objects WHERE bucket=? AND name=?", removed)
            database.execute("COMMIT")
        except BaseException:
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


def _place(key: Key) -> str:
    return json.dumps([None if part is None else [part.type, part.value] for part in key], default=str)
