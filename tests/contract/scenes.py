"""What the story of events leaves out: rare turns, so that every call that a role allows is made once."""

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import batched
from typing import Any

import boto3
import pytest

from retainstream.accounts.accounts import new_user
from retainstream.customers import records
from retainstream.http.visitor import SECRET_HEADER, VIEWER_HEADER
from retainstream.registry import active_schema, loading
from retainstream.registry.active_schema import KEY, set_active_schema
from retainstream.roles import Role
from retainstream.runs.imports.work import upload_key
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from retainstream.storage.current_runs import CurrentRuns
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.removals import Removals
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Runs
from retainstream.storage.users import Users
from tests.delivered_sources import PROFILE, deliver
from tests.importing import as_file, line
from tests.integration.athena import DATABASE, make_tables
from tests.integration.base_of_customers import prediction
from tests.integration.conftest import http_event, lambda_context, load_function
from tests.made_sources import schema_with_sources, streaming_with_sources

type Answer = dict[str, Any]

_RUN = "9d0c9f7ab1e24c8f9a3b2c1d0e4f6a7b"


def ask(module: str, method: str, path: str, body: Any = None, *, query: str = "", headers: dict[str, str] | None = None) -> Any:
    """The data of an answer."""
    principal = {"userId": "ann@example.com", "role": "admin", "tokenId": "t", "tokenExpires": "1999999999"}
    sent = None if body is None else json.dumps(body)
    given = {"content-type": "application/json", **(headers or {})}
    answer = load_function(module).handler(
        http_event(method, path, query=query, body=sent, headers=given, principal=principal), lambda_context(module)
    )
    told = json.loads(answer["body"])
    assert answer["statusCode"] < 300, told
    return told["data"]


def task(function: str, name: str, *, seconds: float = 900, **given: Any) -> Any:
    context = lambda_context(function)
    context.get_remaining_time_in_millis = lambda: 1000 * seconds
    return json.loads(json.dumps(load_function(function).handler(json.loads(json.dumps({"task": name, **given})), context)))


@contextmanager
def meanwhile(operation: str, words: str, act: Callable[[list[str]], Any]) -> Iterator[None]:
    """Once, while a call to DynamoDB that speaks of `words` is on its way. What is done is given the customers in the call."""
    done: list[None] = []

    def hook(params: Any, **_: Any) -> None:
        if not done and words in str(params["body"]):
            done.append(None)
            act(re.findall(r'"customer_id":\{"S":"([^"]+)"', params["body"].decode()))

    events = dynamodb().meta.events
    events.register(f"before-call.dynamodb.{operation}", hook)
    try:
        yield
    finally:
        events.unregister(f"before-call.dynamodb.{operation}", hook)
    assert done, f"no {operation} of {words}"


