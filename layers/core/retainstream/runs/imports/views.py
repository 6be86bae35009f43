"""What an import looks like to those who ask."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from retainstream.engine.schema.whole import Whole
from retainstream.telemetry.correlation import FOLLOWED

LARGEST_FILE = 5 * 10**9
STEPS = ("survey", "compare", "load", "verify")


def _moment(text: str) -> datetime:
    """A moment with its offset from UTC; of a date alone the first moment, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("moment", "must be a date such as 2026-01-31, or a moment such as 2026-01-31T18:00:00+01:00") from None
    if moment.tzinfo is None and len(text) > len("2026-01-31"):
        raise PydanticCustomError("moment", "must say its offset from UTC, such as Z or +01:00")
    return (moment if moment.tzinfo else datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)).astimezone(UTC)


def _past(text: str) -> str:
    if _moment(text) > datetime.now(UTC):
        raise PydanticCustomError("moment", "must not be in the future")
    return text


class ImportRequest(BaseModel):
    """A file that is to be uploaded."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    file_name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$", examples=["customers.csv"])
    size: Whole = Field(ge=1, le=LARGEST_FILE, description="Bytes, exactly as uploaded")
    gzip: StrictBool | None = Field(default=None, description="Whether it is compressed with gzip; when not given, its first bytes tell")
    as_of: Annotated[str, Field(max_length=40), AfterValidator(_past)] | None = Field(
        default=None,
        description="The moment that the file describes: what is known since then stays. Now, when not given",
        examples=["2026-01-31", "2026-01-31T18:00:00Z"],
    )

    @property
    def moment(self) -> datetime | None:
        return _moment(self.as_of) if self.as_of else None


class UploadPart(BaseModel):
    """A piece of the file and where to PUT it, as it is, with no other headers than its length."""

    number: int
    offset: int = Field(description="Where in the file it begins, in bytes")
    size: int
    url: str


class UploadView(BaseModel):
    """How to upload the file."""

    parts: list[UploadPart]
    complete: str | None = Field(description="To be called with POST after the last part; null where one PUT is all")
    expires_at: str = Field(description="ISO 8601, UTC; asking again with the same Idempotency-Key gives new links")


class ImportStep(BaseModel):
    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str
    finished_at: str | None = None


class ImportCounts(BaseModel):
    """accepted + rejected = read, and created + changed + unchanged + older = accepted."""

    read: int
    accepted: int
    rejected: int
    created: int
    changed: int
    unchanged: int = Field(description="Rows that say what is known already; nothing is written")
    older: int = Field(description="Rows of which something newer is known, or that were removed meanwhile; that stays")


class Reject(BaseModel):
    line: int = Field(description="Counted from 1, the header included")
    column: str = Field(description="As the file names it; empty for the row as a whole")
    reason: str


class ImportView(BaseModel):
    """An import."""

    import_id: str
    status: Literal["WAITING", "RUNNING", "SUCCEEDED", "FAILED"] = Field(description="WAITING: for the upload")
    step: str | None = Field(description="The step in progress, or the last one")
    planned_steps: list[str] = list(STEPS)
    steps: list[ImportStep]
    file_name: str
    size: int
    as_of: str = Field(description="ISO 8601, UTC")
    started_at: str
    started_by: str
    correlation_id: str | None = Field(default=None, description=FOLLOWED)
    finished_at: str | None
    reason: str | None = Field(description="Why it failed, as a sentence")
    rows: int | None = Field(description="Rows in the file; null until they are counted")
    counts: ImportCounts = Field(description="So far, or in all")
    rejects: list[Reject] = Field(description="The first of them, when the import is done")
    rejects_url: str | None = Field(description="The file of all of them, a CSV with line, column and reason, for 15 minutes")
    rejects_expire_at: str | None
    notes: list[str] = Field(description="What to know about how the file was read")
    upload: UploadView | None = Field(description="Where the file is to go; only in the answer to POST")


def import_view(
    run: Mapping[str, Any], counts: Mapping[str, int], upload: UploadView | None, *, rejects_url: str | None, rejects_expire_at: str | None
) -> ImportView:
    """A run's record as an import."""
    asked, result = run["asked"], run.get("result", {})
    counted = {name: counts.get(name, 0) for name in ImportCounts.model_fields} | {"read": counts.get("rows", 0)}
    rows = next((step["detail"]["rows"] for step in run["steps"] if step["name"] == "compare" and "detail" in step), None)
    return ImportView(
        import_id=run["run_id"],
        status=run["status"],
        step=run.get("step"),
        steps=[ImportStep.model_validate(step) for step in run["steps"]],
        file_name=asked["file_name"],
        size=asked["size"],
        as_of=asked["as_of"],
        started_at=run["started_at"],
        started_by=run["started_by"],
        correlation_id=run.get("correlation_id"),
        finished_at=run.get("finished_at"),
        reason=run.get("reason"),
        rows=rows,
        counts=ImportCounts.model_validate(counted),
        rejects=[Reject.model_validate(reject) for reject in result.get("first_rejects", [])],
        rejects_url=rejects_url,
        rejects_expire_at=rejects_expire_at,
        notes=result.get("notes", []),
        upload=upload,
    )
