"""The gateway does to requests and answers what API Gateway's HTTP APIs do."""

import base64
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from local.stack import LocalStack


def event_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    event: dict[str, Any] = answer.json()["event"]
    return event


def raw(stack: LocalStack, request: bytes) -> bytes:
    """The answer to bytes sent as they are."""
    address = urlsplit(stack.url)
    with socket.create_connection(("127.0.0.1", address.port or 80), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_an_event_is_payload_2_0(http: httpx.Client) -> None:
    answer = http.post("/echo/a/b", content='{"é": 1}', headers={"Content-Type": "application/json", "X-Thing": "T"})
    event = event_of(answer)
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "ANY /echo/{proxy+}"
    assert event["rawPath"] == context["http"]["path"] == "/echo/a/b"
    assert event["rawQueryString"] == ""
    assert "queryStringParameters" not in event
    assert "cookies" not in event
    assert event["headers"]["x-thing"] == "T"
    assert event["pathParameters"] == {"proxy": "a/b"}
    assert event["body"] == '{"é": 1}'
    assert event["isBase64Encoded"] is False
    assert context["stage"] == "$default"
    assert context["http"]["method"] == "POST"
    assert context["http"]["sourceIp"] == "127.0.0.1"
    assert context["authorizer"]["lambda"]["userId"] == "ann"
    assert context["timeEpoch"] > 1_700_000_000_000
    told = answer.json()["context"]
    assert told["own"] == "echo"
    assert told["request_id"] == context["requestId"] == answer.headers["x-request-id"]
    assert 6000 < told["milliseconds"] <= 7000


def test_a_path_is_decoded_once_and_a_slash_in_it_separates(http: httpx.Client) -> None:
    event = event_of(http.get("/echo/a%20b/%C3%BC/c%2Fd/%2541"))
    assert event["rawPath"] == "/echo/a b/ü/c/d/%41"
    assert event["pathParameters"] == {"proxy": "a b/ü/c/d/%41"}


def test_a_path_that_is_no_utf_8_is_still_answered(http: httpx.Client) -> None:
    assert event_of(http.get("/echo/%ff%00"))["rawPath"] == "/echo/\ufffd\x00"


def test_a_query_stays_raw_and_its_values_are_joined(http: httpx.Client) -> None:
    event = event_of(http.get("/echo?a=1&b=x%26y&a=2&empty=&plus=1+2&%C3%A9=%C3%BC"))
    assert event["rawQueryString"] == "a=1&b=x%26y&a=2&empty=&plus=1+2&%C3%A9=%C3%BC"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x&y", "empty": "", "plus": "1 2", "é": "ü"}


def test_cookies_leave_the_headers(http: httpx.Client) -> None:
    answer = http.get("/echo", headers={"Cookie": "a=1; b=2"})
    event = event_of(answer)
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]


def test_repeated_headers_are_joined(http: httpx.Client) -> None:
    event = event_of(http.get("/echo", headers=[("Authorization", "ann"), ("X-Many", "1"), ("x-many", "2")]))
    assert event["headers"]["x-many"] == "1,2"


def test_a_body_that_is_no_utf_8_travels_in_base64(http: httpx.Client) -> None:
    event = event_of(http.post("/echo", content=b"\xff\xfe\x00"))
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\xfe\x00"


def test_an_answer_in_base64_is_decoded(http: httpx.Client) -> None:
    answer = http.get("/broken/binary")
    assert answer.content == b"\x00\xff"


def test_an_answer_without_status_is_the_body_of_a_200(http: httpx.Client) -> None:
    answer = http.get("/broken/none")
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {"no": "status"}, "application/json")


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/echo", "ANY /echo"),
        ("GET", "/echo/x", "ANY /echo/{proxy+}"),
        ("GET", "/echo/one/7", "GET /echo/one/{id}"),
        ("PUT", "/echo/one/7", "ANY /echo/{proxy+}"),
        ("GET", "/echo/one/7/8", "ANY /echo/{proxy+}"),
        ("POST", "/echo/open", "POST /echo/open"),
        ("GET", "/echo/open", "ANY /echo/{proxy+}"),
        ("GET", "/echo/", "$default"),
        ("GET", "/elsewhere", "$default"),
        ("DELETE", "/", "$default"),
    ],
)
def test_the_most_fitting_route_answers(http: httpx.Client, method: str, path: str, route: str) -> None:
    assert event_of(http.request(method, path))["routeKey"] == route


def test_the_front_page_leads_to_the_documentation(http: httpx.Client) -> None:
    answer = http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/api/docs")