@contextmanager
def an_own_process() -> Iterator[None]:
    """Neither the model in service nor the schema is held yet, as in a process that has just begun."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(active_schema, "_known", {})
        patch.setattr(loading, "_cache", loading.ChampionCache())
        yield


def some_leave(customer_ids: list[str]) -> None:
    """The first of them left, and the second is removed."""
    left, removed, *_ = customer_ids
    records.record_outcome(left, records.Outcome(churned=True), customers=Customers(), predictions=Predictions())
    records.delete(removed, Customers(), Predictions())


def the_base_gets_small() -> None:
    """Of all customers and predictions the first hundred stay: what comes has to pass over everybody several times."""
    for table in (settings().customers_table, settings().predictions_table):
        pages = dynamodb().get_paginator("scan").paginate(TableName=table, ProjectionExpression="customer_id")
        gone = [item for page in pages for item in page["Items"] if item["customer_id"]["S"] >= "s0000100"]
        for some in batched(gone, 25):
            dynamodb().batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}} for key in some]})


def people_sign_in() -> None:
    Users().add(new_user("ann@example.com", "a password of ann's", name="Ann", role=Role.ADMIN))
    token = ask("auth", "POST", "/api/auth/login", {"email": "jo.meyer@example.com", "password": "correct horse battery staple"})["token"]
    event = {"headers": {"authorization": f"Bearer {token}"}, "requestContext": {"requestId": "r"}}
    assert "userId" in load_function("authorizer").handler(event, lambda_context("authorizer"))["context"]
    ask("auth", "PATCH", "/api/auth/users", {"email": "jo.meyer@example.com", "role": "analyst"})


def people_look_at_customers() -> None:
    ask("customers", "GET", "/api/customers/high-risk", query="sort=value")
    ask(
        "customers",
        "POST",
        "/api/customers/segment",
        {"sort": "probability", "criteria": [{"column": "device_count", "op": "ge", "value": 1}]},
    )
    ask("customers", "POST", "/api/customers/segment", {"criteria": [{"column": "device_count", "op": "ge", "value": 1}]})
    ask("customers", "POST", "/api/customers/segment", {"levels": ["high"], "sort": "probability"})
    ask("customers", "POST", "/api/customers/s0000050/outcome", {"churned": True})


def a_large_file_is_announced() -> None:
    file = {"file_name": "all.csv", "size": 100 << 20}
    for path, more in (("/api/customers/imports", {}), ("/api/customers/sources/deliveries", {"kind": "events"})):
        asked = ask("customers", "POST", path, {**file, **more})
        with pytest.raises(AssertionError, match="The file is not complete"):
            ask("customers", "POST", asked["upload"]["complete"])


def predictions_are_asked_for() -> None:
    ask("predictions", "GET", "/api/predictions/results", query="min_probability=0.5")
    ask("predictions", "GET", "/api/predictions/results", query="format=csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORT_AT_ONCE", "0")
        settings.cache_clear()
        ask("predictions", "GET", "/api/predictions/results", query="format=csv")
    settings.cache_clear()


def runs_are_asked_for_while_one_is_under_way() -> None:
    """A run answers while its execution goes on; one whose execution was stopped gives way, and one that was not started is started."""
    train, recount = ("model", "POST", "/api/model/train"), ("dashboard", "POST", "/api/dashboard/recount", {"repair": False})
    score = ("predictions", "POST", "/api/predictions/generate", {"all": True})
    if (scheduled := CurrentRuns().get("training")) is not None:
        Runs().fail(scheduled["run"], "It has no execution here.")
    for machine, asking in (("retraining", train), ("recount", recount), ("scoring", score)):
        first = ask(*asking)["run_id"]
        assert ask(*asking)["run_id"] == first
        stop(machine, first)
        assert ask(*asking)["run_id"] != first
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORT_AT_ONCE", "0")
        settings.cache_clear()
        first, again = (ask("predictions", "GET", "/api/predictions/results", query="format=csv&level=high") for _ in range(2))
        assert first["run_id"] == again["run_id"]
    settings.cache_clear()
    running = ask(*score)["run_id"]
    opened: Any = {"run_id": f"{_RUN[:-1]}4", "started_at": "2026-11-21T09:00:00.000000+00:00", "started_by": "schedule"}
    Runs().start(opened["run_id"], "training", "schedule")
    assert task("retraining", "score", **opened)["scoring_run"] == running
    stop("scoring", running)
    assert task("retraining", "score", **opened)["scoring_run"] != running
    before = CurrentRuns().get("training")
    assert task("retraining", "begin", execution="scheduled", input={})["waits"] is True
    CurrentRuns().replace({"kind": "training", "run": "not-started", "started_by": "jo", "since": 0}, before)
    assert task("retraining", "begin", execution="scheduled", input={})["waits"] is True
    Runs().finish("not-started")


def stop(machine: str, run_id: str) -> None:
    """Stops an execution as an operator does."""
    boto3.client("stepfunctions").stop_execution(executionArn=f"arn:aws:states:eu-west-1:123456789012:execution:test-{machine}:{run_id}")


def customers_leave_while_they_are_scored() -> None:
    with an_own_process(), meanwhile("BatchWriteItem", "s0000060", some_leave):
        ask("predictions", "POST", "/api/predictions/generate", {"customer_ids": ["s0000060", "s0000061"]})
    with an_own_process(), meanwhile("BatchWriteItem", "", some_leave):
        ask("dashboard", "POST", "/api/dashboard/predict", {"sample_size": 20})
    version = Models().champion()["version"]  # type: ignore[index]
    planned = task("scoring", "plan", run_id=_RUN, input={"run_id": _RUN, "started_by": "schedule"})
    with meanwhile("BatchWriteItem", "", some_leave):
        part = task("scoring", "score", run_id=_RUN, model_version=version, chosen_at=planned["chosen_at"], part=planned["segments"][0])
    with pytest.raises(Exception, match="counts"):
        task("scoring", "verify", run_id=_RUN, parts=[{**part, "turns": part["turns"] + 1}], planned=1)


def a_job_leaves_no_model() -> None:
    begun: dict[str, Any] = {"run_id": _RUN, "started_at": "2026-11-23T04:00:00+00:00", "started_by": "schedule"}
    with pytest.raises(Exception, match="left no model"):
        task("retraining", "import_model", **begun, exported=[], job={"TrainingJobName": "none"})


def a_file_is_given_up() -> None:
    given: dict[str, Any] = {"run_id": _RUN, "input": {"started_by": "jo", "filters": {}, "predictions": 9}}
    written = task("exports", "begin", **given)
    ask("customers", "DELETE", "/api/customers/s0000070")
    with pytest.raises(Exception, match="was removed"):
        task("exports", "write", **given, progress=written["progress"])
    other: dict[str, Any] = {**given, "run_id": f"{_RUN[:-1]}0"}
    written = task("exports", "begin", **other)
    while not written["done"]:
        written = task("exports", "write", **other, progress=written["progress"])
    Removals().done()
    with pytest.raises(Exception, match="was removed"):
        task("exports", "finish", **other, progress=written["progress"])
    third = {**given, "run_id": f"{_RUN[:-1]}1"}
    task("exports", "begin", **third)
    task("exports", "fail", **third, error={"Error": "States.Timeout"})


def files_are_imported() -> None:
    for found in ("new1", "new2", "s0000080"):
        Predictions().put_many([prediction(found, 0.6)])
    lines = [line(found, churned="yes") for found in ("s0000080", "new1", "new2", "new3")]
    import_file(gzip.compress(as_file(lines, outcomes=True)), lambda _: Removals().begin("new1"))


def import_file(content: bytes, act: Callable[[list[str]], Any]) -> None:
    import_id = ask("customers", "POST", "/api/customers/imports", {"file_name": "more.csv.gz", "size": len(content)})["import_id"]
    s3().put_object(Bucket=settings().bucket, Key=upload_key(import_id), Body=content)
    begun = task("imports", "begin", import_id=import_id)
    packed, unpacked = begun["file"], task("imports", "unpack", seconds=0, import_id=import_id, file=begun["file"], upload=None)
    file = task("imports", "unpack", import_id=import_id, file=packed, upload=unpacked["upload"])["file"]
    found = task("imports", "survey", import_id=import_id, file=file, found=None)
    indexed = [
        task("imports", "index", import_id=import_id, file=file, part=part, partitions=found["partition_count"]) for part in found["parts"]
    ]
    compared = [
        task("imports", "compare", import_id=import_id, partition=one, partitions=found["partition_count"], parts=found["part_count"])
        for one in found["partitions"]
    ]
    task("imports", "begin_load", import_id=import_id, indexed=indexed, compared=compared)
    turn = {"part": found["parts"][0], "next": None, "counts": {}}
    with meanwhile("PutItem", "new1", act):
        task("imports", "load", import_id=import_id, file=file, turn=turn)


def the_figures_are_recounted() -> None:
    """Counters that are wrong are repaired, and the run is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECOUNT_SETTLE_SECONDS", "1")
        settings.cache_clear()
        for source in ("customers", "predictions"):
            Rollups().put_if_version(source, Rollups().counters(source).version, {"wrong": 1})
        run_id = f"{_RUN[:-1]}2"
        plan = task("recount", "open", run_id=run_id, input={"run_id": run_id, "started_by": "jo", "repair": True})
        parts: list[Any] = []
        while plan["next"] != "end":
            if plan["next"] == "wait":
                time.sleep(plan["wait_seconds"])
            parts = [task("recount", "count", run_id=run_id, part=part) for part in plan["parts"]] if plan["next"] == "count" else []
            plan = task("recount", "look", run_id=run_id, plan=plan, parts=parts)
        ask("dashboard", "GET", f"/api/dashboard/recounts/{run_id}")
    settings.cache_clear()


