"""Asking for an import, uploading its file, and looking how it stands."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from retainstream.engine.schema import FeatureSchema
from retainstream.runs.imports.keys import rejects_key, upload_key
from retainstream.runs.imports.views import ImportRequest, ImportView, UploadPart, UploadView, import_view
from retainstream.runs.starting import UnknownRun, find_run, key_or_new
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.runs import Runs
from retainstream.storage.uploads import Uploads
from retainstream.storage.workflows import Workflows
from retainstream.telemetry.correlation import following

ONE_PUT = 64 << 20
"""Files up to this size are uploaded in one piece, larger ones in parts of this size."""
UPLOAD_SECONDS = 6 * 3600
_log = logging.getLogger(__name__)
_RECENT = "imports/recent/"
_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)


class OtherRequest(Exception):
    """The idempotency key was used for another file."""


class NumberedCustomers(Exception):
    """The schema in force numbers customers by row, so that a file cannot say whom it speaks of."""


class IncompleteUpload(Exception):
    """Not all of the file has arrived; `missing` are the numbers of the parts that have not, or not whole."""

    def __init__(self, missing: list[int]) -> None:
        super().__init__("incomplete upload")
        self.missing = missing


def ask(
    runs: Runs, uploads: Uploads, documents: Documents, schema: FeatureSchema, given: ImportRequest, *, by: str, idempotency_key: str | None
) -> ImportView:
    """Records an import that waits for its file, and says where to upload that. Asked again with the same key, the links are new.

    Raises:
        NumberedCustomers, OtherRequest
    """
    if schema.id.numbered:
        raise NumberedCustomers
    import_id = key_or_new("import", by, idempotency_key)
    wanted = given.model_dump(exclude={"as_of"}, exclude_none=True)
    run = runs.get(import_id)
    if run is None:
        now = datetime.now(UTC)
        asked = {**wanted, "as_of": (given.moment or now).isoformat(timespec="microseconds")}
        if given.size > ONE_PUT:
            asked["upload_id"] = uploads.begin(upload_key(import_id))
        run, _ = runs.expect(import_id, "import", by, asked)
    asked = run["asked"]
    if any(asked.get(name) != value for name, value in wanted.items()) or given.moment not in (
        None,
        datetime.fromisoformat(asked["as_of"]),
    ):
        raise OtherRequest
    documents.put_bytes(_recent_key(run), b"")
    return view(documents, run, _upload(uploads, run))


def complete(runs: Runs, uploads: Uploads, documents: Documents, import_id: str) -> ImportView:
    """Makes one file of the parts that were uploaded, which starts the import. Again, it changes nothing.

    Raises:
        UnknownRun: there is no such import.
        IncompleteUpload: parts are missing.
    """
    run = find_run(runs, import_id, "import")
    key, asked = upload_key(import_id), run["asked"]
    if run["status"] == "WAITING" and uploads.find(key) is None:
        upload_id = asked.get("upload_id")
        if upload_id is None:
            raise IncompleteUpload([1])
        try:
            arrived = uploads.parts(key, upload_id)
            sizes = _sizes(asked["size"])
            missing = [number for number, size in sizes.items() if number not in arrived or arrived[number].size != size]
            if missing:
                raise IncompleteUpload(missing)
            uploads.complete(key, upload_id, arrived)
        except NotStored as error:
            if uploads.find(key) is None:  # completed by somebody else meanwhile
                raise IncompleteUpload(list(_sizes(asked["size"]))) from error
    return view(documents, run)


def look(runs: Runs, documents: Documents, import_id: str) -> ImportView:
    """How an import stands.

    Raises:
        UnknownRun: there is no such import.
    """
    return view(documents, find_run(runs, import_id, "import"))


def recent(runs: Runs, uploads: Uploads, documents: Documents, *, limit: int, after: str | None) -> tuple[list[ImportView], str | None]:
    """Imports, the one asked for last first, and where the next page goes on. Reads as much as it shows."""
    keys = uploads.keys(_RECENT, limit + 1, after or "")
    found = [run for key in keys[:limit] if (run := runs.get(key.rsplit("-", 1)[1]))]
    return [view(documents, run) for run in found], keys[limit - 1] if len(keys) > limit else None


def start_uploaded(runs: Runs, workflows: Workflows, machine_arn: str, key: str) -> bool:
    """Starts the import whose file has arrived under a key of the bucket, once. Returns whether this was the first time.

    A file that no import waits for starts nothing.
    """
    import_id = key.removeprefix(upload_key(""))
    try:
        run = find_run(runs, import_id, "import")
    except UnknownRun:
        return False
    if run["status"] != "WAITING":
        return False
    with following(run.get("correlation_id") or import_id):  # that of the request that asked for the import
        _log.info("the file of an import has arrived")
        return workflows.start(machine_arn, import_id, {"import_id": import_id})


def view(documents: Documents, run: Mapping[str, Any], upload: UploadView | None = None) -> ImportView:
    """A run as the interface shows it, with a link to the rejected rows where there are any."""
    counts = Counter[str](run.get("counts", {}))
    if not counts:
        for part in run.get("parts", {}).values():
            counts.update(part)
    link = ends = None
    if run["status"] == "SUCCEEDED" and counts["rejected"]:
        name = f"rejected-{run['run_id'][:8]}.csv"
        link = documents.download_link(rejects_key(run["run_id"]), file_name=name, seconds=LINK_SECONDS)
        ends = _in(LINK_SECONDS)
    return import_view(run, counts, upload, rejects_url=link, rejects_expire_at=ends)


def _upload(uploads: Uploads, run: Mapping[str, Any]) -> UploadView | None:
    if run["status"] != "WAITING":
        return None
    import_id, asked = run["run_id"], run["asked"]
    key, upload_id = upload_key(import_id), asked.get("upload_id")
    parts, offset = [], 0
    for number, size in _sizes(asked["size"]).items():
        if upload_id:
            url = uploads.part_link(key, upload_id, number, size, seconds=UPLOAD_SECONDS)
        else:
            url = uploads.link(key, size, seconds=UPLOAD_SECONDS)
        parts.append(UploadPart(number=number, offset=offset, size=size, url=url))
        offset += size
    then = f"/api/customers/imports/{import_id}/complete" if upload_id else None
    return UploadView(parts=parts, complete=then, expires_at=_in(UPLOAD_SECONDS))


def _sizes(size: int) -> dict[int, int]:
    return {number: min(ONE_PUT, size - offset) for number, offset in enumerate(range(0, size, ONE_PUT), start=1)}


def _recent_key(run: Mapping[str, Any]) -> str:
    left = _LAST_MOMENT - datetime.fromisoformat(run["started_at"])
    return f"{_RECENT}{int(left.total_seconds() * 1000):015d}-{run['run_id']}"


def _in(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
