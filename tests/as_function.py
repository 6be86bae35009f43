"""Functions act in their roles: whatever a handler asks of AWS is held to what the template's role of that function allows.

The check is where botocore makes a call, whatever client it is made with, and follows the handler into the threads that it starts. A call
that the role does not allow is refused as AWS refuses it. A link is a call by whoever made the link. Tests themselves may do anything.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache, wraps
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.kms.models import kms_backends

from tests.permissions import ACCOUNT, REGION, Call, roles

_ARN = f"{REGION}:{ACCOUNT}"
_FUNCTION: ContextVar[str | None] = ContextVar("function", default=None)
_ON_ITEMS = {name: name for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable")}
_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_ON_OBJECTS = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObject": "DeleteObject",
}
_ON_BUCKETS = {
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
}
_MISSING = {"NoSuchKey", "404"}

parameters: tuple[tuple[str, str], ...] = ()
"""The parameters of the stack whose roles the functions have, besides the template's defaults."""
seen: dict[str, set[Call]] = {}
"""Every call that was let through, by function."""
refused: list[str] = []
"""What was not, in words."""


class UnknownOperation(BaseException):
    """An operation of which it is not written here what it needs. No `except Exception` shall swallow it."""


def calls_of(service: str, operation: str, parameters: dict[str, Any]) -> list[Call]:
    """What an operation of boto3 needs to be allowed.

    Raises:
        UnknownOperation: that is not written here.
    """
    match service, operation:
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            return [Call(f"dynamodb:{operation}", _table(table)) for table in parameters["RequestItems"]]
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            return [
                Call(f"dynamodb:{_IN_TRANSACTION[kind]}", _table(asked["TableName"]))
                for item in parameters["TransactItems"]
                for kind, asked in item.items()
            ]
        case "dynamodb", _ if operation in _ON_ITEMS:
            index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
            return [Call(f"dynamodb:{_ON_ITEMS[operation]}", _table(parameters["TableName"]) + index)]
        case "s3", "CopyObject":
            source = parameters["CopySource"]
            copied = source.lstrip("/") if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
            return [Call("s3:GetObject", f"arn:aws:s3:::{copied}"), _on_object("PutObject", parameters)]
        case "s3", "DeleteObjects":
            return [
                _on_object("DeleteObjectVersion" if "VersionId" in found else "DeleteObject", {**parameters, **found})
                for found in parameters["Delete"]["Objects"]
            ]
        case "s3", _ if operation in _ON_OBJECTS:
            return [_on_object(_ON_OBJECTS[operation] + ("Version" if "VersionId" in parameters else ""), parameters)]
        case "s3", _ if operation in _ON_BUCKETS:
            prefix = {"s3:prefix": parameters["Prefix"]} if "Prefix" in parameters else {}
            return [Call(f"s3:{_ON_BUCKETS[operation]}", f"arn:aws:s3:::{parameters['Bucket']}", prefix)]
        case "glue", "GetTable" | "UpdateTable":
            database, arn = parameters["DatabaseName"], f"arn:aws:glue:{_ARN}"
            table = parameters["Name"] if operation == "GetTable" else parameters["TableInput"]["Name"]
            places = ("catalog", f"database/{database}", f"table/{database}/{table}")
            return [Call(f"glue:{operation}", f"{arn}:{place}") for place in places]
        case "kms", "Sign" | "GetPublicKey":
            return [Call(f"kms:{operation}", _key(parameters["KeyId"]))]
        case "secretsmanager", "GetSecretValue":
            return [Call(f"secretsmanager:{operation}", f"arn:aws:secretsmanager:{_ARN}:secret:{parameters['SecretId']}")]
        case "sns", "Publish":
            return [Call("sns:Publish", parameters["TopicArn"])]
        case "sqs", "SendMessage":
            return [Call("sqs:SendMessage", f"arn:aws:sqs:{_ARN}:{parameters['QueueUrl'].rsplit('/', 1)[1]}")]
        case "stepfunctions", "StartExecution":
            return [Call("states:StartExecution", parameters["stateMachineArn"])]
        case "stepfunctions", "DescribeExecution":
            return [Call("states:DescribeExecution", parameters["executionArn"])]
    raise UnknownOperation(f"{service} {operation}: write in {__name__} what it needs to be allowed")


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{_ARN}:table/{name}"


def _on_object(action: str, parameters: dict[str, Any]) -> Call:
    return Call(f"s3:{action}", f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}")


def _key(given: str) -> str:
    """A key as policies name it: by its ARN, whichever of its names was asked for. The stack's own is called as its resource."""
    names = next(
        ({key.id, key.arn, *key.aliases} for key in kms_backends[ACCOUNT][REGION].keys.values() if given in (key.id, key.arn)), {given}
    )
    return f"arn:aws:kms:{_ARN}:key/{'SigningKey' if any('signing' in name for name in names) else given}"


def check(function: str, service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Lets a call of a function through.

    Raises:
        ClientError: its role does not allow it; as AWS says so.
    """
    for call in calls_of(service, operation, parameters):
        _let_through(function, operation, call)


def _let_through(function: str, operation: str, call: Call) -> None:
    granted = roles(parameters)
    if not granted.allows(granted.of_function[function], call):
        code = "AccessDenied" if call.action.startswith("s3:") else "AccessDeniedException"
        said = f"{granted.of_function[function]} is not authorized to perform: {call.action} on resource: {call.resource}"
        refused.append(said)
        answer: Any = {"Error": {"Code": code, "Message": said}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, operation)
    seen.setdefault(function, set()).add(call)


@contextmanager
def _acting_as(function: str | None) -> Iterator[None]:
    token = _FUNCTION.set(function)
    try:
        yield
    finally:
        _FUNCTION.reset(token)


def as_function[**Given, Answer](function: str, handler: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The handler, held to the role of the function it belongs to."""

    @wraps(handler)
    def held(*arguments: Given.args, **named: Given.kwargs) -> Answer:
        with _acting_as(function):
            return handler(*arguments, **named)

    return held


@cache
def hold_functions_to_their_roles() -> None:
    """From now on, in this process."""
    client: Any = BaseClient
    make_call, prepare = client._make_api_call, client._emit_api_params
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    def call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        function = _FUNCTION.get()
        if function is None:
            return make_call(self, operation, parameters)
        service = self.meta.service_model.service_name
        check(function, service, operation, parameters)
        try:
            with _acting_as(None):  # what answers on the other side acts for itself
                return make_call(self, operation, parameters)
        except ClientError as error:
            if service == "s3" and error.response["Error"]["Code"] in _MISSING and "Key" in parameters:
                # Who may not list a bucket is not told that something is missing in it.
                _let_through(function, operation, Call("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}"))
            raise

    def sign(self: Any, api_params: dict[str, Any], operation_model: Any, context: dict[str, Any]) -> Any:
        function = _FUNCTION.get()
        if function is not None:
            check(function, self.meta.service_model.service_name, operation_model.name, api_params)
        return prepare(self, api_params, operation_model, context)

    def start_as_starter(self: Any) -> None:
        function, run = _FUNCTION.get(), self.run
        if function is not None:
            self.run = as_function(function, run)
        start(self)

    def submit_as_submitter(self: Any, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        return submit(self, copy_context().run, work, *arguments, **named)

    client._make_api_call, client._emit_api_params = call, sign
    threading.Thread.start = start_as_starter  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submit_as_submitter  # type: ignore[method-assign]
