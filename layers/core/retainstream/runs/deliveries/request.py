"""Asking for a delivery of a source file, uploading it, and the arrival of a file in the bucket."""

import hashlib
import logging
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from retainstream.engine.schema.whole import Whole
from retainstream.runs.deliveries.view import Asked, DeliveryRun, DeliveryView, Source, delivery_view
from retainstream.runs.deliveries.work import ARRIVING, UPLOADS, upload_key
from retainstream.runs.keys import request_of
from retainstream.runs.moments import Past, moment_of
from retainstream.runs.recent import KEY, note_recent, recent_runs
from retainstream.runs.starting import UnknownRun, find_run
from retainstream.runs.uploading import LARGEST_FILE, UploadView, begin_upload, complete_upload, upload_view
from retainstream.settings import settings
from retainstream.storage.sources import KINDS, SourceKind
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import Uploads
from retainstream.telemetry.correlation import following

_log = logging.getLogger(__name__)
_RECENT = "deliveries/recent/"
RecentKey = Annotated[str, Field(pattern=f"^{_RECENT}{KEY}")]
"""The key of a delivery in the list of recent deliveries."""
DROPPED_BY = "bucket"
"""The starter of a delivery that the business itself put into the bucket."""
_LONGEST_NAME = 200


class DeliveryRequest(BaseModel):
    """A source file that is to be uploaded."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Source = Field(description="The source that the file is added to")
    file_name: str = Field(min_length=1, max_length=_LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f/\\]+$", examples=["events.csv"])
    size: Whole = Field(ge=1, le=LARGEST_FILE, description="Bytes, exactly as uploaded")
    gzip: StrictBool | None = Field(default=None, description="Whether it is compressed with gzip. Default: by its first bytes")
    as_of: Past | None = Field(
        default=None,
        description="The moment that the file describes. Of two deliveries the one of the later moment has the newer values. Default: now",
        examples=["2026-01-31", "2026-01-31T18:00:00Z"],
    )


def ask(stores: Stores, request: DeliveryRequest, *, by: str, idempotency_key: str | None) -> DeliveryView:
    """Records a delivery that waits for its file, with links for the upload. The same key gives the same delivery, with new links.

    Raises:
        UsedKey
    """
    delivery_id = request_of("delivery", by, idempotency_key, request).claim(stores.request_keys)
    run: DeliveryRun | None = stores.runs.get(delivery_id)
    if run is None:
        run, _ = stores.runs.expect(delivery_id, "delivery", by, _asked(stores.uploads, delivery_id, request))
    note_recent(stores, _RECENT, run)
    return delivery_view(run, _upload(stores.uploads, run))


def _asked(uploads: Uploads, delivery_id: str, request: DeliveryRequest) -> Asked:
    as_of = moment_of(request.as_of) if request.as_of else datetime.now(UTC)
    asked: Asked = {
        "kind": request.kind,
        "file_name": request.file_name,
        "size": request.size,
        "as_of": as_of.isoformat(timespec="microseconds"),
    }
    if request.gzip is not None:
        asked["gzip"] = request.gzip
    if upload_id := begin_upload(uploads, upload_key(delivery_id), request.size):
        asked["upload_id"] = upload_id
    return asked


def _upload(uploads: Uploads, run: DeliveryRun) -> UploadView | None:
    if run["status"] != "WAITING":
        return None
    delivery_id, asked = run["run_id"], run["asked"]
    then = f"/api/customers/sources/deliveries/{delivery_id}/complete"
    return upload_view(uploads, upload_key(delivery_id), asked["size"], asked.get("upload_id"), then)


def complete(stores: Stores, delivery_id: str) -> DeliveryView:
    """Makes one file of the parts that were uploaded, which starts the run. Again, it changes nothing.

    Raises:
        UnknownRun: there is no such delivery.
        IncompleteUpload: parts are missing.
    """
    run: DeliveryRun = find_run(stores, delivery_id, "delivery")
    if run["status"] == "WAITING":
        complete_upload(stores.uploads, upload_key(delivery_id), run["asked"]["size"], run["asked"].get("upload_id"))
    return delivery_view(run)


def delivery_run(stores: Stores, delivery_id: str) -> DeliveryView:
    """A delivery.

    Raises:
        UnknownRun: there is no delivery of this id.
    """
    return delivery_view(find_run(stores, delivery_id, "delivery"))


def recent(stores: Stores, *, limit: int, after: str | None) -> tuple[list[DeliveryView], str | None]:
    """Deliveries, newest first, and the place after which the next page begins. Reads as much as it shows."""
    runs, onward = recent_runs(stores, _RECENT, limit=limit, after=after)
    return [delivery_view(run) for run in runs], onward


def start_arrived(stores: Stores, key: str, at: str) -> bool:
    """Starts the run of a file that has arrived under a key of the bucket, once. Returns whether this was the first time.

    `at` is the moment of the arrival (ISO 8601). An uploaded file that no delivery waits for, and a file that is put below ARRIVING in no
    folder of a source, start nothing.
    """
    if key.startswith(ARRIVING):
        return _start_dropped(stores, key, at)
    try:
        run = find_run(stores, key.removeprefix(UPLOADS), "delivery")
    except UnknownRun:
        return False
    return run["status"] == "WAITING" and _start(stores, run)


def _start_dropped(stores: Stores, key: str, at: str) -> bool:
    folder, _, name = key.removeprefix(ARRIVING).partition("/")
    kind = kind_of(folder)
    file = stores.uploads.find(key)
    if kind is None or not name or file is None or not file.size:
        _log.warning("a file was put into no folder of a source, is empty, or is gone: nothing was read of it")
        return False
    delivery_id = _id_of_file(key, file.tag)
    moment = datetime.fromisoformat(at).astimezone(UTC).isoformat(timespec="microseconds")
    file_name = name.rsplit("/", 1)[-1][-_LONGEST_NAME:]
    asked: Asked = {"kind": kind, "file_name": file_name, "size": file.size, "as_of": moment, "dropped": key}
    run: DeliveryRun = stores.runs.expect(delivery_id, "delivery", DROPPED_BY, asked)[0]
    note_recent(stores, _RECENT, run)
    return run["status"] == "WAITING" and _start(stores, run)


def _id_of_file(key: str, tag: str) -> str:
    """The same id for the same file, however often its arrival is notified."""
    return hashlib.sha256(f"{key}\x00{tag}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _start(stores: Stores, run: DeliveryRun) -> bool:
    delivery_id = run["run_id"]
    with following(run.get("correlation_id") or delivery_id):  # the request that asked for the delivery
        _log.info("the file of a delivery has arrived")
        return stores.workflows.start(settings().prepare_state_machine_arn, delivery_id, {"work": "delivery", "run_id": delivery_id})


def kind_of(text: str) -> SourceKind | None:
    return next((kind for kind in KINDS if kind == text), None)
