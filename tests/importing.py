"""Imports done to their end: the state machine on moto, and the tasks one by one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.runs.imports import request as asking
from retainstream.runs.imports.compare import compare, index
from retainstream.runs.imports.ending import begin_load, finish, verify
from retainstream.runs.imports.keys import upload_key
from retainstream.runs.imports.load import load
from retainstream.runs.imports.survey import begin, survey, unpack
from retainstream.runs.imports.views import ImportRequest, ImportView
from retainstream.runs.imports.work import Part
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import Uploads

COLUMNS = (
    "customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price"
)


def line(customer_id: str, *, plan: str = "basic", watch: float | str = 5.5, churned: str | None = None) -> str:
    """A line of a file of the default schema."""
    return f"{customer_id},{plan},{watch},3,2,1,0,4,9.99" + (f",{churned}" if churned is not None else "")


def as_file(lines: Sequence[str], *, outcomes: bool = False) -> bytes:
    return "\n".join([COLUMNS + (",churned" if outcomes else ""), *lines, ""]).encode()


def asked_for(content: bytes, *, as_of: str | None = None, by: str = "ann@example.com", key: str | None = None) -> ImportView:
    """An import that waits, with its file in the bucket."""
    given = ImportRequest(file_name="customers.csv", size=len(content), as_of=as_of)
    view = asking.ask(Runs(), Uploads(), Documents(), default_schema(), given, by=by, idempotency_key=key)
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(view.import_id), Body=content)
    return view


@dataclass
class Steps:
    """The state machine's tasks in their order, without the machine. `seconds` is the time each invocation says it has left."""

    import_id: str
    schema: FeatureSchema
    seconds: Callable[[], float] = lambda: 600.0
    stores: Stores | None = None

    def run(self) -> Mapping[str, Any]:
        stores, import_id = self.stores or Stores(), self.import_id
        begun = begin(stores, self.schema, import_id)
        file, upload = begun["file"], None
        if begun["packed"]:
            while not (told := unpack(stores, import_id, begun["file"], upload, self.seconds))["done"]:
                upload = told["upload"]
            file = told["file"]
        found = None
        while not (found := survey(stores, import_id, file, found, self.seconds))["done"]:
            pass
        found = json.loads(json.dumps(found))
        parts, partitions = found["parts"], found["partition_count"]
        indexed = [index(stores, import_id, file, Part.of(part), partitions) for part in parts]
        compared = [compare(stores, import_id, partition, partitions, len(parts)) for partition in range(partitions)]
        begin_load(stores, import_id, indexed, compared)
        turns = []
        for part in parts:
            turn: dict[str, Any] = {"part": part, "next": None, "counts": {}}
            while not (turn := load(stores, import_id, file, turn, self.seconds))["done"]:
                pass
            turns.append(turn)
        verified = verify(stores, import_id, indexed, turns)
        finish(stores, import_id, turns, verified)
        counted: Mapping[str, Any] = verified["counts"]
        return counted


def imported(content: bytes, *, as_of: str | None = None, seconds: Callable[[], float] = lambda: 600.0) -> ImportView:
    """A file imported to its end."""
    view = asked_for(content, as_of=as_of)
    Steps(view.import_id, default_schema(), seconds).run()
    return asking.look(Runs(), Documents(), view.import_id)


def rejects(import_id: str) -> list[str]:
    """The lines of the rejects file, without its header."""
    text = Documents().get_bytes(f"imports/rejects/{import_id}.csv").decode("utf-8-sig")
    return text.split("\r\n")[1:-1]
