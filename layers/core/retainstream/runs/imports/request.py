"""Asking for an import, and uploading its file."""

import logging
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from retainstream.customers.arrival import Moments
from retainstream.engine.records import CustomerSource
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.whole import Whole
from retainstream.engine.tables.numbers import Decimal
from retainstream.runs.imports.view import Asked, Ids, ImportRun, ImportView, import_view
from retainstream.runs.imports.work import upload_key
from retainstream.runs.keys import request_of
from retainstream.runs.moments import Past, moment_of
from retainstream.runs.recent import KEY, note_recent, recent_runs
from retainstream.runs.starting import UnknownRun, find_run
from retainstream.runs.uploading import LARGEST_FILE, UploadView, begin_upload, complete_upload, upload_view
from retainstream.settings import settings
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import Uploads
from retainstream.telemetry.correlation import following

_log = logging.getLogger(__name__)
_RECENT = "imports/recent/"
RecentKey = Annotated[str, Field(pattern=f"^{_RECENT}{KEY}")]
"""The key of an import in the list of recent imports."""


class NumberedCustomers(Exception):
    """The schema in force numbers customers by row, so that a file cannot name its customers."""


class ImportRequest(BaseModel):
    """A file that is to be uploaded."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    file_name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$", examples=["customers.csv"])
    size: Whole = Field(ge=1, le=LARGEST_FILE, description="Bytes, exactly as uploaded")
    gzip: StrictBool | None = Field(default=None, description="Whether it is compressed with gzip. Default: by its first bytes")
    as_of: Past | None = Field(
        default=None,
        description="The moment of features and outcomes alike. They are then never paired: training needs outcomes of a later day",
        examples=["2026-01-31", "2026-01-31T18:00:00Z"],
    )
    features_as_of: Past | None = Field(
        default=None,
        description="The moment that the features describe; newer features stay. Default: that of the outcomes, or now",
        examples=["2026-01-31"],
    )
    outcomes_as_of: Past | None = Field(
        default=None,
        description="The moment at which it was known who had left. Default: that of the features, or now",
        examples=["2026-02-28"],
    )
    decimal: Decimal | None = Field(default=None, description="The decimal mark of its numbers. Default: by the schema, or by the file")
    encoding: str | None = Field(
        default=None,
        max_length=40,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:-]*$",
        description="The encoding of its text. Default: by the file",
        examples=["windows-1250"],
    )
    sheet: str | None = Field(
        default=None,
        min_length=1,
        max_length=31,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The sheet of a workbook. Default: the first one",
        examples=["Customers"],
    )
    ids: Ids | None = Field(
        default=None,
        description="Customers that are known by ids in another case, with or without leading zeros or .0: "
        "as-known takes them for those, and as-written for new ones. Default: the import fails with a question",
    )

    @model_validator(mode="after")
    def _states_a_moment_once(self) -> Self:
        if self.as_of and (self.features_as_of or self.outcomes_as_of):
            raise PydanticCustomError("moment", "as_of is the moment of both: leave it out, or features_as_of and outcomes_as_of")
        return self

    @property
    def moments(self) -> Moments:
        features, outcomes = (moment_of(text) if text else None for text in (self.features_as_of, self.outcomes_as_of))
        both = moment_of(self.as_of) if self.as_of else None
        return Moments.stated(features or both, outcomes or both)


def ask(
    stores: Stores,
    schema: FeatureSchema,
    request: ImportRequest,
    *,
    by: str,
    idempotency_key: str | None,
    source: CustomerSource = "import",
) -> ImportView:
    """Records an import that waits for its file, with links for the upload. The same key gives the same import, with new links.

    `source` is that of its customers.

    Raises:
        NumberedCustomers, UsedKey
    """
    if schema.id.numbered:
        raise NumberedCustomers
    import_id = request_of("import", by, idempotency_key, request).claim(stores.request_keys)
    run: ImportRun | None = stores.runs.get(import_id)
    if run is None:
        run, _ = stores.runs.expect(import_id, "import", by, {**_asked(stores.uploads, import_id, request), "source": source})
    note_recent(stores, _RECENT, run)
    return import_view(stores.documents, run, _upload(stores.uploads, run))


def _asked(uploads: Uploads, import_id: str, request: ImportRequest) -> Asked:
    moments = request.moments
    asked: Asked = {
        "file_name": request.file_name,
        "size": request.size,
        "features_as_of": moments.features_as_of,
        "outcomes_as_of": moments.outcomes_as_of,
    }
    if request.gzip is not None:
        asked["gzip"] = request.gzip
    if request.decimal is not None:
        asked["decimal"] = request.decimal
    if request.encoding is not None:
        asked["encoding"] = request.encoding
    if request.sheet is not None:
        asked["sheet"] = request.sheet
    if request.ids is not None:
        asked["ids"] = request.ids
    if upload_id := begin_upload(uploads, upload_key(import_id), request.size):
        asked["upload_id"] = upload_id
    return asked


def complete(stores: Stores, import_id: str) -> ImportView:
    """Makes one file of the parts that were uploaded, which starts the import. Again, it changes nothing.

    Raises:
        UnknownRun: there is no such import.
        IncompleteUpload: parts are missing.
    """
    run: ImportRun = find_run(stores, import_id, "import")
    if run["status"] == "WAITING":
        complete_upload(stores.uploads, upload_key(import_id), run["asked"]["size"], run["asked"].get("upload_id"))
    return import_view(stores.documents, run)


def import_run(stores: Stores, import_id: str) -> ImportView:
    """An import.

    Raises:
        UnknownRun: there is no import of this id.
    """
    return import_view(stores.documents, find_run(stores, import_id, "import"))


def recent(stores: Stores, *, limit: int, after: str | None) -> tuple[list[ImportView], str | None]:
    """Imports, newest first, and the place after which the next page begins. Reads as much as it shows."""
    runs, onward = recent_runs(stores, _RECENT, limit=limit, after=after)
    return [import_view(stores.documents, run) for run in runs], onward


def start_uploaded(stores: Stores, key: str) -> bool:
    """Starts the import whose file has arrived under a key of the bucket, once. Returns whether this was the first time.

    A file that no import waits for starts nothing.
    """
    import_id = key.removeprefix(upload_key(""))
    try:
        run = find_run(stores, import_id, "import")
    except UnknownRun:
        return False
    if run["status"] != "WAITING":
        return False
    with following(run.get("correlation_id") or import_id):  # the request that asked for the import
        _log.info("the file of an import has arrived")
        return stores.workflows.start(settings().import_state_machine_arn, import_id, {"import_id": import_id})


def _upload(uploads: Uploads, run: ImportRun) -> UploadView | None:
    if run["status"] != "WAITING":
        return None
    import_id, asked = run["run_id"], run["asked"]
    then = f"/api/customers/imports/{import_id}/complete"
    return upload_view(uploads, upload_key(import_id), asked["size"], asked.get("upload_id"), then)
