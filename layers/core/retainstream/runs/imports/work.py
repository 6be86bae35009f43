"""What the steps of an import share: the tables, what they leave for each other, and what can go wrong in words for the uploader."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from retainstream.engine.tables import UnreadableTable
from retainstream.engine.tables.splitting import Place
from retainstream.runs.imports.keys import work_key
from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile, StoredFile

type Document = dict[str, Any]


class ImportFailed(Exception):
    """The import cannot be done; the message is a sentence for the person who uploaded the file."""


@dataclass(frozen=True)
class Part:
    """A part of a file: its number from 0, where it begins, the offset of its end, and how many lines it has."""

    part: int
    start: int
    line: int
    end: int
    lines: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Part":
        return cls(*(document[name] for name in ("part", "start", "line", "end", "lines")))

    @property
    def place(self) -> Place:
        return Place(self.start, self.line)

    @property
    def name(self) -> str:
        return f"Part {self.part + 1} (lines {self.line:,} to {self.line + max(self.lines, 1) - 1:,})"


def put_document(stores: Stores, import_id: str, name: str, document: Any) -> None:
    stores.documents.put_bytes(work_key(import_id, name), json.dumps(document, separators=(",", ":")).encode(), "application/json")


def get_document(stores: Stores, import_id: str, name: str) -> Any:
    """A document that an earlier step has left.

    Raises:
        NotStored: there is none.
    """
    return json.loads(stores.documents.get_bytes(work_key(import_id, name)))


def file_of(document: Mapping[str, Any]) -> StoredFile:
    return StoredFile(document["key"], document["size"], document["tag"])


def file_document(file: StoredFile) -> Document:
    return asdict(file)


@contextmanager
def told_plainly(what: str) -> Iterator[None]:
    """Errors as whoever uploaded the file should read them; `what` names the part at work.

    Raises:
        StorageUnavailable: storage did not answer; the step may be tried again.
        ImportFailed: anything else.
    """
    try:
        yield
    except (ImportFailed, MemoryError):
        raise
    except StorageUnavailable as error:
        raise StorageUnavailable(f"{what}: storage did not answer, even after several tries ({error}).") from error
    except ChangedFile as error:
        raise ImportFailed(f"{what}: the file was uploaded again while it was read. Ask for a new import.") from error
    except NotStored as error:
        raise ImportFailed(f"{what}: the file, or what an earlier step had found in it, is no longer in the bucket.") from error
    except UnreadableTable as error:
        raise ImportFailed(f"{what}: {'; '.join(map(str, error.problems[:5]))}.") from error
    except Exception as error:
        raise ImportFailed(f"{what} could not be read or stored ({type(error).__name__}).") from error
