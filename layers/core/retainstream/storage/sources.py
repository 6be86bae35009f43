"""The kept sources in the bucket: Parquet files by kind, each with its facts, and an index of them for people."""

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from retainstream.settings import settings
from retainstream.storage.clients import s3
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable, storage_errors
from retainstream.storage.retry import attempts
from retainstream.storage.uploads import ChangedFile, StoredFile, Uploads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

type SourceKind = Literal["profile", "subscriptions", "events"]

KINDS: tuple[SourceKind, ...] = ("profile", "subscriptions", "events")
PREFIX = "sources/"
_ATTEMPTS = 20
_PIECE = 1 << 20


class PartFacts(TypedDict):
    """The rows of a kept file, and the first and last text in its column of time, where it has one."""

    rows: int
    first: NotRequired[str]
    last: NotRequired[str]


class LastDelivery(TypedDict):
    """The delivery that came last. `as_of` is the moment that it describes, `at` the moment at which it was added, both ISO 8601 in UTC."""

    delivery_id: str
    file_name: str
    as_of: str
    at: str
    rows: int
    added: int


class SourceIndex(TypedDict):
    """The kept files of a source by name, and its last delivery."""

    parts: dict[str, PartFacts]
    last_delivery: NotRequired[LastDelivery]


@dataclass(frozen=True)
class KeptSources:
    """The kept sources. Every method raises StorageUnavailable when S3 does not answer.

    A file is replaced on the condition that nobody else replaced it since it was read, so that deliveries may come side by side.
    """

    bucket: str = field(default_factory=lambda: settings().bucket)
    client: "S3Client" = field(default_factory=s3)

    @property
    def _uploads(self) -> Uploads:
        return Uploads(self.bucket, self.client)

    @property
    def _documents(self) -> Documents:
        return Documents(self.bucket, self.client)

    def parts(self, kind: SourceKind) -> dict[str, StoredFile]:
        """The kept files of a source, by name, in order."""
        prefix, parts = _key(kind, ""), dict[str, StoredFile]()
        with storage_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for stored in page.get("Contents", []):
                    name = stored["Key"].removeprefix(prefix).removesuffix(".parquet")
                    parts[name] = StoredFile(stored["Key"], stored["Size"], stored["ETag"])
        return dict(sorted(parts.items()))

    def part(self, kind: SourceKind, name: str) -> StoredFile | None:
        """A kept file, or None."""
        return self._uploads.find(_key(kind, name))

    def read(self, file: StoredFile, path: Path) -> None:
        """Copies a file of the bucket to a path.

        Raises:
            ChangedFile, NotStored
        """
        with self._uploads.open(file) as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, _PIECE)

    def replace(self, kind: SourceKind, name: str, path: Path, facts: PartFacts, before: StoredFile | None) -> None:
        """Puts a file in the place of the one that was read before, or of none.

        Raises:
            ChangedFile: another file is there now.
        """
        condition: Any = {"IfMatch": before.tag} if before else {"IfNoneMatch": "*"}
        metadata = {fact: str(value) for fact, value in facts.items()}
        try:
            with path.open("rb") as body, storage_errors():
                self.client.put_object(Bucket=self.bucket, Key=_key(kind, name), Body=body, Metadata=metadata, **condition)
        except Conflict as error:
            raise ChangedFile(name) from error

    def put(self, key: str, path: Path) -> None:
        """Writes a file that belongs to a run, and replaces an earlier one."""
        with path.open("rb") as body, storage_errors():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def drop(self, kind: SourceKind) -> int:
        """Removes a source with every version of its files. Returns the number of files."""
        removed = self._documents.withdraw(_key(kind, ""))
        self._documents.withdraw(_index(kind))
        return removed

    def index(self, kind: SourceKind) -> SourceIndex:
        """The index of a source; without files where nothing was delivered."""
        try:
            index: SourceIndex = json.loads(self._documents.get_bytes(_index(kind)))
        except NotStored:
            return {"parts": {}}
        return index

    def note(self, kind: SourceKind, names: Iterable[str], delivery: LastDelivery | None = None) -> None:
        """Brings the index up to date with the files of these names, and with a delivery, unless a later one is noted.

        Whoever replaces a file notes it afterwards, and reads its facts after the index: so the last note has the facts of the last file.

        Raises:
            StorageUnavailable: others write the index all the time.
        """
        names = list(names)
        for _ in attempts(_ATTEMPTS, first=0.02, longest=1.0):
            try:
                tagged = self._documents.get_tagged(_index(kind))
                index, tag = json.loads(tagged.content), tagged.tag
            except NotStored:
                index, tag = {"parts": {}}, None
            for name in names:
                facts = self._facts(kind, name)
                if facts is None:
                    index["parts"].pop(name, None)
                else:
                    index["parts"][name] = facts
            if delivery and delivery["at"] >= index.get("last_delivery", delivery)["at"]:
                index["last_delivery"] = delivery
            with suppress(Conflict):
                self._documents.replace_bytes(_index(kind), json.dumps(index, sort_keys=True).encode(), "application/json", tag=tag)
                return
        raise StorageUnavailable("the index of a source changes all the time")

    def _facts(self, kind: SourceKind, name: str) -> PartFacts | None:
        try:
            with storage_errors():
                metadata = self.client.head_object(Bucket=self.bucket, Key=_key(kind, name))["Metadata"]
        except NotStored:
            return None
        facts: PartFacts = {"rows": int(metadata["rows"])}
        if "first" in metadata and "last" in metadata:
            facts |= {"first": metadata["first"], "last": metadata["last"]}
        return facts


def _key(kind: SourceKind, name: str) -> str:
    return f"{PREFIX}{kind}/{name}.parquet" if name else f"{PREFIX}{kind}/"


def _index(kind: SourceKind) -> str:
    return f"{PREFIX}{kind}.json"
