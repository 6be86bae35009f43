"""The tasks of the export state machine."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.registry.active_schema import active_schema
from retainstream.runs.exports import steps as export_run
from retainstream.runs.failure import reason_of
from retainstream.storage.stores import Stores
from retainstream.telemetry.tasks import Tasks, by_name

stores = Stores()


def begin(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return export_run.begin(stores, active_schema(stores.documents), event["run_id"], *_asked(event["input"]))


def write(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return export_run.write(stores, event["run_id"], event["progress"], lambda: context.get_remaining_time_in_millis() / 1000)


def finish(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return export_run.finish(stores, event["run_id"], event["progress"])


def fail(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    reason = reason_of(event["error"], export_run.EXPORT_ERRORS, work="exports")
    return export_run.fail(stores, event["run_id"], *_asked(event["input"]), reason)


def _asked(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return given["started_by"], {name: given[name] for name in ("filters", "predictions")}


handler = Tasks("exports", by_name({"begin": begin, "write": write, "finish": finish, "fail": fail}))
