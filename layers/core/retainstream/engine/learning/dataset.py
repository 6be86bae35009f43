"""The data set of a training run: rows of customers with a known outcome, and where they come from."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.lives import churned_of, day_number
from retainstream.engine.model.encoding import Rows, encode, has_dates
from retainstream.engine.model.past import described_day
from retainstream.engine.records import SYNTHETIC, NewCustomer
from retainstream.engine.schema import FeatureSchema

type Keys = NDArray[np.uint64]
type Days = NDArray[np.int32]

NO_ANCHOR = int(np.iinfo(np.int32).min)
"""The anchor of a row whose moment is not known."""


@dataclass(frozen=True)
class DataSet:
    """n rows, each a customer at an anchor with a known outcome. A customer with several anchors has several rows.

    keys: uint64 (n,), a hash of each customer's id, so that the file holds no ids; it repeats where a customer has several anchors.
    rows: float32 (n, features) in schema order. churned: bool (n,). groups: int16 (n,), places in schema.groups, -1 without a group.
    prices: float64 (n,), NaN where not known. synthetic: bool (n,), true where the outcome comes from the generator.
    anchors: int32 (n,), days since 1970-01-01 of the moments that the features describe, NO_ANCHOR where not known.
    """

    schema: FeatureSchema
    keys: Keys
    rows: Rows
    churned: NDArray[np.bool_]
    groups: NDArray[np.int16]
    prices: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    anchors: Days

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "DataSet":
        """The rows of a mask, or at these places, in this order."""
        return DataSet(
            self.schema,
            self.keys[chosen],
            self.rows[chosen],
            self.churned[chosen],
            self.groups[chosen],
            self.prices[chosen],
            self.synthetic[chosen],
            self.anchors[chosen],
        )

    def to_bytes(self) -> bytes:
        """The data set with its schema as one compressed file; equal data gives equal bytes."""
        buffer = io.BytesIO()
        document = np.frombuffer(self.schema.model_dump_json().encode(), dtype=np.uint8)
        np.savez_compressed(
            buffer,
            schema=document,
            keys=self.keys,
            rows=self.rows,
            churned=self.churned,
            groups=self.groups,
            prices=self.prices,
            synthetic=self.synthetic,
            anchors=self.anchors,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "DataSet":
        """The data set that `to_bytes` wrote. Anchors are not known in a file of an earlier release."""
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return cls(
                FeatureSchema.model_validate_json(stored["schema"].tobytes()),
                stored["keys"],
                stored["rows"],
                stored["churned"],
                stored["groups"],
                stored["prices"],
                stored["synthetic"],
                stored["anchors"] if "anchors" in stored else unknown_anchors(len(stored["keys"])),
            )


def unknown_anchors(rows: int) -> Days:
    """The anchors of rows whose moments are not known, int32 (rows,)."""
    return np.full(rows, NO_ANCHOR, dtype=np.int32)


def period_of(anchor: int) -> str:
    """The period of a day, such as "2026-09"."""
    return str(np.datetime64(anchor, "D").astype("datetime64[M]"))


def periods(data: DataSet) -> NDArray[np.str_]:
    """The period of each row (n,): the calendar month of its anchor, such as "2026-09"; "" where the anchor is not known."""
    known = data.anchors != NO_ANCHOR
    named = np.full(len(data), "", dtype="<U7")
    named[known] = np.datetime_as_string(data.anchors[known].astype("datetime64[D]"), unit="M")
    return named


class Moments(TypedDict, total=False):
    """Rows by what is known of their moments.

    checked: the days of features and outcome are recorded. stated: a person confirmed that outcomes are of the horizon after the features.
    assumed: nobody said so.
    """

    checked: int
    stated: int
    assumed: int


class ProvenanceDocument(TypedDict):
    """A `Provenance` as JSON."""

    customers: int
    labelled: int
    churned: int
    sources: dict[str, int]
    synthetic_share: float
    schema_name: str
    moments: NotRequired[Moments]


@dataclass(frozen=True)
class Provenance:
    """Where the rows of a data set come from: customers read, customers with a known outcome, and their outcomes by source."""

    customers: int
    labelled: int
    churned: int
    sources: dict[str, int]
    schema_name: str
    moments: Moments = field(default_factory=Moments)

    @property
    def synthetic_share(self) -> float:
        """Share of generated customers among those with a known outcome."""
        return self.sources.get(SYNTHETIC, 0) / self.labelled if self.labelled else 0.0

    def document(self) -> ProvenanceDocument:
        document: ProvenanceDocument = {
            "customers": self.customers,
            "labelled": self.labelled,
            "churned": self.churned,
            "sources": self.sources,
            "synthetic_share": round(self.synthetic_share, 6),
            "schema_name": self.schema_name,
        }
        return {**document, "moments": self.moments} if self.moments else document


def key_of(customer_id: str) -> int:
    """A customer's key for every split: 64 bits of a hash of the id, the same in every run."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=8).digest())


