"""The working files of a training run that both of its functions write and read."""

import json
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from retainstream.engine.learning.dataset import DataSet, Moments
from retainstream.storage.documents import Documents, Stored


class TrainingEvent(TypedDict):
    """The fields of every task's event; `started_at` is ISO 8601 in UTC."""

    run_id: str
    started_at: str
    started_by: str


class PartOfBase(TypedDict):
    """One part of the base: its number from 0. `parts` is how many there are.

    `customers` is there where Athena has read the history: the customers that count as read by this part.
    """

    part: int
    parts: NotRequired[int]
    customers: NotRequired[int]


class ProvenanceRecord(TypedDict):
    """A `Provenance` as JSON."""

    customers: int
    labelled: int
    churned: int
    sources: dict[str, int]
    schema_name: str
    moments: Moments


class PartExtracted(TypedDict):
    part: int
    provenance: ProvenanceRecord


@dataclass(frozen=True)
class WorkingFiles:
    """The working files of one run, under datasets/<run_id>/. A task that is tried again writes the same files again."""

    documents: Documents
    run_id: str

    def key(self, name: str) -> str:
        return f"datasets/{self.run_id}/{name}"

    def put(self, name: str, content: bytes, content_type: str = "application/octet-stream") -> Stored:
        return self.documents.put_bytes(self.key(name), content, content_type)

    def get(self, name: str) -> bytes:
        return self.documents.get_bytes(self.key(name))

    def put_json(self, name: str, document: object) -> Stored:
        return self.put(name, json.dumps(document, indent=1, allow_nan=False).encode(), "application/json")

    def get_json(self, name: str) -> Any:
        return json.loads(self.get(name))

    def put_data(self, data: DataSet) -> Stored:
        return self.put("data.npz", data.to_bytes())

    def data(self) -> DataSet:
        return DataSet.from_bytes(self.get("data.npz"))

    def put_part(self, number: int, data: DataSet) -> None:
        self.documents.put_bytes(self._part(number), data.to_bytes())

    def part(self, number: int) -> DataSet:
        return DataSet.from_bytes(self.documents.get_bytes(self._part(number)))

    def _part(self, number: int) -> str:
        return f"training/{self.run_id}/parts/{number:04}.npz"
