"""Asking for a recount."""

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from retainstream.runs.keys import request_of
from retainstream.runs.recounts.counting import stored_differences
from retainstream.runs.recounts.view import Asked, DifferenceView, RecountRun, RecountView, recount_view
from retainstream.runs.starting import find_run, start_one
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.stores import Stores


class RecountRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    repair: StrictBool = Field(default=False, description="true: replace counters that differ from the recount")


def start_recount(stores: Stores, by: str, body: RecountRequest, idempotency_key: str | None = None) -> RecountView:
    """Starts a recount, or returns the recount of the same person with the same key, or the recount that is under way.

    Raises:
        UsedKey, AllowanceSpent
        OtherRunning: a recount is under way that repairs where this one does not, or the other way round.
        StorageUnavailable: it may or may not have started; the same call may be made again with its key.
    """
    request, machine = request_of("recount", by, idempotency_key, body), settings().recount_state_machine_arn
    run, already_running = start_one(stores, machine, "recount", request, started_by=by, asked=Asked(repair=body.repair))
    return recount_view(run, None, already_running=already_running)


def recount_run(stores: Stores, run_id: str) -> RecountView:
    """A recount, with its differences when it is done.

    Raises:
        UnknownRun: there is no recount of this id.
    """
    run: RecountRun = find_run(stores, run_id, "recount")
    return recount_view(run, _differences(stores.documents, run) if run["status"] == "SUCCEEDED" else None)


def _differences(documents: Documents, run: RecountRun) -> list[DifferenceView] | None:
    try:
        return [
            DifferenceView(source=table["source"], **difference)
            for table in run["result"]["sources"]
            if table["differences"]
            for difference in stored_differences(documents, run["run_id"], table["source"])
        ]
    except NotStored:
        return None
