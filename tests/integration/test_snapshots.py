"""Functions that start from a snapshot: what it holds, and what a restored process finds out for itself."""

import json
import random
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError
from snapshot_restore_py import get_after_restore, get_before_snapshot

from retainstream.engine.schema import default_schema
from retainstream.registry.active_schema import active_schema, forget_active_schema, set_active_schema
from retainstream.registry.champion import promote
from retainstream.settings import settings
from retainstream.storage.clients import drop_connections, dynamodb
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from tests.integration.conftest import Answer, load_function
from tests.small_models import put_in_service, some_features

FIRST, SECOND = "20260101T000000Z-first000", "20260102T000000Z-second00"


def run_hooks(hooks: list[Any]) -> None:
    """Those of the function that was loaded last."""
    function, arguments, named = hooks[-1]
    function(*arguments, **named)


@pytest.fixture(params=["predictions", "dashboard"])
def function(request: pytest.FixtureRequest, call: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A function loaded anew that trusts what it knows for a minute."""
    monkeypatch.setenv("MODEL_CACHE_SECONDS", "60")
    settings.cache_clear()
    load_function.cache_clear()
    load_function(request.param)
    yield request.param
    forget_active_schema()
    settings.cache_clear()
    load_function.cache_clear()


def answering_version(call: Callable[..., Answer], function: str) -> str:
    if function == "dashboard":
        answer = call("dashboard", "POST", "/api/dashboard/predict", {"sample_size": 1})
    else:
        answer = call("predictions", "POST", "/api/predictions/generate", {"rows": some_features(1)})
    assert answer.status == 200, answer.body
    found = json.dumps(answer.body)
    return next(version for version in (FIRST, SECOND) if version in found)


@pytest.fixture
def requests_to_s3() -> Iterator[list[str]]:
    """The operations that S3 is asked for from now on."""
    asked: list[str] = []
    events = Documents().client.meta.events
    events.register("before-call.s3", lambda model, **_: asked.append(model.name), unique_id="see")
    yield asked
    events.unregister("before-call.s3", unique_id="see")


def test_a_restored_process_answers_without_loading_the_model(
    call: Callable[..., Answer], function: str, requests_to_s3: list[str]
) -> None:
    put_in_service(version=FIRST)
    run_hooks(get_before_snapshot())
    loaded = requests_to_s3.count("GetObject")
    run_hooks(get_after_restore())
    assert answering_version(call, function) == FIRST
    assert 0 < loaded == requests_to_s3.count("GetObject")


def test_a_restored_process_notices_that_another_model_was_promoted(call: Callable[..., Answer], function: str) -> None:
    put_in_service(version=FIRST)
    run_hooks(get_before_snapshot())
    put_in_service(seed=1, version=SECOND)
    assert answering_version(call, function) == FIRST  # as it would, for a minute, without the hook
    run_hooks(get_after_restore())
    assert answering_version(call, function) == SECOND


def test_a_snapshot_is_taken_where_there_is_no_model_yet(call: Callable[..., Answer], function: str) -> None:
    run_hooks(get_before_snapshot())
    put_in_service(version=FIRST)
    run_hooks(get_after_restore())
    assert answering_version(call, function) == FIRST


def test_a_snapshot_is_taken_where_the_model_in_service_cannot_be_used(call: Callable[..., Answer], function: str) -> None:
    put_in_service(version=FIRST)
    Documents().put_bytes(f"models/{FIRST}/model.ubj", b"something else")
    put_in_service(seed=1, version=SECOND)
    promote(Models(), FIRST, "test")
    run_hooks(get_before_snapshot())
    promote(Models(), SECOND, "test")
    run_hooks(get_after_restore())
    assert answering_version(call, function) == SECOND


def test_a_snapshot_is_taken_where_storage_may_not_be_read_yet(call: Callable[..., Answer], function: str) -> None:
    put_in_service(version=FIRST)
    refused = []

    def refuse(model: Any, **_: Any) -> None:
        refused.append(model.name)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "the role is being made"}}, model.name)

    dynamodb().meta.events.register("before-call.dynamodb", refuse, unique_id="refuse")
    run_hooks(get_before_snapshot())
    dynamodb().meta.events.unregister("before-call.dynamodb", unique_id="refuse")
    run_hooks(get_after_restore())
    assert refused
    assert answering_version(call, function) == FIRST


def test_restored_processes_do_not_draw_the_same_numbers(function: str) -> None:
    state = random.getstate()
    draws = set()
    for _ in range(3):
        random.setstate(state)  # what the snapshot holds
        run_hooks(get_after_restore())
        draws.add(random.random())
    assert len(draws) == 3


def test_a_restored_process_reads_the_schema_anew(function: str) -> None:
    documents = Documents()
    key = set_active_schema(documents, default_schema()).key
    assert active_schema(documents).name == default_schema().name
    documents.put_bytes(key, default_schema().model_copy(update={"name": "another"}).model_dump_json().encode())
    assert active_schema(documents).name == default_schema().name
    run_hooks(get_after_restore())
    assert active_schema(documents).name == "another"


class _CountsConnections(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


def test_a_dropped_connection_is_made_again_by_the_same_client(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _CountsConnections)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    dynamodb.cache_clear()
    try:
        client = dynamodb()
        counted = []
        for after in (None, None, drop_connections):
            if after:
                after()
            client.get_item(TableName="any", Key={"key": {"S": "any"}})
            counted.append(_CountsConnections.connections)
        assert counted == [1, 1, 2]
        assert dynamodb() is client
    finally:
        drop_connections()
        dynamodb.cache_clear()
        server.shutdown()
        server.server_close()
