"""An import as the interface shows it."""

from collections import Counter
from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field

from retainstream.customers.arrival import Moments
from retainstream.engine.records import CustomerSource
from retainstream.engine.tables.numbers import Decimal
from retainstream.engine.tables.unread import UnreadCount
from retainstream.runs.imports.work import rejects_key, unread_key
from retainstream.runs.record import RunView
from retainstream.runs.uploading import UploadView, ends_in
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.runs import Run

STEPS = ("survey", "compare", "load", "verify", "keep")
MOST_KINDS = 50
"""Kinds of faults, and of cells that were not read, which the interface lists."""

type Ids = Literal["as-known", "as-written"]
"""Ids that are known in another spelling are taken for the known ones, or as they are written."""


class Asked(TypedDict):
    """The request of an import. Moments are ISO 8601 in UTC. Earlier versions stored one, `as_of`, for features and outcomes. `upload_id`
    is there where the file is uploaded in parts. `source` is that of the customers, "import" where it is absent. `decimal`, `encoding`,
    `sheet` and `ids` say how to read the file, where somebody says so."""

    file_name: str
    size: int
    gzip: NotRequired[bool]
    as_of: NotRequired[str]
    features_as_of: NotRequired[str]
    outcomes_as_of: NotRequired[str]
    upload_id: NotRequired[str]
    source: NotRequired[CustomerSource]
    decimal: NotRequired[Decimal]
    encoding: NotRequired[str]
    sheet: NotRequired[str]
    ids: NotRequired[Ids]


class RejectedRow(TypedDict):
    """A kind of fault: the first line with it, the column, the reason, the cell's text, and the number of rows. Earlier versions stored a
    fault of one row, without the last two."""

    line: int
    column: str
    reason: str
    value: NotRequired[str]
    rows: NotRequired[int]


class Result(TypedDict):
    """What is known at the end. `first_rejects` are the kinds of faults of rejected rows; `outcomes` is the sentence on outcomes;
    `has_unread_rows`: there is a file of the accepted rows with cells that could not be read."""

    first_rejects: list[RejectedRow]
    notes: list[str]
    unread: NotRequired[list[UnreadCount]]
    outcomes: NotRequired[str]
    has_unread_rows: NotRequired[bool]


type ImportRun = Run[Asked, Result]


def moments_asked(asked: Asked) -> Moments:
    """The moments of the rows that do not say their own."""
    both = asked.get("as_of", "")
    return Moments(asked.get("features_as_of", both), asked.get("outcomes_as_of", both))


class ImportCounts(BaseModel):
    """accepted + rejected = read, created + changed + unchanged + older = accepted, and left + stayed + not_known + unreadable = accepted,
    without the rows of removed customers."""

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
    unreadable: int = Field(default=0, description="Accepted rows whose outcome could not be read; it counts as not known")
    snapshots: int = Field(description="Rows whose features were kept in the history, for training")
    after_leaving: int = Field(
        description="Rows of customers who had left before the day of their features; those features are not used for training"
    )
    older_features: int = Field(
        description="Rows with features of an earlier moment than the stored ones; they are kept in the history only"
    )


class Reject(BaseModel):
    """A kind of fault for which rows were rejected."""

    line: int = Field(description="Of the first row with it, counted from 1, the header included")
    column: str = Field(description="As the file names it; empty for the row as a whole")
    reason: str
    value: str = Field(default="", description="The cell's text; empty where it does not matter, or differs from row to row")
    rows: int = Field(default=1, description="Rows with it")


class UnreadKind(BaseModel):
    """Cells that could not be read, and count as missing."""

    column: str = Field(description="As the file names it")
    value: str = Field(description='The cells\' text; "…" stands for the rarer ones together')
    reason: str = Field(examples=["is new"])
    rows: int


class IdsQuestion(BaseModel):
    """Customers of the file who are known by ids that are spelled otherwise."""

    sentence: str
    examples: list[str] = Field(description='As in "1 is 000001"')


class ImportView(RunView):
    """An import."""

    import_id: str
    status: Literal["WAITING", "RUNNING", "SUCCEEDED", "SUCCEEDED_WITH_REJECTS", "FAILED"] = Field(  # type: ignore[assignment]
        description="WAITING: for the upload. SUCCEEDED_WITH_REJECTS: less than half of the rows were accepted"
    )
    planned_steps: list[str] = Field(default=list(STEPS))
    file_name: str
    size: int
    as_of: str = Field(description="The later one of the two moments: ISO 8601, UTC")
    features_as_of: str = Field(description="The moment that the features describe, where no column says it: ISO 8601, UTC")
    outcomes_as_of: str = Field(description="The moment at which the outcomes were known, where no column says it: ISO 8601, UTC")
    rows: int | None = Field(description="Rows in the file; null until they are counted")
    counts: ImportCounts = Field(description="So far, or in all")
    rejects: list[Reject] = Field(description=f"Why rows were rejected, most frequent first, at most {MOST_KINDS}; when the import is done")
    rejects_url: str | None = Field(description="The file of all rejected rows as they came, a CSV with a column error, for 15 minutes")
    rejects_expire_at: str | None = Field(description="When the links to the files end: ISO 8601, UTC")
    unread: list[UnreadKind] = Field(
        default=[], description=f"Cells of accepted rows that could not be read, most frequent first, at most {MOST_KINDS}"
    )
    unread_url: str | None = Field(
        default=None, description="The file of all accepted rows with such cells as they came, a CSV with a column error, for 15 minutes"
    )
    outcomes: str = Field(
        default="", description="How many outcomes were read, as a sentence", examples=["12 left, 60 stayed, 3 not known"]
    )
    question: IdsQuestion | None = Field(default=None, description="The import failed with this question; a new import answers it with ids")
    notes: list[str] = Field(description="Notes on how the file was read")
    upload: UploadView | None = Field(description="Where to upload the file; only in the answer to POST")


def import_view(documents: Documents, run: ImportRun, upload: UploadView | None = None) -> ImportView:
    """A run with a link to the file of its rejected rows, where there are any."""
    asked, result, counts = run["asked"], run.get("result"), _counts(run)
    moments = moments_asked(asked)
    link = unread_link = None
    if result and counts.rejected:
        name = f"rejected-{run['run_id'][:8]}.csv"
        link = documents.download_link(rejects_key(run["run_id"]), file_name=name, seconds=LINK_SECONDS)
    if result and result.get("has_unread_rows"):
        name = f"unread-{run['run_id'][:8]}.csv"
        unread_link = documents.download_link(unread_key(run["run_id"]), file_name=name, seconds=LINK_SECONDS)
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
        rejects_expire_at=ends_in(LINK_SECONDS) if link or unread_link else None,
        unread_url=unread_link,
        unread=result.get("unread", []) if result else [],
        outcomes=result.get("outcomes", "") if result else "",
        question=_question(run),
        notes=result["notes"] if result else [],
        upload=upload,
    )


def _question(run: ImportRun) -> IdsQuestion | None:
    """The question that a survey noted before the import failed with it."""
    asked = next((step["detail"].get("question") for step in run["steps"] if step["name"] == "survey" and "detail" in step), None)
    return IdsQuestion.model_validate(asked) if asked and run["status"] == "FAILED" else None


def _counts(run: ImportRun) -> ImportCounts:
    """The counts of the run, or of its parts while they load."""
    counts = Counter(run.get("counts", {}))
    if not counts:
        for part in run.get("parts", {}).values():
            counts.update(part)
    return ImportCounts.model_validate({name: counts[name] for name in ImportCounts.model_fields} | {"read": counts["rows"]})
