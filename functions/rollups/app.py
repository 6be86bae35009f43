"""What changes in customers and predictions, taken into the dashboard's counters; and each day, what these say."""

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


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Takes one batch of a table's stream, or keeps a day's figures when the daily schedule says so.

    An error makes Lambda deliver the batch in halves, or the schedule's event, again, which changes nothing that was taken in.
    """
    tasks(event if "task" in event else {"task": "take-in", **event}, context)
