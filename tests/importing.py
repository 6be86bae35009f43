"""Imports done to their end: the state machine on moto, and the tasks one by one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from retainstream.engine.schema import default_schema
from retainstream.runs.imports.compare import compare, index
from retainstream.runs.imports.load import load
from retainstream.runs.imports.request import ImportRequest, ask, import_run
from retainstream.runs.imports.steps import begin_load, finish, verify
from retainstream.runs.imports.survey import begin, survey, unpack
from retainstream.runs.imports.view import ImportView
from retainstream.runs.imports.work import upload_key
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.stores import Stores

COLUMNS = (
    "customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price"
)


def line(customer_id: str, *, plan: str = "basic", watch: float | str = 5.5, churned: str | None = None) -> str:
    """A line of a file of the default schema."""
    return f"{customer_id},{plan},{watch},3,2,1,0,4,9.99" + (f",{churned}" if churned is not None else "")


def as_file(lines: Sequence[str], *, outcomes: bool = False) -> bytes:
    return "\n".join([COLUMNS + (",churned" if outcomes else ""), *lines, ""]).encode()


def asked_for(content: bytes, *, by: str = "ann@example.com", key: str | None = None, **moments: str | None) -> ImportView:
    """An import that waits, with its file in the bucket. `moments` are those of an `ImportRequest`."""
    request = ImportRequest.model_validate({"file_name": "customers.csv", "size": len(content), **moments})
    view = ask(Stores(), default_schema(), request, by=by, idempotency_key=key)
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(view.import_id), Body=content)
    return view


@dataclass
class Steps:
    """The state machine's tasks in their order, without the machine. `seconds` is the time each invocation says it has left."""

    import_id: str
    seconds: Callable[[], float] = lambda: 600.0
    stores: Stores = field(default_factory=Stores)

    def run(self) -> Mapping[str, int]:
        """The counts of the import."""
        stores, run = self.stores, {"import_id": self.import_id}
        begun = begin(stores, as_event(run))
        file, upload = begun["file"], None
        if begun["packed"]:
            while not (unpacked := unpack(stores, as_event(run, file=begun["file"], upload=upload), self.seconds))["done"]:
                upload = unpacked["upload"]
            file = unpacked["file"]
        survey_so_far = None
        while not (surveyed := survey(stores, as_event(run, file=file, found=survey_so_far), self.seconds))["done"]:
            survey_so_far = surveyed
        parts, partitions = surveyed["parts"], surveyed["partition_count"]
        indexed = [index(stores, as_event(run, file=file, part=part, partitions=partitions)) for part in parts]
        compared = [
            compare(stores, as_event(run, partition=partition, partitions=partitions, parts=len(parts))) for partition in range(partitions)
        ]
        begin_load(stores, as_event(run, indexed=indexed, compared=compared))
        turns = []
        for part in parts:
            turn: Any = {"part": part, "next": None, "counts": {}}
            while not (turn := load(stores, as_event(run, file=file, turn=turn), self.seconds))["done"]:
                pass
            turns.append(turn)
        verified = verify(stores, as_event(run, indexed=indexed, turns=turns))
        finish(stores, as_event(run, turns=turns, verified=verified))
        return verified["counts"]


def as_event(run: Mapping[str, str], **fields: Any) -> Any:
    """An event as the state machine makes it: JSON."""
    return json.loads(json.dumps({**run, **fields}))


def imported(content: bytes, *, seconds: Callable[[], float] = lambda: 600.0, **moments: str | None) -> ImportView:
    """A file imported to its end."""
    view = asked_for(content, by="ann@example.com", key=None, **moments)
    Steps(view.import_id, seconds).run()
    return import_run(Stores(), view.import_id)


def rejects(import_id: str) -> list[str]:
    """The lines of the rejects file, without its header."""
    text = Documents().get_bytes(f"imports/rejects/{import_id}.csv").decode("utf-8-sig")
    return text.split("\r\n")[1:-1]


def unread_rows(import_id: str) -> list[str]:
    """The lines of the file of accepted rows with cells that could not be read, without its header."""
    text = Documents().get_bytes(f"imports/rejects/{import_id}-unread.csv").decode("utf-8-sig")
    return text.split("\r\n")[1:-1]
