"""The errors of storage, and the one place that translates AWS's error codes into them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

_CONFLICT_CODES = {
    *("ConditionalCheckFailedException", "TransactionCanceledException", "ExecutionAlreadyExists"),
    *("PreconditionFailed", "ConditionalRequestConflict"),
}
_REFUSED_CODES = {
    *("AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "AuthorizationErrorException", "AllAccessDisabled"),
    *("ValidationException", "ValidationError", "SerializationException", "InvalidRequest", "InvalidArgument", "MalformedXML"),
    *("InvalidParameter", "InvalidParameterValue", "InvalidParameterException", "MissingParameter", "UnknownOperationException"),
    *("InvalidArn", "InvalidArnException", "InvalidExecutionInput", "InvalidName", "MethodNotAllowed", "EntityTooLarge", "KeyTooLongError"),
}
_MISSING_CODES = {"NoSuchKey", "NoSuchUpload", "404", "ResourceNotFound", "ExecutionDoesNotExist", "EntityNotFoundException"}


class StorageError(Exception):
    """Base of what storage raises."""


class StorageUnavailable(StorageError):
    """AWS did not answer, throttled the call, or failed. The same call may succeed later."""


class RequestRefused(StorageError):
    """AWS refused the request itself: it is invalid, or the function lacks a permission. This is a fault of RetainStream or of its
    deployment, not an outage: the same call is refused again."""


class Conflict(StorageError):
    """The condition of a conditional write did not hold: another writer was first.

    `stored` is the item in the table, where DynamoDB returned it and the write was sent more than once. In that case the first writer may
    have been an earlier sending of the same write whose answer was lost.
    """

    def __init__(self, *arguments: object, stored: Mapping[str, Mapping[str, object]] | None = None) -> None:
        super().__init__(*arguments)
        self.stored = stored


class NotStored(StorageError):
    """The item, file or execution does not exist."""


class TooLarge(StorageError):
    """The document is larger than the caller accepts."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Translates botocore's errors into those of this module.

    Raises:
        Conflict: a condition failed.
        NotStored: the object or execution does not exist.
        RequestRefused: the request is invalid or not permitted.
        StorageUnavailable: every other error of AWS or of the network.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _CONFLICT_CODES:
            sent_again = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            stored: Any = error.response.get("Item") if sent_again else None
            raise Conflict(code, stored=stored) from error
        if code in _MISSING_CODES:
            raise NotStored(code) from error
        if code in _REFUSED_CODES:
            raise RequestRefused(f"{error.operation_name}: {code}") from error
        raise StorageUnavailable(f"{error.operation_name}: {code}") from error
    except ParamValidationError as error:
        raise RequestRefused(type(error).__name__) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise StorageUnavailable(type(error).__name__) from error
