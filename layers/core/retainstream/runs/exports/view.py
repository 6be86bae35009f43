"""An export as the interface shows it: a file made at once, or the run that makes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field

from retainstream.runs.record import RunState
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.runs import Run


class Asked(TypedDict):
    """The request of an export: filters that are not None, by name, and about how many predictions must be read. `layout` holds the fields
    of a `FileLayout`; earlier versions stored none, and wrote data."""

    filters: Mapping[str, Any]
    predictions: int
    layout: NotRequired[Mapping[str, Any]]


class Result(TypedDict):
    bytes: int


type ExportRun = Run[Asked, Result]


class ExportView(BaseModel):
    """A CSV file of every prediction that matches."""

    url: str = Field(description="Download link; it needs no token")
    expires_at: str = Field(description="When the link ends: ISO 8601, UTC")
    rows: int


class ExportRunView(RunState):
    """A run that makes a CSV file of every prediction that matches."""

    run_id: str
    kind: Literal["export"]
    rows: int = Field(description="Rows written so far")
    examined: int = Field(description="Predictions read so far")
    predictions: int = Field(description="About how many predictions are to be read")
    reason: str | None = Field(description="Why it failed, or why there is no link any more")
    url: str | None = Field(description="Download link, when the file is done; it needs no token. Each answer has a new one")
    expires_at: str | None = Field(description="When the link ends: ISO 8601, UTC")


def file_key(run_id: str) -> str:
    """The key of a run's file in the bucket."""
    return f"exports/{run_id}.csv"


def link(documents: Documents, key: str, made: datetime) -> tuple[str, str]:
    """A link to a file that was made at that time, and when the link ends, LINK_SECONDS from now."""
    url = documents.download_link(key, file_name=f"predictions-{made:%Y-%m-%d}.csv", seconds=LINK_SECONDS)
    return url, (datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)).isoformat(timespec="seconds")


def export_view(documents: Documents, run: ExportRun) -> ExportRunView:
    """A run with a new link to its file, where it is done."""
    key, url, expires_at, reason = file_key(run["run_id"]), None, None, run.get("reason")
    if run["status"] == "SUCCEEDED":
        if documents.exists(key):
            url, expires_at = link(documents, key, datetime.fromisoformat(run["started_at"]))
        else:
            reason = "The file is no longer kept. Ask for it again."
    counts = run.get("counts", {})
    return ExportRunView.of(
        run,
        rows=counts.get("rows", 0),
        examined=counts.get("examined", 0),
        predictions=run["asked"]["predictions"],
        reason=reason,
        url=url,
        expires_at=expires_at,
    )