def collect(schema: FeatureSchema, pages: Iterable[Sequence[NewCustomer]]) -> tuple[DataSet, Provenance]:
    """The customers with a known outcome, ordered by key, whatever the order of the pages."""
    seen, sources = 0, Counter[str]()
    keys: list[int] = []
    blocks = [np.empty((0, len(schema.features)), dtype=np.float32)]
    churned: list[bool] = []
    groups: list[int] = []
    prices: list[float] = []
    synthetic: list[bool] = []
    places = {group: place for place, group in enumerate(schema.groups)}
    price = schema.money.price if schema.money else ""
    for page in pages:
        seen += len(page)
        labelled = [customer for customer in page if churned_of(customer["life"]) is not None]
        days = [day_number(described_day(customer)) for customer in labelled] if has_dates(schema) else None
        blocks.append(encode(schema, [customer["features"] for customer in labelled], days))
        for customer in labelled:
            keys.append(key_of(customer["customer_id"]))
            churned.append(churned_of(customer["life"]) is True)
            groups.append(places.get(customer.get("group", ""), -1))
            paid = customer["features"].get(price)
            prices.append(np.nan if paid is None else float(paid))
            origin = str(customer.get("outcome_source", customer.get("source", "unknown")))
            sources[origin] += 1
            synthetic.append(origin == SYNTHETIC)
    unordered = DataSet(
        schema,
        np.array(keys, dtype=np.uint64),
        np.concatenate(blocks),
        np.array(churned, dtype=bool),
        np.array(groups, dtype=np.int16),
        np.array(prices, dtype=np.float64),
        np.array(synthetic, dtype=bool),
        unknown_anchors(len(keys)),
    )
    provenance = Provenance(seen, len(keys), int(sum(churned)), dict(sorted(sources.items())), schema.name)
    return in_order(unordered), provenance


def in_order(data: DataSet) -> DataSet:
    """The rows by key, then by anchor: the order of the rows in every training run."""
    return data.where(np.lexsort((data.anchors, data.keys)))


def joined(parts: Sequence[DataSet]) -> DataSet:
    """The rows of all parts, one part after the other."""
    return DataSet(
        parts[0].schema,
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.churned for part in parts]),
        np.concatenate([part.groups for part in parts]),
        np.concatenate([part.prices for part in parts]),
        np.concatenate([part.synthetic for part in parts]),
        np.concatenate([part.anchors for part in parts]),
    )


def merged(parts: Sequence[tuple[DataSet, Provenance]]) -> tuple[DataSet, Provenance]:
    """The result of `collect` for the pages of all parts together."""
    data = joined([part for part, _ in parts])
    provenances = [provenance for _, provenance in parts]
    sources = sum((Counter(part.sources) for part in provenances), Counter[str]())
    rows: Counter[str] = Counter()
    for part in provenances:
        rows.update(part.moments)
    provenance = Provenance(
        sum(part.customers for part in provenances),
        sum(part.labelled for part in provenances),
        sum(part.churned for part in provenances),
        dict(sorted(sources.items())),
        provenances[0].schema_name,
        cast("Moments", dict(sorted(rows.items()))),
    )
    return in_order(data), provenance
