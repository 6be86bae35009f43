"""A small business for faults to befall: people, customers, two models, predictions, and runs of every kind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.s3 import models as moto_s3

from retainstream.accounts.passwords import hashed
from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import recount
from retainstream.engine.learning.card.page import page, policy
from retainstream.engine.schema import default_schema
from retainstream.registry import health, loading
from retainstream.registry.active_schema import forget_active_schema
from retainstream.registry.versions import register
from retainstream.roles import Role
from retainstream.runs import uploading
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups, Source
from retainstream.storage.runs import Runs
from retainstream.storage.table import Table
from retainstream.storage.users import User, Users
from tests import as_function
from tests.aws_state import AwsState
from tests.conftest import account, forget_other_accounts
from tests.delivered_sources import deliver_profile_and_subscriptions
from tests.integration.athena import PARAMETERS
from tests.integration.base_of_customers import watch_streams
from tests.integration.conftest import lambda_context, load_function
from tests.made_cards import synthetic_card
from tests.made_sources import schema_with_sources
from tests.small_models import add_customers, put_in_service
from tests.strict.disturb import whole_answers

PASSWORD = "ninety green lamps sing"
ADMIN, VIEWER, OTHER = "ann@example.com", "bob@example.com", "cleo@example.com"
FIRST, SECOND, CARDED = "20260101T000000Z-first000", "20260201T000000Z-second00", "20260301T000000Z-carded00"
KEPT_SCHEMA = "20260101T000000Z.streaming.0123456789ab"
TRAINING, SCORING, RECOUNT, EXPORT = "training-1", "scoring-1", "recount-1", "export-1"
WAITING, PARTED = "a" * 32, "b" * 32
DELIVERY, PARTED_DELIVERY, PREPARATION = "d" * 32, "e" * 32, "preparation-0"
SOURCE_FILE = (
    b"customer_id,occurred_at,event,amount\nC-000003,2026-05-01,login,\nC-000003,2026-05-01,login,\nC-000004,2026-06-02,payment,9\n"
)
FILE = (
    b"customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price\n"
    b"C-000003,standard,6.5,14,2,19,1,26,12.99\n"
    b"s0000043,gold,1,1,1,1,0,1,9.99\n"
    b"s0000044,basic,1,1,1,1,0,1,9.99\n"
)
FIGURES = {"rows": 700, "roc_auc": 0.84, "pr_auc": 0.6, "log_loss": 0.4, "brier": 0.1, "ece": 0.01}
MACHINES = ("test-retraining", "test-scoring", "test-recount", "test-import", "test-prepare", "test-export")
ROLE = "arn:aws:iam::123456789012:role/states"


def run(function: str, **event: Any) -> Any:
    """What a function answers to an event."""
    context = lambda_context(function)
    context.get_remaining_time_in_millis = lambda: 900_000
    return load_function(function).handler(event, context)


def start_cold() -> None:
    """Makes the functions forget what they keep from one invocation to the next, so that each call is made again."""
    forget_other_accounts()
    forget_active_schema()
    health._checked.clear()
    loading._cache = loading.ChampionCache()


@contextmanager
def world(**environment: str) -> Iterator[AwsState]:
    """The account with nothing in it but state machines that do nothing, a topic, and streams."""
    with pytest.MonkeyPatch.context() as patch, account(), whole_answers():
        topic = boto3.client("sns").create_topic(Name="test-NotificationTopic")["TopicArn"]
        for name, value in {"NOTIFICATION_TOPIC_ARN": topic, "TRAINING_SECONDS": "0.01", **environment}.items():
            patch.setenv(name, value)
        patch.setattr(uploading, "ONE_PUT", 64)
        patch.setattr(as_function, "parameters", PARAMETERS)
        patch.setattr(moto_s3, "S3_UPLOAD_PART_MIN_SIZE", 1)
        settings.cache_clear()
        watch_streams()
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        for machine in MACHINES:
            boto3.client("stepfunctions").create_state_machine(name=machine, definition=definition, roleArn=ROLE)
        try:
            yield AwsState()
        finally:
            settings.cache_clear()
            start_cold()


def add_people() -> None:
    for email, role in ((ADMIN, Role.ADMIN), (OTHER, Role.ADMIN), (VIEWER, Role.VIEWER)):
        Users().add(User(email, email.partition("@")[0], role, hashed(PASSWORD), "2026-01-01T00:00:00+00:00"))


def add_business(state: AwsState) -> None:
    """Customers, models, a scoring run of everybody, a recount, and an export."""
    for number, version in enumerate((FIRST, SECOND)):
        put_in_service(number, version)
        record = Models().version(version)
        assert record
        importance = [{"feature": "plan", "label": "Plan", "mean_abs_contribution": 0.2, "direction": "mixed"}]
        gate, rows = {"passed": True, "reasons": []}, {"train": 2000, "test": 700}
        change = {"importance": importance, "gate": gate, "rows": rows, "metrics": FIGURES, "baseline_metrics": FIGURES, "ceiling": FIGURES}
        Table(settings().models_table, ("pk", "sk")).put({**record, **change})
        pointer = Models().champion()
        assert pointer
        Table(settings().models_table, ("pk", "sk")).put({**pointer, "record": {**pointer["record"], **change}})
    add_customers(8, churned=1)
    score_everybody()
    add_card()
    Documents().put_bytes(f"schemas/earlier/{KEPT_SCHEMA}.json", default_schema().model_dump_json().encode())
    Runs().start(TRAINING, "training", ADMIN)
    Runs().start(PREPARATION, "preparation", ADMIN)
    run("recount", task="open", run_id=RECOUNT, input={"started_by": ADMIN, "repair": False})
    started = {"started_by": ADMIN, "filters": {}, "predictions": 7}
    opened = run("exports", task="begin", run_id=EXPORT, input=started)
    written = run("exports", task="write", run_id=EXPORT, progress=opened["progress"])
    run("exports", task="finish", run_id=EXPORT, progress=written["progress"])
    take_in(state)


def score_everybody() -> None:
    planned = run("scoring", task="plan", run_id=SCORING, input={"started_by": ADMIN})
    chosen = {"model_version": planned["model_version"], "chosen_at": planned["chosen_at"]}
    parts = [run("scoring", task="score", run_id=SCORING, part=part, **chosen) for part in planned["segments"]]
    counts = run("scoring", task="verify", run_id=SCORING, parts=parts, planned=len(parts))["counts"]
    assert run("history", task="keep", run_id=SCORING, model_version=planned["model_version"])["done"]
    run("scoring", task="finish", run_id=SCORING, model_version=planned["model_version"], counts=counts)


def add_card() -> None:
    card = synthetic_card()
    contents = {"card.json": card.model_dump_json(), "card.html": page(card)}
    stored = {name: Documents().put_bytes(f"models/{CARDED}/{name}", text.encode()) for name, text in contents.items()}
    files = {name: {"key": place.key, "sha256": place.sha256} for name, place in stored.items()}
    record: Any = {
        "version": CARDED,
        "run_id": "r",
        "created_at": "2026-03-01T00:00:00+00:00",
        "status": "rejected",
        "schema_name": "streaming",
    }
    more = {"threshold": 0.4, "calibration": "none", "metrics": FIGURES, "baseline_metrics": FIGURES, "synthetic": True, "importance": []}
    judged = {"gate": {"passed": False, "reasons": ["No."]}, "ceiling": FIGURES, "rows": {"train": 2000, "test": 700}}
    register(Models(), record | more | judged | {"files": files, "card_policy": policy()})


def uploaded_in_parts(key: str, content: bytes) -> str:
    """Uploads a file in parts that nobody has joined yet. Returns the upload's id."""
    bucket = boto3.client("s3")
    upload_id = bucket.create_multipart_upload(Bucket=settings().bucket, Key=key)["UploadId"]
    for number, offset in enumerate(range(0, len(content), 64), start=1):
        bucket.upload_part(Bucket=settings().bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=content[offset : offset + 64])
    return upload_id


