"""An AWS account in this process, with the resources of the template, that containers reach over the network."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from moto import mock_aws

from local.arrivals import Arrivals
from local.atomic_tables import atomic_tables
from local.fast_tables import fast_tables, keep_sorted
from local.fast_writes import fast_writes
from local.isolation import environment, isolate_from_aws
from local.objects import atomic_objects
from local.resources import Deployment, Function, deploy
from local.runtime import FunctionError, Runtime, lambda_service
from local.streams import StreamFeeder
from retainstream.settings import settings
from tests.strict.disturb import whole_answers
from tools.expand import Expanded, expand


@dataclass(frozen=True)
class Account:
    """What is deployed, and the environment of each function by its logical id."""

    deployment: Deployment
    logical_ids: dict[str, str]

    @property
    def environments(self) -> dict[str, dict[str, str]]:
        return {self.logical_ids[name]: function.environment for name, function in self.deployment.functions.items()}


class Containers(Runtime):
    """The functions in their containers behind `sam local start-lambda` at `url`, each with one event at a time."""

    def __init__(self, account: Account, url: str) -> None:
        super().__init__(account.deployment.functions)
        self._logical_ids = account.logical_ids
        self._url = url
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self.told: dict[str, list[Any]] = defaultdict(list)
        """The events of each function."""

    def invoke(self, name: str, event: Any, request_id: str | None = None) -> Any:
        del request_id
        function = self._logical_ids[name]
        with self._turns[name]:
            self.told[function].append(event)
            address = f"{self._url}/2015-03-31/functions/{function}/invocations"
            answer = httpx.post(address, content=json.dumps(event), timeout=self._functions[name].timeout + 60)
        document = answer.json() if answer.content else None
        if answer.status_code != 200 or (isinstance(document, dict) and "errorMessage" in document):
            told = document if isinstance(document, dict) else {}
            raise FunctionError(name, told.get("errorType", "Unhandled"), told.get("errorMessage", answer.text), told.get("stackTrace", []))
        return document


@contextmanager
def deployed(parameters: Mapping[str, str], *, executing: bool) -> Iterator[Account]:
    """The template's resources in an empty account, and our own code pointed at them; state machines run if `executing`."""
    with ExitStack() as stack:
        stack.enter_context(whole_answers())
        stack.enter_context(environment({}))
        isolate_from_aws()
        stack.enter_context(atomic_tables(keep_sorted))
        stack.enter_context(fast_tables())
        stack.enter_context(fast_writes())
        stack.enter_context(atomic_objects())
        stack.enter_context(mock_aws(config={"stepfunctions": {"execute_state_machine": executing}}))
        expanded = expand(parameters=parameters)
        deployment = deploy(expanded, parameters)
        stack.enter_context(environment(deployment.environment))
        stack.callback(settings.cache_clear)
        settings.cache_clear()
        yield Account(deployment, {name: _logical_id(function, expanded) for name, function in deployment.functions.items()})


@contextmanager
def wired(account: Account, containers: Containers) -> Iterator[StreamFeeder]:
    """State machines, streams and arrivals call the functions in their containers while the context lasts."""
    deployment = account.deployment
    feeder = StreamFeeder(deployment.mappings, containers, print)
    with lambda_service(containers, print), Arrivals(deployment.arrival_rules, containers, print).watched():
        feeder.start()
        try:
            yield feeder
        finally:
            feeder.stop()


def items(table: str) -> list[dict[str, Any]]:
    """Everything in a table, as DynamoDB writes it."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def keys(prefix: str) -> set[str]:
    """The objects of the bucket whose names begin so."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings().bucket, Prefix=prefix)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def _logical_id(function: Function, expanded: Expanded) -> str:
    return next(logical_id for logical_id, folder in expanded.code.items() if folder == function.file.parent)
