"""How far an export has come, as its turns leave it for each other in the bucket."""

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Self

from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.results import Filters
from retainstream.runs.exports.layout import FileLayout
from retainstream.storage.documents import Documents
from retainstream.storage.table import Key


@dataclass(frozen=True)
class Place:
    """The key after which a segment of the scan goes on."""

    segment: int
    start: Key | None = None
    done: bool = False


@dataclass
class Progress:
    """`parts` are in the upload (size in bytes and tag, by number from 1). The bytes under the name `held` are less than a part, and wait.

    Of `examined` predictions `rows` passed the filters; with the header they are `size` bytes. `removed` customers had been removed before
    the export began.
    """

    upload_id: str
    schema: FeatureSchema
    filters: Filters
    places: list[Place]
    size: int
    held: str
    removed: int
    layout: FileLayout
    parts: list[tuple[int, str]] = field(default_factory=list)
    examined: int = 0
    rows: int = 0

    @property
    def done(self) -> bool:
        return all(place.done for place in self.places)

    @property
    def counts(self) -> dict[str, int]:
        return {"examined": self.examined, "rows": self.rows}

    def to_bytes(self) -> bytes:
        plain = {name: value for name, value in vars(self).items() if name not in ("schema", "filters", "layout", "places")}
        places = [asdict(place) for place in self.places]
        plain |= {"schema": self.schema.model_dump(mode="json"), "filters": asdict(self.filters), "places": places}
        plain["layout"] = asdict(self.layout)
        return json.dumps(plain, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        plain = json.loads(content)
        plain["schema"] = FeatureSchema.model_validate(plain["schema"])
        plain["filters"] = Filters(**plain["filters"])
        plain["layout"] = FileLayout(**plain.get("layout", {"data": True}))
        plain["places"] = [Place(**place) for place in plain["places"]]
        plain["parts"] = [(size, tag) for size, tag in plain["parts"]]
        return cls(**plain)


@dataclass(frozen=True)
class Work:
    """The bytes that one export keeps for itself in the bucket, each time under a new name."""

    documents: Documents
    run_id: str

    def put(self, content: bytes) -> str:
        """Keeps bytes. Returns their name."""
        name = uuid.uuid4().hex
        self.documents.put_bytes(self._key(name), content)
        return name

    def get(self, name: str) -> bytes:
        return self.documents.get_bytes(self._key(name))

    def _key(self, name: str) -> str:
        return f"exports/work/{self.run_id}/{name}"
