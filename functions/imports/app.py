"""The tasks of the import state machine, and the arrival of an upload, which starts it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.registry.active_schema import active_schema
from retainstream.runs.imports import compare, ending, load, survey
from retainstream.runs.imports import request as asking
from retainstream.runs.imports.failure import reason_of_import
from retainstream.runs.imports.work import Part
from retainstream.settings import settings
from retainstream.storage.stores import Stores
from retainstream.telemetry.figures import of_import
from retainstream.telemetry.tasks import Tasks, by_name

stores = Stores()


def begin(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return survey.begin(stores, active_schema(stores.documents), event["import_id"])


def unpack(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return survey.unpack(stores, event["import_id"], event["file"], event["upload"], lambda: context.get_remaining_time_in_millis() / 1000)


def survey_file(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return survey.survey(stores, event["import_id"], event["file"], event["found"], lambda: context.get_remaining_time_in_millis() / 1000)


def index(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return compare.index(stores, event["import_id"], event["file"], Part.of(event["part"]), event["partitions"])


def compare_partition(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return compare.compare(stores, event["import_id"], event["partition"], event["partitions"], event["parts"])


def begin_load(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return ending.begin_load(stores, event["import_id"], event["indexed"], event["compared"])


def load_part(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return load.load(stores, event["import_id"], event["file"], event["turn"], lambda: context.get_remaining_time_in_millis() / 1000)


def verify(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return ending.verify(stores, event["import_id"], event["indexed"], event["turns"])


def finish(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return ending.finish(stores, event["import_id"], event["turns"], event["verified"])


def fail(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return ending.fail(stores, event["import_id"], reason_of_import(event["error"]))


def uploaded(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    key, machine = event["detail"]["object"]["key"], settings().import_state_machine_arn
    return {"started": asking.start_uploaded(stores.runs, stores.workflows, machine, key)}


TASKS = {
    "uploaded": uploaded,
    "begin": begin,
    "unpack": unpack,
    "survey": survey_file,
    "index": index,
    "compare": compare_partition,
    "begin_load": begin_load,
    "load": load_part,
    "verify": verify,
    "finish": finish,
    "fail": fail,
}
tasks = Tasks("imports", by_name(TASKS), {"finish": of_import})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Does the task that the state machine names; without one, an object has arrived in the bucket."""
    return tasks(event if "task" in event else {"task": "uploaded", **event}, context)
