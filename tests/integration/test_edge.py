"""What every request meets before a route and every answer after it, on a module made for the purpose."""

import json
import logging
import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Query
from botocore.exceptions import EndpointConnectionError
from pydantic import BaseModel, ConfigDict, Field

from retainstream.engine.learning.synthetic import generate
from retainstream.http import Api, Caller, Data, Listing, PageInfo, public, requires
from retainstream.roles import Role
from retainstream.storage.clients import dynamodb
from tests.integration.conftest import Answer, http_event, lambda_context, load_function
from tests.stored import stored_items

CANARY = "canary-4f1c"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: Annotated[int, Field(ge=1, le=10)]


class Receipt(BaseModel):
    count: int
    by: str | None = None


@pytest.fixture
def api() -> Api:
    app = Api("shop")

    @app.post("/api/shop/orders", **requires(Role.ANALYST))
    def order(body: Order, caller: Caller) -> Data[Receipt]:
        return Data(data=Receipt(count=body.count, by=caller.user_id))

    @app.get("/api/shop/<item>", **requires(Role.VIEWER))
    def item(item: str, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Listing[Receipt]:
        return Listing(data=[Receipt(count=limit)], page=PageInfo(limit=limit))

    @app.get("/api/broken", **public())
    def broken() -> Data[Receipt]:
        raise ValueError(CANARY)

    @app.get("/api/wrong-answer", **public())
    def wrong_answer() -> Data[Receipt]:
        return {"data": {"count": CANARY}}  # type: ignore[return-value]

    @app.get("/api/free", **public(counted=False))
    def free() -> Data[Receipt]:
        return Data(data=Receipt(count=1))

    return app


@pytest.fixture
def send(aws: None, api: Api) -> Callable[..., Answer]:
    def send(
        method: str,
        path: str,
        *,
        raw: str | None = None,
        role: str | None = "analyst",
        content_type: str = "application/json",
        query: str = "",
        token_id: str = "t1",
    ) -> Answer:
        principal = {"userId": "ann@example.com", "role": role, "tokenId": token_id, "tokenExpires": "1999999999"} if role else None
        event = http_event(method, path, query=query, body=raw, headers={"content-type": content_type}, principal=principal)
        answer = api.resolve(event, lambda_context("shop"))
        assert isinstance(answer["body"], str)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    return send


def problem_of(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == answer.status
    assert answer.body["request_id"]
    return str(answer.body["type"].rpartition(":")[2])


def test_a_good_request_is_answered_in_the_envelope_with_security_and_rate_limit_headers(send: Callable[..., Answer]) -> None:
    answer = send("POST", "/api/shop/orders", raw='{"count": 3}')
    assert answer.status == 200
    assert answer.body == {"data": {"count": 3, "by": "ann@example.com"}}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"]
    assert answer.headers["RateLimit-Remaining"] == "999"


@pytest.mark.parametrize(
    ("raw", "status", "field"),
    [
        ('{"count": 11}', 422, "body.count"),
        ('{"count": 1, "colour": "red"}', 422, "body.colour"),
        ("{}", 422, "body.count"),
        (None, 422, "body"),
        ("", 422, "body"),
        ("[1]", 422, "body"),
        ('"text"', 422, "body"),
        ('{"count": NaN}', 400, None),
        ('{"count": Infinity}', 400, None),
        ('{"count": ', 400, None),
        ('{"count": ' + "9" * 5000 + "}", 400, None),
        ("[" * 100_000, 400, None),
        ('{"count": "' + "x" * 1_000_001 + '"}', 413, None),
        ('{"count": "' + "ä" * 500_000 + '"}', 413, None),
        (" " * 999_988 + '{"count": 1}', 200, None),
        (" " * 999_989 + '{"count": 1}', 413, None),
        ('{"count": 1, "count": 2}', 400, None),
        ('{"count": 1, "c\\u006funt": 2}', 400, None),
        ('{"count": ' + "[" * 31 + "]" * 31 + "}", 422, "body.count"),
        ('{"count": ' + "[" * 32 + "]" * 32 + "}", 400, None),
        ('{"count": ' + '{"a":' * 900 + "1" + "}" * 901, 400, None),
        ("\ufeff{}", 400, None),
    ],
)
def test_a_bad_body_is_refused_by_name(send: Callable[..., Answer], raw: str | None, status: int, field: str | None) -> None:
    answer = send("POST", "/api/shop/orders", raw=raw)
    assert answer.status == status
    if status != 200:
        problem_of(answer)
    if field:
        assert field in {error["field"] for error in answer.body["errors"]}


def test_a_body_that_is_not_utf8_is_refused(aws: None, api: Api) -> None:
    principal = {"userId": "ann@example.com", "role": "analyst", "tokenId": "t", "tokenExpires": "1999999999"}
    event = http_event("POST", "/api/shop/orders", body="/w==", headers={"content-type": "application/json"}, principal=principal)
    answer = api.resolve(event | {"isBase64Encoded": True}, lambda_context("shop"))
    assert answer["statusCode"] == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json, text/plain", 415),
        ("application/jsonp", 415),
        ("application/merge-patch+json", 415),
        ("application/problem+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("*/*", 415),
        ("\u212a", 415),
    ],
)
def test_json_in_utf8_is_read_and_every_other_type_is_refused(send: Callable[..., Answer], content_type: str, status: int) -> None:
    assert send("POST", "/api/shop/orders", raw='{"count": 3}', content_type=content_type).status == status


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=5", set()),
        ("", set()),
        ("limits=5", {"query.limits"}),
        ("limit=5&limit=5", {"query.limit"}),
        ("limit=5&Limit=5&x", {"query.Limit", "query.x"}),
        ("=", {"query."}),
        ("%FF=1", {"query.\ufffd"}),
        ("a" * 300 + "=1", {"query." + "a" * 100}),
    ],
)
def test_a_parameter_that_is_not_known_or_comes_twice_is_refused(send: Callable[..., Answer], query: str, fields: set[str]) -> None:
    answer = send("GET", "/api/shop/book", query=query)
    assert answer.status == (422 if fields else 200)
    assert {error["field"] for error in answer.body.get("errors", ())} == fields


def test_the_role_is_checked_before_the_body_is_read(send: Callable[..., Answer]) -> None:
    answer = send("POST", "/api/shop/orders", raw="not json", role="viewer")
    assert (answer.status, problem_of(answer)) == (403, "forbidden")
    answer = send("POST", "/api/shop/orders", raw="not json", role=None)
    assert (answer.status, problem_of(answer)) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_higher_role_may_do_what_a_lower_one_may(send: Callable[..., Answer]) -> None:
    assert send("GET", "/api/shop/book", role="admin").status == 200


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "ten", "1.5"])
def test_a_limit_out_of_range_is_refused(send: Callable[..., Answer], limit: str) -> None:
    answer = send("GET", "/api/shop/book", query=f"limit={limit}")
    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "query.limit"


def test_unknown_paths_and_methods_are_told_apart(send: Callable[..., Answer]) -> None:
    assert problem_of(send("GET", "/api/nowhere")) == "not-found"
    answer = send("DELETE", "/api/shop/book")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize(("method", "status"), [("PATCH", 405), ("GET", 404)])
def test_a_path_that_no_route_matches_is_not_told_to_the_log(
    send: Callable[..., Answer], caplog: pytest.LogCaptureFixture, method: str, status: int
) -> None:
    assert send(method, f"/api/shop/{CANARY}" + ("/more" if status == 404 else "")).status == status
    told = [vars(record) for record in caplog.records if record.message == "request"]
    assert told[-1]["route"] is None
    assert CANARY not in str(told)


def test_an_unexpected_error_says_nothing_of_itself_to_the_client_or_the_log(
    send: Callable[..., Answer], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for path in ("/api/broken", "/api/wrong-answer"):
        answer = send("GET", path)
        assert (answer.status, problem_of(answer)) == (500, "internal-error")
        assert CANARY not in json.dumps(answer.body)
    captured = capsys.readouterr()
    assert CANARY not in captured.out + captured.err + caplog.text


def test_requests_above_the_limit_are_told_when_to_come_back(send: Callable[..., Answer]) -> None:
    answers = [send("GET", "/api/broken", role=None) for _ in range(101)]
    assert [answer.status for answer in answers] == [500] * 100 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 900
    assert send("GET", "/api/shop/book").status == 200
    assert send("GET", "/api/free", role=None).status == 200


def test_storage_that_does_not_answer_is_a_503_with_a_time_to_retry(send: Callable[..., Answer]) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.test")

    events = dynamodb().meta.events
    events.register("before-send.dynamodb.*", fail, unique_id="down")
    try:
        answer = send("GET", "/api/shop/book")
    finally:
        events.unregister("before-send.dynamodb.*", unique_id="down")
    assert (answer.status, problem_of(answer)) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert stored_items("test-rate-limits") == []


MODULES = ("auth", "customers", "dashboard", "model", "predictions")


def test_a_path_with_a_control_character_is_no_path_of_the_api(call: Callable[..., Answer]) -> None:
    """A regular expression's `$` also matches before a last newline."""
    answered: list[tuple[int, str, str, str]] = []
    for module in MODULES:
        for route in load_function(module).app.stated_routes:
            path = re.sub(r"<\w+>", "x1", route.path)
            for wrong in (f"{path}\n", f"{path}\x00", f"{path}\x7f", f"{path}\u2028"):
                answer = call(module, route.method, wrong, {}, user=f"{len(answered)}@example.com")
                answered.append((answer.status, module, route.method, wrong))
    assert {status for status, *_ in answered} == {404}, [one for one in answered if one[0] != 404]


def test_an_id_is_decoded_by_the_gateway_and_not_again(call: Callable[..., Answer]) -> None:
    """API Gateway's HTTP API decodes the path of an event once."""
    [features] = generate(1, 1).features()
    for name in ("odd%2e", "a%0a", "%61"):
        path = f"/api/customers/{name}"
        put = call("customers", "PUT", path, {"features": features})
        assert (put.status, put.body["data"]["customer_id"]) == (200, name)
        assert call("customers", "GET", path).body["data"]["customer_id"] == name
        assert call("customers", "DELETE", path).status == 200
        assert call("customers", "GET", path).status == 404