def a_candidate_is_compared_with_the_model_in_service() -> None:
    """Another training run comes to its gate, with what the first one has left."""
    run_id, bucket = f"{_RUN[:-1]}3", settings().bucket
    task("retraining", "begin", execution=run_id, input={"run_id": run_id, "started_by": "jo"})
    first = "d4be4068b6575da86ba8f936473c986b"
    for page in s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"datasets/{first}/"):
        for found in page["Contents"]:
            source: Any = {"Bucket": bucket, "Key": found["Key"]}
            s3().copy_object(Bucket=bucket, Key=found["Key"].replace(first, run_id), CopySource=source)
    task("retraining", "gate", run_id=run_id, started_at="2026-11-21T09:00:00.000000+00:00", started_by="jo")


def the_schema_is_changed() -> None:
    before = ask("model", "GET", "/api/model/schema")
    for schema in ({**before, "title": "Another"}, before):
        document = {"document": json.dumps(schema)}
        compared = ask("model", "POST", "/api/model/schema/check", document)
        ask("model", "PUT", "/api/model/schema", {**document, "replaces": compared["replaces"], "accept_refused": True})
    for earlier in ask("model", "GET", "/api/model/schema/earlier"):
        ask("model", "GET", f"/api/model/schema/earlier/{earlier['id']}")


def another_version_goes_into_service() -> None:
    version = Models().champion()["version"]  # type: ignore[index]
    record: Any = Models().version(version)
    Models().add_version("20301121T090000Z-00000000", record | {"version": "20301121T090000Z-00000000"})
    ask("model", "POST", "/api/model/versions/20301121T090000Z-00000000/promote")
    ask("model", "GET", "/api/model/versions", query="limit=1")  # one page of two, so its answer has a cursor
    ask("model", "GET", f"/api/model/versions/{version}/card")
    ask("model", "GET", "/api/model/versions", query="limit=1")


