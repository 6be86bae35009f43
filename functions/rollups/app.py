"""Counts the changes of customers and predictions for the dashboard, and keeps the day's figures."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.dashboard.aside import AsideAnswer, BatchAnswer, Taken, taken_or_put_aside
from retainstream.dashboard.consume import take_in
from retainstream.dashboard.daily import Standing, keep_day, standing
from retainstream.dashboard.fold import READ
from retainstream.settings import settings
from retainstream.storage.changes import StreamRecord, changes_by_table, runs_of, seconds_since
from retainstream.storage.rollups import Source
from retainstream.storage.stores import Stores
from retainstream.telemetry.figures import of_batch, of_day
from retainstream.telemetry.tasks import Tasks, by_name

stores = Stores()


def take(event: Any, _context: LambdaContext) -> BatchAnswer | AsideAnswer:
    return taken_or_put_aside(_taken, event["Records"], stores.dead_letters)


def _taken(records: Sequence[StreamRecord]) -> BatchAnswer:
    sources: dict[str, Source] = {settings().customers_table: "customers", settings().predictions_table: "predictions"}
    taken: dict[str, Taken] = {}
    for table, changes in changes_by_table(records, READ).items():
        taken[sources[table]] = {"changes": len(changes), "counted": take_in(sources[table], changes, stores.rollups)}
    return {"taken": taken, "runs": runs_of(records), "lag": seconds_since(records), "last_event": records[-1]["eventID"]}


def keep(event: Any, _context: LambdaContext) -> Standing:
    keep_day(stores.rollups, stores.models, event.get("scheduled_at"))
    return standing(stores.rollups, stores.models)


tasks = Tasks("rollups", by_name({"take-in": take, "keep-day": keep}), {"take-in": of_batch, "keep-day": of_day}, tell={"take-in"})


def handler(event: Any, context: LambdaContext) -> None:
    """Counts one batch of a table's stream, or keeps the day's figures for an event of the daily schedule.

    After an error Lambda delivers the batch again in halves, or the schedule's event again. What was counted before is not counted again.
    """
    tasks(event if "task" in event else event | {"task": "take-in"}, context)
