"""What can go wrong in storage, in the words of the callers, and the one place where AWS's error codes become it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

_CONFLICT_CODES = {"ConditionalCheckFailedException", "TransactionCanceledException", "ExecutionAlreadyExists"}
_MISSING_CODES = {"NoSuchKey", "NoSuchUpload", "404", "ResourceNotFound", "ExecutionDoesNotExist"}


class StorageError(Exception):
    """Base of what storage raises."""


class StorageUnavailable(StorageError):
    """AWS did not answer, throttled, or failed; the same call may succeed later."""


class Conflict(StorageError):
    """The condition of a conditional write did not hold: somebody else was first.

    `found` are the attributes of the item that is there, where DynamoDB was asked to tell them and the write was sent more than once: an
    earlier sending, whose answer was lost, may have been the first.
    """

    def __init__(self, *told: object, found: Mapping[str, Any] | None = None) -> None:
        super().__init__(*told)
        self.found = found


class NotStored(StorageError):
    """What was asked for is not there."""


class TooLarge(StorageError):
    """What was asked for is larger than the one who asked takes."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns botocore's errors into this module's.

    Raises:
        Conflict: a condition failed.
        NotStored: the object or execution does not exist.
        StorageUnavailable: anything else AWS or the way to it can say.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _CONFLICT_CODES:
            sent_again = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            there: Any = error.response.get("Item") if sent_again else None
            raise Conflict(code, found=there) from error
        if code in _MISSING_CODES:
            raise NotStored(code) from error
        raise StorageUnavailable(f"{error.operation_name}: {code}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise StorageUnavailable(type(error).__name__) from error
