"""An import as the interface shows it."""

from collections import Counter
from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field

from retainstream.customers.arrival import Moments
from retainstream.engine.records import CustomerSource
from retainstream.runs.imports.work import rejects_key
from retainstream.runs.record import RunView
from retainstream.runs.uploading import UploadView, ends_in
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.runs import Run

STEPS = ("survey", "compare", "load", "verify", "keep")


class Asked(TypedDict):
    """The request of an import. Moments are ISO 8601 in UTC. Earlier versions stored one, `as_of`, for features and outcomes. `upload_id`
    is there where the file is uploaded in parts. `source` is that of the customers, "import" where it is absent."""

    file_name: str
    size: int
    gzip: NotRequired[bool]
    as_of: NotRequired[str]
    features_as_of: NotRequired[str]
    outcomes_as_of: NotRequired[str]
    upload_id: NotRequired[str]
    source: NotRequired[CustomerSource]


class RejectedRow(TypedDict):
    line: int
    column: str
    reason: str


class Result(TypedDict):
    first_rejects: list[RejectedRow]
    notes: list[str]


type ImportRun = Run[Asked, Result]


def moments_asked(asked: Asked) -> Moments:
    """The moments of the rows that do not say their own."""
    both = asked.get("as_of", "")
    return Moments(asked.get("features_as_of", both), asked.get("outcomes_as_of", both))


class ImportCounts(BaseModel):
    """accepted + rejected = read, created + changed + unchanged + older = accepted, and left + stayed + not_known = accepted, without the
    rows of removed customers."""

    read: int
    accepted: int
    rejected: int
    created: int
    changed: int
    unchanged: int = Field(description="Rows with the stored features and outcome; at most the days move up to which the customer is known")
    older: int = Field(description="Rows whose customer has newer data, or was removed meanwhile; the newer state stays")
    left: int = Field(description="Accepted rows of customers who left")
    stayed: int = Field(description="Accepted rows of customers who were still customers on the day of the outcome")
    not_known: int = Field(description="Accepted rows without an outcome")
    snapshots: int = Field(description="Rows whose features were kept in the history, for training")
    after_leaving: int = Field(
        description="Rows of customers who had left before the day of their features; those features are not used for training"
    )
    older_features: int = Field(
        description="Rows with features of an earlier moment than the stored ones; they are kept in the history only"
    )


class Reject(BaseModel):
    line: int = Field(description="Counted from 1, the header included")
    column: str = Field(description="As the file names it; empty for the row as a whole")
    reason: str


class ImportView(RunView):
    """An import."""

    import_id: str
    status: Literal["WAITING", "RUNNING", "SUCCEEDED", "FAILED"] = Field(description="WAITING: for the upload")  # type: ignore[assignment]
    planned_steps: list[str] = Field(default=list(STEPS))
    file_name: str
    size: int
    as_of: str = Field(description="The later one of the two moments: ISO 8601, UTC")
    features_as_of: str = Field(description="The moment that the features describe, where no column says it: ISO 8601, UTC")
    outcomes_as_of: str = Field(description="The moment at which the outcomes were known, where no column says it: ISO 8601, UTC")
    rows: int | None = Field(description="Rows in the file; null until they are counted")
    counts: ImportCounts = Field(description="So far, or in all")
    rejects: list[Reject] = Field(description="The first rejected rows, when the import is done")
    rejects_url: str | None = Field(description="The file of all rejected rows, a CSV with line, column and reason, for 15 minutes")
    rejects_expire_at: str | None
    notes: list[str] = Field(description="Notes on how the file was read")
    upload: UploadView | None = Field(description="Where to upload the file; only in the answer to POST")


def import_view(documents: Documents, run: ImportRun, upload: UploadView | None = None) -> ImportView:
    """A run with a link to the file of its rejected rows, where there are any."""
    asked, result, counts = run["asked"], run.get("result"), _counts(run)
    moments = moments_asked(asked)
    link = expires_at = None
    if run["status"] == "SUCCEEDED" and counts.rejected:
        name = f"rejected-{run['run_id'][:8]}.csv"
        link, expires_at = documents.download_link(rejects_key(run["run_id"]), file_name=name, seconds=LINK_SECONDS), ends_in(LINK_SECONDS)
    return ImportView.of(
        run,
        import_id=run["run_id"],
        file_name=asked["file_name"],
        size=asked["size"],
        as_of=max(moments.features_as_of, moments.outcomes_as_of),
        features_as_of=moments.features_as_of,
        outcomes_as_of=moments.outcomes_as_of,
        rows=next((step["detail"]["rows"] for step in run["steps"] if step["name"] == "compare" and "detail" in step), None),
        counts=counts,
        rejects=result["first_rejects"] if result else [],
        rejects_url=link,
        rejects_expire_at=expires_at,
        notes=result["notes"] if result else [],
        upload=upload,
    )


def _counts(run: ImportRun) -> ImportCounts:
    """The counts of the run, or of its parts while they load."""
    counts = Counter(run.get("counts", {}))
    if not counts:
        for part in run.get("parts", {}).values():
            counts.update(part)
    return ImportCounts.model_validate({name: counts[name] for name in ImportCounts.model_fields} | {"read": counts["rows"]})