def add_imports() -> None:
    """An import that waits for its file, and one whose file has arrived in parts."""
    for import_id in (WAITING, PARTED):
        asked: dict[str, Any] = {"file_name": "customers.csv", "size": len(FILE), "as_of": "2026-06-01T00:00:00.000000+00:00"}
        key = f"imports/uploads/{import_id}"
        if import_id == PARTED:
            asked["upload_id"] = uploaded_in_parts(key, FILE)
        Runs().expect(import_id, "import", ADMIN, asked)
        Documents().put_bytes(f"imports/recent/{'0' * 15}-{import_id}", b"")


def add_deliveries() -> None:
    """A delivery that waits for its file, and one whose file has arrived in parts; both find an earlier delivery's rows."""
    for delivery_id in ("f" * 32, DELIVERY, PARTED_DELIVERY):
        asked: dict[str, Any] = {
            "kind": "events",
            "file_name": "events.csv",
            "size": len(SOURCE_FILE),
            "as_of": "2026-07-01T00:00:00.000000+00:00",
        }
        key = f"deliveries/uploads/{delivery_id}"
        if delivery_id == PARTED_DELIVERY:
            asked["upload_id"] = uploaded_in_parts(key, SOURCE_FILE)
        Runs().expect(delivery_id, "delivery", ADMIN, asked)
        Documents().put_bytes(f"deliveries/recent/{'0' * 15}-{delivery_id}", b"")
    earlier = SOURCE_FILE.replace(b"05-01,login", b"05-02,loginx")
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=f"deliveries/uploads/{'f' * 32}", Body=earlier[: len(SOURCE_FILE)])
    deliver_profile_and_subscriptions("C-000003", "C-000004")
    with schema_with_sources():
        turn = run("prepare", task="read_delivery", run_id="f" * 32)
    run("prepare", task="merge_delivery", run_id="f" * 32, turn=turn)
    run("prepare", task="finish_delivery", run_id="f" * 32)


def take_in(state: AwsState, since: Any = None) -> None:
    """Delivers what the streams tell since a moment."""
    for table in (settings().customers_table, settings().predictions_table):
        if records := state.stream(table, since):
            run("rollups", Records=records)


def miscounted() -> dict[str, Any]:
    """Counters that are not what the rows add up to."""
    rows: dict[Source, list[Any]] = {
        "customers": [row for found in Customers().segment_pages() for row in found],
        "predictions": [row for found in Predictions().segment_pages() for row in found],
    }
    pairs = {source: (Rollups().counters(source).counters, recount(COUNT[source], found)) for source, found in rows.items()}
    return {source: pair for source, pair in pairs.items() if pair[0] != pair[1]}
