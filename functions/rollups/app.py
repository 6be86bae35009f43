"""What changes in customers and predictions, taken into the dashboard's counters."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.rollups.consume import take_in
from retainstream.rollups.fold import READ
from retainstream.settings import settings
from retainstream.storage.changes import changes_by_table
from retainstream.storage.rollups import Rollups, Source

logger = Logger(service="rollups")
rollups = cache(Rollups)


def _sources() -> dict[str, Source]:
    return {settings().customers_table: "customers", settings().predictions_table: "predictions"}


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Takes one batch of a table's stream. An error makes Lambda deliver the batch again, which changes nothing that was taken in."""
    for table, changes in changes_by_table(event["Records"], READ).items():
        taken = take_in(_sources()[table], changes, rollups())
        logger.info("changes taken in", extra={"table": table, "changes": len(changes), "counted": taken})
