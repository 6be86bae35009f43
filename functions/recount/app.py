"""The tasks of the recount state machine."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.runs.failure import reason_of
from retainstream.runs.recounts import steps as recounting
from retainstream.runs.recounts.counting import Tallies, count_part
from retainstream.settings import settings
from retainstream.storage.stores import Stores
from retainstream.telemetry.tasks import Tasks, by_name

stores = Stores()


def _limits() -> recounting.Limits:
    return recounting.Limits(settings().recount_settle_seconds)


def begin(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    asked = event["input"]
    repair = asked.get("repair") is True
    return recounting.open_run(stores, _limits(), event["run_id"], asked.get("started_by", "unknown"), repair=repair)


def count(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    tallies = Tallies(stores.documents, event["run_id"])
    return count_part(stores, tallies, event["part"], lambda: context.get_remaining_time_in_millis() / 1000)


def look(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return recounting.look(stores, _limits(), event["run_id"], event["plan"], event["parts"])


def fail(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    reason = reason_of(event["error"], recounting.RECOUNT_ERRORS, work="recount")
    stores.runs.start(event["run_id"], "recount", event["input"].get("started_by", "unknown"))
    stores.runs.fail(event["run_id"], reason)
    return {"reason": reason}


handler = Tasks("recount", by_name({"open": begin, "count": count, "look": look, "fail": fail}))
