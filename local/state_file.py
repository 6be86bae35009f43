"""The SQLite file of the stored state: its tables, and the states of earlier versions."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from local.bodies import Bodies
from local.save_error import reason

FORMAT = "2"
_BODIES_INSIDE = "1"
"""The format that kept the bodies of objects in the database."""

_OBJECTS = """
CREATE TABLE objects (bucket TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT NOT NULL, file TEXT NOT NULL, PRIMARY KEY (bucket, name))
"""
_SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items (name TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;
CREATE TABLE streams (name TEXT PRIMARY KEY, next_sequence TEXT NOT NULL, readers TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (name TEXT NOT NULL, sequence TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (name, sequence)) WITHOUT ROWID;
CREATE TABLE keys (logical_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, pem TEXT NOT NULL) WITHOUT ROWID;
{_OBJECTS};
"""


class StateError(Exception):
    """This version cannot read, write or use the state; the message is one line for a person."""


def open_state(path: Path, bodies: Bodies) -> sqlite3.Connection:
    """Open the file, or create it. A state with the bodies of objects inside is carried over.

    Raises:
        StateError: another version wrote it, or there is no room to carry it over.
        OSError, sqlite3.Error: it cannot be read.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        if not tables:
            _create(database)
        elif (written := _format(database) if "meta" in tables else None) == _BODIES_INSIDE:
            _carry_over(database, path, bodies)
        elif written != FORMAT:
            raise StateError(f"The state in {path} was written by another version of the local stack. Start again with RESET=1.")
        bodies.keep_only(files(database))
    except BaseException:
        database.close()
        raise
    return database


def files(database: sqlite3.Connection) -> set[str]:
    """The names of the files of all bodies."""
    return {file for (file,) in database.execute("SELECT file FROM objects")}


def _create(database: sqlite3.Connection) -> None:
    database.execute("BEGIN")
    for statement in _SCHEMA.split(";"):
        database.execute(statement)
    database.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
    database.execute("COMMIT")


def _format(database: sqlite3.Connection) -> str | None:
    row = database.execute("SELECT value FROM meta WHERE name='format'").fetchone()
    return None if row is None else str(row[0])


def _carry_over(database: sqlite3.Connection, path: Path, bodies: Bodies) -> None:
    """Move the bodies out of the database. Until the last step the old state stays as it was."""
    try:
        moved = [
            (bucket, name, metadata, bodies.add(body))
            for bucket, name, metadata, body in database.execute("SELECT bucket, name, metadata, body FROM objects")
        ]
        bodies.sync()
        database.execute("PRAGMA synchronous=FULL")
        database.execute("BEGIN")
        database.execute("DROP TABLE objects")
        database.execute(_OBJECTS)
        database.executemany("INSERT INTO objects VALUES (?, ?, ?, ?)", moved)
        database.execute("UPDATE meta SET value=? WHERE name='format'", (FORMAT,))
        database.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"The state in {path} cannot be carried over to this version: {reason(error, path.parent)}.") from error
    with suppress(sqlite3.Error):  # a larger file does no harm
        database.execute("VACUUM")