def test_the_callers_address_is_the_connections_own(http: httpx.Client) -> None:
    event = event_of(http.get("/echo", headers={"X-Forwarded-For": "6.6.6.6"}))
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_a_head_request_has_no_body(http: httpx.Client) -> None:
    answer = http.head("/echo")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_missing_identity_is_refused_without_asking(echo_stack: LocalStack) -> None:
    answer = httpx.get(f"{echo_stack.url}/echo")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["status"] == 401
    assert answer.json()["request_id"]
    assert httpx.get(f"{echo_stack.url}/echo", headers={"Authorization": ""}).status_code == 401


def test_a_public_route_asks_nobody(echo_stack: LocalStack) -> None:
    answer = httpx.post(f"{echo_stack.url}/echo/open", content=b"x")
    assert "authorizer" not in event_of(answer)["requestContext"]


def test_the_authorizers_answer_is_kept_by_identity(http: httpx.Client) -> None:
    def call(token: str, path: str = "/echo") -> int:
        event = event_of(http.get(path, headers={"Authorization": token}))
        assert event["requestContext"]["authorizer"]["lambda"]["userId"] == token
        number: int = event["requestContext"]["authorizer"]["lambda"]["call"]
        return number

    first = call("cached-1")
    assert call("cached-1", "/echo/other") == first
    second = call("cached-2")
    assert second != first
    assert call("cached-1") == first


@pytest.mark.parametrize(("token", "status"), [("no", 403), ("nonsense", 403), ("crash", 500)])
def test_an_authorizer_that_does_not_let_in(http: httpx.Client, token: str, status: int) -> None:
    answer = http.get("/echo", headers={"Authorization": token})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["raises", "large", "unserialisable", "status"])
def test_a_function_that_fails_tells_nothing(http: httpx.Client, reports: list[str], path: str) -> None:
    answer = http.get(f"/broken/{path}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["type"].endswith("internal-error")
    assert "Broken" in reports[-1]


def test_a_body_over_ten_megabytes_is_refused(http: httpx.Client) -> None:
    answer = http.post("/echo", content=b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_over_what_functions_take_is_refused(http: httpx.Client) -> None:
    assert http.post("/echo", content=b"x" * (7 * 1024 * 1024)).status_code == 413
    assert http.post("/echo", content=b'"' * (4 * 1024 * 1024)).status_code == 413


def test_an_endless_body_is_cut_off(echo_stack: LocalStack) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: ann\r\nContent-Length: 99999999999\r\n\r\n"
    try:
        answer = raw(echo_stack, head + b"x" * (11 * 1024 * 1024))
    except ConnectionError:
        return
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_preflight_from_an_allowed_origin(http: httpx.Client) -> None:
    asked = {"Origin": "http://web.example", "Access-Control-Request-Method": "POST", "Authorization": ""}
    answer = http.options("/echo", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://web.example"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "origin"


def test_a_preflight_from_elsewhere_gets_nothing(http: httpx.Client) -> None:
    answer = http.options("/echo", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_answer_to_an_allowed_origin_says_so_and_functions_have_no_word_in_it(http: httpx.Client) -> None:
    answer = http.get("/echo", headers={"Origin": "http://other.example"})
    assert answer.headers["access-control-allow-origin"] == "http://other.example"
    assert answer.headers["access-control-expose-headers"] == "x-request-id"
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {}):
        answer = http.get("/echo", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_refusals_carry_cors_headers_too(http: httpx.Client) -> None:
    answer = http.get("/echo", headers={"Origin": "http://web.example", "Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "http://web.example"


def test_parallel_requests_of_different_users_never_meet(echo_stack: LocalStack) -> None:
    threads = threading.local()

    def ask(number: int) -> None:
        if not hasattr(threads, "http"):  # a client of its own: httpx may close a connection that another thread has just been given
            threads.http = httpx.Client(base_url=echo_stack.url, timeout=60)
        http: httpx.Client = threads.http
        user, body = f"user-{number % 50}", f"body-{number}"
        if number % 2:
            answer = http.get(f"/routed/{number}", headers={"Authorization": user}).json()
            assert answer == {"name": str(number), "first": user, "again": user}
        else:
            event = event_of(http.post(f"/echo/{number}?n={number}", content=body, headers={"Authorization": user}))
            assert event["body"] == body
            assert event["pathParameters"] == {"proxy": str(number)}
            assert event["requestContext"]["authorizer"]["lambda"]["userId"] == user

    with ThreadPoolExecutor(32) as pool:
        assert len(list(pool.map(ask, range(600)))) == 600
