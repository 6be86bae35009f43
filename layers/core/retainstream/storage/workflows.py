"""Starting state machines."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from retainstream.storage.clients import stepfunctions
from retainstream.storage.errors import Conflict, NotStored, storage_errors
from retainstream.telemetry.correlation import correlation_id

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Workflows:
    def __init__(self, client: "SFNClient | None" = None) -> None:
        self._client = client or stepfunctions()

    def start(self, machine_arn: str, name: str, run_input: Mapping[str, object]) -> bool:
        """Starts an execution called `name` (1–80 letters, digits, - and _) with an input and the id of its cause.

        Returns whether it is new, as far as AWS can tell. A name that was used before is not started again, and that is not an error.

        Raises:
            StorageUnavailable: Step Functions did not answer.
        """
        document = {**run_input, "correlation_id": correlation_id() or name}
        try:
            with storage_errors():
                self._client.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(document, sort_keys=True))
        except Conflict:
            return False
        return True

    def state(self, machine_arn: str, name: str) -> str | None:
        """The state of the execution called `name`, such as RUNNING, TIMED_OUT or ABORTED; None where there is none of that name.

        Raises:
            StorageUnavailable: Step Functions did not answer.
        """
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
        try:
            with storage_errors():
                return self._client.describe_execution(executionArn=arn)["status"]
        except NotStored:
            return None
