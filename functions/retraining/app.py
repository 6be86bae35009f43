"""The tasks of the retraining state machine."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.training.tasks import run_task

logger = Logger(service="retraining")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Does the task that the state machine names."""
    return run_task(event)
