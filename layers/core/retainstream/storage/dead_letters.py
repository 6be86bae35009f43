"""The queue of events that could not be handled, for operators to look through."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from retainstream.settings import settings
from retainstream.storage.clients import sqs
from retainstream.storage.errors import storage_errors

MOST_BYTES = 200_000
"""The size that a message of the queue can hold, with a margin."""


@dataclass(frozen=True)
class DeadLetters:
    """The stack's queue of dead letters. `url` is empty where the stack has none."""

    url: str = field(default_factory=lambda: settings().dead_letters_url)

    def put(self, letter: Mapping[str, object]) -> None:
        """Adds a letter of at most MOST_BYTES as JSON.

        Raises:
            StorageUnavailable: SQS did not accept it.
        """
        with storage_errors():
            sqs().send_message(QueueUrl=self.url, MessageBody=json.dumps(letter))
