"""The part of a file, the keys in the bucket and the errors in words, which the tasks of an import share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

from retainstream.engine.tables import UnreadableTable
from retainstream.engine.tables.splitting import Place
from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile, StoredFile

UPLOADS = "imports/uploads/"
"""Every upload lies below this prefix, under the id of its import; its arrival starts the import."""


class ImportFailed(Exception):
    """The import cannot be done; the message is a sentence for the person who uploaded the file."""


class FileRecord(TypedDict):
    """A `StoredFile` as JSON."""

    key: str
    size: int
    tag: str


class PartRecord(TypedDict):
    """A `Part` as JSON."""

    part: int
    start: int
    line: int
    end: int
    lines: int


class RunEvent(TypedDict):
    """The fields of every task's event."""

    import_id: str


@dataclass(frozen=True)
class Part:
    """A part of a file: its number from 0, the offset and the line at which it begins, the offset of its end, and its number of lines."""

    part: int
    start: int
    line: int
    end: int
    lines: int

    @property
    def record(self) -> PartRecord:
        return {"part": self.part, "start": self.start, "line": self.line, "end": self.end, "lines": self.lines}

    @property
    def place(self) -> Place:
        return Place(self.start, self.line)

    @property
    def name(self) -> str:
        return f"Part {self.part + 1} (lines {self.line:,} to {self.line + max(self.lines, 1) - 1:,})"


def upload_key(import_id: str) -> str:
    return f"{UPLOADS}{import_id}"


def rejects_key(import_id: str) -> str:
    return f"imports/rejects/{import_id}.csv"


def unread_key(import_id: str) -> str:
    return f"imports/rejects/{import_id}-unread.csv"


def work_key(import_id: str, name: str) -> str:
    return f"imports/work/{import_id}/{name}"


def put_document(stores: Stores, import_id: str, name: str, document: object) -> None:
    stores.documents.put_bytes(work_key(import_id, name), json.dumps(document, separators=(",", ":")).encode(), "application/json")


def get_document(stores: Stores, import_id: str, name: str) -> Any:
    """A document that an earlier task left.

    Raises:
        NotStored: no task has left it.
    """
    return json.loads(stores.documents.get_bytes(work_key(import_id, name)))


def record_of(file: StoredFile) -> FileRecord:
    return {"key": file.key, "size": file.size, "tag": file.tag}


@contextmanager
def errors_in_words(subject: str) -> Iterator[None]:
    """Errors in words for the person who uploaded the file; `subject` names the part at work.

    Raises:
        StorageUnavailable: storage did not answer; the task may be tried again.
        ImportFailed: anything else.
    """
    try:
        yield
    except (ImportFailed, MemoryError):
        raise
    except StorageUnavailable as error:
        raise StorageUnavailable(f"{subject}: storage did not answer, even after several tries ({error}).") from error
    except ChangedFile as error:
        raise ImportFailed(f"{subject}: the file was uploaded again while it was read. Ask for a new import.") from error
    except NotStored as error:
        raise ImportFailed(f"{subject}: the file, or the work of an earlier step, is no longer in the bucket.") from error
    except UnreadableTable as error:
        raise ImportFailed(f"{subject}: {'; '.join(map(str, error.problems[:5]))}.") from error
    except Exception as error:
        raise ImportFailed(f"{subject} could not be read or stored ({type(error).__name__}).") from error