def visitors_come_through_the_pages() -> None:
    guarded = ("auth/me", "dashboard/metrics", "customers/high-risk", "predictions/results", "model/status")
    for module, path in ((path.split("/")[0], f"/api/{path}") for path in guarded):
        headers = {SECRET_HEADER: f"the secret {settings().pages_secret_arn}", VIEWER_HEADER: "203.0.113.9"}
        event = http_event("GET", path, headers=headers, principal=None)
        assert load_function(module).handler(event, lambda_context(module))["statusCode"] == 401


def the_dashboard_is_opened_before_a_schema_is_set() -> None:
    Documents().withdraw(KEY)
    with an_own_process():
        ask("dashboard", "GET", "/api/dashboard/distribution")
    set_active_schema(Documents(), streaming_with_sources())


def a_source_file_is_put_into_the_bucket() -> None:
    content = b"customer_id,occurred_at,event,amount\ns0000042,2026-11-03,login,\n"
    key = "deliveries/arriving/events/2026-11-03.csv"
    s3().put_object(Bucket=settings().bucket, Key=key, Body=content)
    event = {"time": "2026-11-04T02:00:00Z", "detail": {"object": {"key": key}}}
    assert load_function("prepare").handler(event, lambda_context("prepare"))["started"]
    [newest, *_] = ask("customers", "GET", "/api/customers/sources/deliveries")
    run_id = newest["delivery_id"]
    with schema_with_sources():
        turn = task("prepare", "read_delivery", run_id=run_id)
    task("prepare", "merge_delivery", run_id=run_id, turn=turn)
    task("prepare", "finish_delivery", run_id=run_id)


def a_removed_customer_goes_from_the_sources() -> None:
    given: dict[str, Any] = {"run_id": f"{_RUN[:-1]}8", "input": {"work": "preparation", "started_by": "jo"}}
    deliver("events", "customer_id,occurred_at,event,amount\nnew8,2026-10-02,login,\nnew8,2026-11-05,login,\n")
    deliver("subscriptions", "customer_id,started_on,ended_on\nnew7,2026-01-05,2026-11-02\nnew8,2026-01-05,\nnew9,2026-01-06,\n")
    deliver("profile", PROFILE.format("new8", "new9"))
    deliver("profile", PROFILE.format("new7", "nobody"))
    Predictions().put_many([prediction("new7", 0.6), prediction("new8", 0.6)])
    Removals().begin("new9")
    Runs().start(given["run_id"], "preparation", "jo")
    forgotten = {"done": False, "after": ""}
    while not forgotten["done"]:
        forgotten = task("prepare", "forget", **given, turn=forgotten)
    with schema_with_sources():
        first = ask("customers", "POST", "/api/customers/preparations")["run_id"]
        assert ask("customers", "POST", "/api/customers/preparations")["run_id"] == first
        assert task("prepare", "begin", run_id="scheduled", input={"work": "preparation", "started_by": "schedule"}) == {"prepares": False}
        stop("prepare", first)
        assert ask("customers", "POST", "/api/customers/preparations")["run_id"] != first
        Documents().put_bytes("history/anchor=2020-01-01/prepared-0.parquet", b"of a preparation with other anchors")
        task("prepare", "begin", **given)
        [part] = task("prepare", "build", **given)["parts"]
        with meanwhile("PutItem", "new8", lambda _: Removals().begin("new8")):
            task("prepare", "store", **given, turn={"part": part, "next": 0, "counts": {}})


def a_large_history_is_read_by_athena() -> None:
    make_tables()
    Runs().start("large", "training", "jo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HISTORY_ENGINE_ROW_THRESHOLD", "1")
        patch.setenv("HISTORY_DATABASE", DATABASE)
        settings.cache_clear()
        asked = task("history", "extract", run_id="large", started_at="2026-11-21T09:00:00.000000+00:00", started_by="jo")
    settings.cache_clear()
    assert asked["on_athena"]


SCENES = [
    a_large_history_is_read_by_athena,
    visitors_come_through_the_pages,
    the_base_gets_small,
    people_sign_in,
    people_look_at_customers,
    a_large_file_is_announced,
    predictions_are_asked_for,
    runs_are_asked_for_while_one_is_under_way,
    customers_leave_while_they_are_scored,
    files_are_imported,
    a_job_leaves_no_model,
    a_file_is_given_up,
    the_dashboard_is_opened_before_a_schema_is_set,
    a_source_file_is_put_into_the_bucket,
    a_removed_customer_goes_from_the_sources,
    the_figures_are_recounted,
    a_candidate_is_compared_with_the_model_in_service,
    the_schema_is_changed,
    another_version_goes_into_service,
]
