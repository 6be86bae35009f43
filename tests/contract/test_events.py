"""Every event in events/ is accepted by its function, one after the other as the stack's own life would send them."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.registry.active_schema import set_active_schema
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from tests import as_function
from tests.as_function import seen
from tests.conftest import account
from tests.contract.scenes import SCENES
from tests.delivered_sources import deliver_profile_and_subscriptions
from tests.integration.athena import PARAMETERS, leave_counts
from tests.integration.conftest import lambda_context, load_function
from tests.integration.training_jobs import training_jobs
from tests.made_sources import streaming_with_sources
from tests.past_of_customers import store_with_history
from tests.permissions import roles
from tests.strict.disturb import whole_answers

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"

# A model is trained and put into service, everybody is scored, then people come; the last events take away what others need.
CHAPTERS = [
    ("auth", "register login me users"),
    ("authorizer", "request"),
    ("model", "health health-details openapi docs unknown-route preflight"),
    ("customers", "put list outcome import"),
    ("imports", "uploaded begin unpack survey index compare begin-load load verify finish fail"),
    ("customers", "imports import-status import-complete preview delivery"),
    ("drafts", "draft"),
    ("prepare", "arrived read-delivery merge-delivery finish-delivery"),
    ("customers", "sources deliveries delivery-status delivery-complete prepare"),
    ("model", "train"),
    ("retraining", "begin"),
    ("history", "extract read-answer"),
    ("retraining", "validate train evaluate gate register promote score check-scoring notify"),
    ("retraining", "begin-by-schedule"),
    ("history", "extract-part"),
    ("retraining", "gather shape export-part prepare-job"),
    ("retraining", "import-model"),
    ("scoring", "plan score verify"),
    ("history", "keep judge"),
    ("scoring", "finish"),
    ("rollups", "customers predictions keep-day"),
    ("recount", "open count look"),
    ("dashboard", "metrics distribution features predict recount recount-run"),
    ("customers", "high-risk customer segment"),
    ("prepare", "forget begin build store finish fail"),
    ("customers", "preparation latest-preparation"),
    ("exports", "begin write finish"),
    ("predictions", "results export generate generate-by-id generate-all performance what-if run"),
    ("model", "status schema features drift training-run versions promote rollback"),
    ("customers", "delete"),
    ("history", "forget"),
    ("auth", "logout"),
    ("retraining", "fail"),
    ("scoring", "fail"),
    ("recount", "fail"),
    ("exports", "fail"),
]
STORY = [f"{function}/{name}" for function, names in CHAPTERS for name in names.split()]

UPLOADED = {None}  # no task: an object has arrived
FILE = (
    b"customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price\n"
    b"s0000042,standard,6.5,14,2,19,1,26,12.99\n"
    b"s0000043,basic,1,1,1,1,0,19.99\n"
)

SOURCE_FILE = (
    b"customer_id,occurred_at,event,amount\n"
    b"s0000042,2026-10-03T18:00:00Z,login,\n"
    b"s0000042,2026-10-05T08:30:00Z,payment,12.99\n"
    b"s0000043,2026-10-31T20:15:00Z,login,\n"
)

GOES_ON = {"exports/write", "exports/finish"}

STATUS = {
    "customers/import": 202,
    "customers/delivery": 202,
    "customers/prepare": 202,
    "auth/register": 201,
    "model/unknown-route": 404,
    "model/preflight": 204,
    "model/train": 202,
    "dashboard/recount": 202,
    "predictions/generate-all": 202,
    "model/rollback": 409,  # there is no version before the only one
}


@contextmanager
def stack_of_the_story() -> Iterator[None]:
    """An account with tables, bucket, key and state machines, with customers to learn from and the file that was uploaded."""
    with account(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINING_SECONDS", "1")
        patch.setenv("SAGEMAKER_ROW_THRESHOLD", "10000")
        patch.setattr(as_function, "parameters", PARAMETERS)
        patch.setenv("NOTIFICATION_TOPIC_ARN", boto3.client("sns").create_topic(Name="test-NotificationTopic")["TopicArn"])
        settings.cache_clear()
        load_function.cache_clear()
        pass_through = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        for machine in ("test-retraining", "test-scoring", "test-recount", "test-import", "test-prepare", "test-export"):
            role = "arn:aws:iam::123456789012:role/states"
            boto3.client("stepfunctions").create_state_machine(name=machine, definition=pass_through, roleArn=role)
        bring_customers_and_files(1500)
        with whole_answers():
            deliver_profile_and_subscriptions("s0000042", "s0000043")
            yield
    settings.cache_clear()
    load_function.cache_clear()


def bring_customers_and_files(customers: int) -> None:
    """A schema with sources, customers to learn from, and the files that were uploaded."""
    set_active_schema(Documents(), streaming_with_sources())
    store_with_history(as_customers(generate(customers, 1)))
    for name, content in (("imports/uploaded", FILE), ("prepare/arrived", SOURCE_FILE)):
        key = json.loads((EVENTS / f"{name}.json").read_text())["detail"]["object"]["key"]
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=key, Body=content)


@pytest.fixture(scope="module")
def story() -> Iterator[dict[str, Any]]:
    """What each event was answered, or the error it led to; the stack is still there."""
    with stack_of_the_story():
        seen.clear()
        yield tell()


def tell() -> dict[str, Any]:
    """Each event to its function, in the order of the story."""
    answers: dict[str, Any] = {}
    left: dict[str, Any] = {}  # what an export's task leaves has a new name each time
    for name in STORY:
        function = name.split("/")[0]
        leave_what_others_bring(name)
        given = {**event(name), **left} if name in GOES_ON else event(name)
        try:
            answer = load_function(function).handler(given, lambda_context(function))
        except Exception as error:
            answers[name] = error
            continue
        answers[name] = answer
        left = {"progress": answer["progress"]} if isinstance(answer, dict) and "progress" in answer else left
        if name == "retraining/prepare-job":
            do_the_job(answer)
    return answers


def event(name: str) -> Any:
    """The event, with tables called as they are here."""
    text = (EVENTS / f"{name}.json").read_text()
    for logical_id, table in (("CustomersTable", settings().customers_table), ("PredictionsTable", settings().predictions_table)):
        text = text.replace(f":table/{logical_id}/", f":table/{table}/")
    return json.loads(text)


def leave_what_others_bring(name: str) -> None:
    """Athena's answer, which an event reads."""
    if name == "history/read-answer":
        leave_counts(event(name)["run_id"])


