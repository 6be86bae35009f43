"""A delivery of a source file, and the sources, as the interface shows them."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field

from retainstream.runs.record import RunView
from retainstream.runs.uploading import UploadView
from retainstream.storage.runs import Run
from retainstream.storage.sources import SourceIndex, SourceKind

STEPS = ("read", "merge")

Source = Literal["profile", "subscriptions", "events"]


class Asked(TypedDict):
    """The request of a delivery. `as_of` is ISO 8601 in UTC. `upload_id` is there where the file is uploaded in parts, and `dropped`, the
    key in the bucket, where the business put the file there."""

    kind: SourceKind
    file_name: str
    size: int
    gzip: NotRequired[bool]
    as_of: str
    upload_id: NotRequired[str]
    dropped: NotRequired[str]


class Result(TypedDict):
    notes: list[str]


type DeliveryRun = Run[Asked, Result]


class DeliveryCounts(BaseModel):
    """added + changed + repeated + older + removed = read."""

    read: int = Field(description="Rows in the file")
    added: int = Field(description="Rows that the source did not have")
    changed: int = Field(description="Rows with other values than the source had, such as the end of a subscription")
    repeated: int = Field(description="Rows that the source had already, or that the file has twice")
    older: int = Field(description="Rows of which a later delivery has brought newer values")
    removed: int = Field(description="Rows of customers who were removed afterwards; they are not stored again")


class DeliveryView(RunView):
    """A delivery of a source file."""

    delivery_id: str
    status: Literal["WAITING", "RUNNING", "SUCCEEDED", "FAILED"] = Field(description="WAITING: for the upload")  # type: ignore[assignment]
    planned_steps: list[str] = Field(default=list(STEPS))
    kind: Source
    file_name: str
    size: int
    as_of: str = Field(description="The moment that the file describes, ISO 8601 in UTC")
    counts: DeliveryCounts
    notes: list[str] = Field(description="Notes on how the file was read")
    upload: UploadView | None = Field(description="Where to upload the file; only in the answer to POST")


class LastDeliveryView(BaseModel):
    """The last delivery of a source."""

    delivery_id: str
    file_name: str
    as_of: str = Field(description="The moment that the file describes, ISO 8601 in UTC")
    at: str = Field(description="When it was added, ISO 8601 in UTC")
    rows: int = Field(description="Rows in the file")
    added: int = Field(description="Rows that the source did not have")


class SourceView(BaseModel):
    """A source: the rows of all deliveries, each once."""

    kind: Source
    expected: bool = Field(description="Whether the active schema reads this source")
    rows: int
    first: str | None = Field(description="The first day in its column of time; null without such a column or without rows")
    last: str | None = Field(description="The last day in its column of time")
    last_delivery: LastDeliveryView | None


def delivery_view(run: DeliveryRun, upload: UploadView | None = None) -> DeliveryView:
    asked, counts, result = run["asked"], Counter(run.get("counts", {})), run.get("result")
    return DeliveryView.of(
        run,
        delivery_id=run["run_id"],
        kind=asked["kind"],
        file_name=asked["file_name"],
        size=asked["size"],
        as_of=asked["as_of"],
        counts={name: counts[name] for name in DeliveryCounts.model_fields},
        notes=result["notes"] if result else [],
        upload=upload,
    )


def source_view(kind: SourceKind, index: SourceIndex, *, expected: bool) -> SourceView:
    facts = list(index["parts"].values())
    last = index.get("last_delivery")
    return SourceView(
        kind=kind,
        expected=expected,
        rows=sum(part["rows"] for part in facts),
        first=min(_present([part.get("first") for part in facts]), default=None),
        last=max(_present([part.get("last") for part in facts]), default=None),
        last_delivery=LastDeliveryView.model_validate(last) if last else None,
    )


def _present(days: Sequence[str | None]) -> list[str]:
    return [day for day in days if day]
