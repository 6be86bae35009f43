"""An import as the interface shows it."""

from collections import Counter
from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field

from retainstream.runs.imports.work import rejects_key
from retainstream.runs.record import RunView
from retainstream.runs.uploading import UploadView, ends_in
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.runs import Run

STEPS = ("survey", "compare", "load", "verify")


class Asked(TypedDict):
    """The request of an import. `as_of` is ISO 8601 in UTC; `upload_id` is there where the file is uploaded in parts."""

    file_name: str
    size: int
    gzip: NotRequired[bool]
    as_of: str
    upload_id: NotRequired[str]


class RejectedRow(TypedDict):
    line: int
    column: str
    reason: str


class Result(TypedDict):
    first_rejects: list[RejectedRow]
    notes: list[str]


type ImportRun = Run[Asked, Result]


class ImportCounts(BaseModel):
    """accepted + rejected = read, and created + changed + unchanged + older = accepted."""

    read: int
    accepted: int
    rejected: int
    created: int
    changed: int
    unchanged: int = Field(description="Rows that say nothing new; nothing is written")
    older: int = Field(description="Rows whose customer has newer data, or was removed meanwhile; the newer state stays")


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
    as_of: str = Field(description="ISO 8601, UTC")
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
    link = expires_at = None
    if run["status"] == "SUCCEEDED" and counts.rejected:
        name = f"rejected-{run['run_id'][:8]}.csv"
        link, expires_at = documents.download_link(rejects_key(run["run_id"]), file_name=name, seconds=LINK_SECONDS), ends_in(LINK_SECONDS)
    return ImportView.of(
        run,
        import_id=run["run_id"],
        file_name=asked["file_name"],
        size=asked["size"],
        as_of=asked["as_of"],
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
