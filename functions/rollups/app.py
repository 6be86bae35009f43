"""What changes in customers and predictions, taken into the dashboard's counters; and each day, what these say."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.rollups.consume import take_in
from retainstream.rollups.daily import keep_day
from retainstream.rollups.fold import READ
from retainstream.settings import settings
from retainstream.storage.changes import changes_by_table
from retainstream.storage.models import Models
from retainstream.storage.rollups import Rollups, Source

logger = Logger(service="rollups")
rollups, models = cache(Rollups), cache(Models)


def _sources() -> dict[str, Source]:
    return {settings().customers_table: "customers", settings().predictions_table: "predictions"}


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Takes one batch of a table's stream, or keeps a day's figures when the daily schedule says so.

    An error makes Lambda deliver the batch, or the schedule's event, again, which changes nothing that was taken in.
    """
    if event.get("task") == "keep-day":
        keep_day(rollups(), models(), event.get("scheduled_at"))
        return
    for table, changes in changes_by_table(event["Records"], READ).items():
        taken = take_in(_sources()[table], changes, rollups())
        logger.info("changes taken in", extra={"table": table, "changes": len(changes), "counted": taken})