def do_the_job(asked: Mapping[str, Any]) -> None:
    """What SageMaker does between two events, under the name that the second of them gives."""
    job = {**asked, "TrainingJobName": event("retraining/import-model")["job"]["TrainingJobName"]}
    with training_jobs():
        boto3.client("sagemaker").create_training_job(**job, RoleArn="arn:aws:iam::123456789012:role/job")


def test_the_story_tells_every_event() -> None:
    told = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.rglob("*.json") if path.parent.name != "statemachines"}
    assert told == set(STORY)
    assert len(STORY) == len(set(STORY))


def test_there_are_events_for_every_function() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert {name.split("/")[0] for name in STORY} == functions


def test_every_task_of_the_state_machines_has_an_event() -> None:
    tasks: dict[str, set[str]] = {}
    for definition in (ROOT / "statemachines").glob("*.asl.yaml"):
        for function, task in re.findall(r"FunctionName: \$\{(\w+)FunctionArn\}\n\s+Payload:\n\s+task: (\w+)", definition.read_text()):
            tasks.setdefault(function.lower(), set()).add(task)
    assert tasks.keys() == {"retraining", "scoring", "recount", "imports", "exports", "history", "prepare"}
    for function, named in tasks.items():
        events = {json.loads(path.read_text()).get("task") for path in (EVENTS / function).glob("*.json")}
        assert named == events - UPLOADED, function


def test_every_event_is_accepted_by_its_function(story: Mapping[str, Any], subtests: pytest.Subtests) -> None:
    for name, answer in story.items():
        with subtests.test(name):
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, dict) and "statusCode" in answer:
                assert answer["statusCode"] == STATUS.get(name, 200), answer["body"]
            elif name == "authorizer/request":
                assert answer == {"isAuthorized": True, "context": {"refused": "1"}}


AWS_ITSELF = {
    "logs": "the lines that functions print are written by Lambda, in the function's name",
    "xray": "so are its traces",
    "dynamodb:DescribeStream": "Lambda reads a stream for the function that is told of it",
    "dynamodb:GetRecords": "Lambda reads a stream for the function that is told of it",
    "dynamodb:GetShardIterator": "Lambda reads a stream for the function that is told of it",
    "dynamodb:ListStreams": "Lambda reads a stream for the function that is told of it",
    "sqs:SendMessage": "Lambda puts what a function failed to do into the dead letters",
}
"""What roles allow that no code of ours calls, and why."""


def test_what_a_role_allows_is_called(story: Mapping[str, Any], subtests: pytest.Subtests) -> None:
    del story
    for scene in SCENES:
        with subtests.test(scene.__name__), whole_answers():
            scene()
    granted = roles(PARAMETERS)
    never = [
        f"{role}: {allowed}"
        for function, role in sorted(granted.of_function.items())
        for allowed in sorted(granted.allowed[role], key=str)
        if not any(allowed.covers(call) for call in seen.get(function, ()))
        and not {allowed.action, allowed.action.split(":")[0]} & AWS_ITSELF.keys()
    ]
    assert never == []
