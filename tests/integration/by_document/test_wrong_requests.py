"""Requests that no operation of the document takes: wrong methods, wrong types, too much, unreadable, and paths there are not."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.conftest import LocalProcess

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND")
IN_PATHS = {"customer_id": "nobody", "delivery_id": "none", "earlier_id": "none", "import_id": "none", "run_id": "none", "version": "none"}
OTHER_TYPES = (
    None,
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/jsonl",
    "application/xml",
    "application/octet-stream",
)
UNREADABLE = (
    b"",
    b"{",
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1} {"b": 2}',
    b'{"a": 1, "a": 1}',
    b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    gzip.compress(b"{}"),
    b"[" * 40 + b"]" * 40,
    b'{"a":' * 500_000,
    b"[" * 900_000,
    b'{"a": ' + b"9" * 5000 + b"}",
)
LARGEST = 1_000_000


@pytest.fixture(scope="module")
def client(stack: LocalProcess) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    return dict(client.get("/api/openapi.json").json())


def with_bodies(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in with_limits(document)]


def with_limits(document: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Each operation with a body, and the bytes that it may have."""
    return [
        (method.upper(), path.format(**IN_PATHS), operation.get("x-largest-body", LARGEST))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    ]


def is_problem(answer: httpx.Response, status: int, name: str) -> bool:
    return (
        answer.status_code == status
        and answer.headers["content-type"] == "application/problem+json"
        and answer.json()["type"] == f"urn:retainstream:problem:{name}"
        and answer.headers["x-content-type-options"] == "nosniff"
    )


def test_every_other_method_of_every_path_is_answered_with_those_there_are(client: httpx.Client, document: dict[str, Any]) -> None:
    wrong, tried = [], 0
    for path, operations in document["paths"].items():
        allowed = ", ".join(sorted(method.upper() for method in operations))
        for method in set(METHODS) - {method.upper() for method in operations}:
            answer = client.request(method, path.format(**IN_PATHS), json={})
            tried += 1
            if answer.status_code != 405 or answer.headers.get("allow") != allowed:
                wrong.append((method, path, answer.status_code, answer.headers.get("allow")))
    assert wrong == []
    assert tried > 300


def test_what_anybody_may_ask_says_its_methods_to_anybody(stack: LocalProcess) -> None:
    for path in ("/api/auth/login", "/api/auth/register", "/api/health", "/api/openapi.json", "/api/docs"):
        answer = httpx.request("DELETE", f"{stack.url}{path}")
        assert is_problem(answer, 405, "method-not-allowed"), path
        assert answer.headers["allow"] in ("GET", "POST")


def test_every_operation_with_a_body_takes_json_only(client: httpx.Client, document: dict[str, Any]) -> None:
    wrong = []
    for method, path in with_bodies(document):
        for kind in OTHER_TYPES:
            headers = {} if kind is None else {"Content-Type": kind}
            answer = client.request(method, path, content=b"{}", headers=headers)
            if not is_problem(answer, 415, "unsupported-media-type"):
                wrong.append((method, path, kind, answer.status_code))
    assert wrong == []


def test_every_operation_with_a_body_refuses_what_cannot_be_read(client: httpx.Client, document: dict[str, Any]) -> None:
    wrong = []
    for method, path, largest in with_limits(document):
        for content in UNREADABLE:
            answer = client.request(method, path, content=content, headers={"Content-Type": "application/json"})
            expected = {413} if len(content) > largest else {400, 422} if not content else {400}
            if answer.status_code not in expected:
                wrong.append((method, path, content[:20], answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("size", [LARGEST + 1, 5_900_000, 6_300_000, 11_000_000])
def test_every_operation_with_a_body_refuses_too_much(client: httpx.Client, document: dict[str, Any], size: int) -> None:
    content = b'{"a": "' + b"x" * (size - 9) + b'"}'
    refusing = [(method, path) for method, path, largest in with_limits(document) if size > largest]
    assert size == LARGEST + 1 or len(refusing) == len(with_bodies(document))
    for method, path in refusing[: None if size < 6_000_000 else 2]:
        answer = client.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, (method, path)
        assert answer.json()["type"] == "urn:retainstream:problem:too-large"


def test_every_operation_refuses_parameters_it_does_not_know(client: httpx.Client, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method in operations:
            for query in ("unknown=1", "unknown", "unknown=1&unknown=2", "%00=1"):
                answer = client.request(method, f"{path.format(**IN_PATHS)}?{query}", json={})
                assert is_problem(answer, 422, "invalid-request"), (method, path, query)


def test_parameters_that_come_twice_are_refused(client: httpx.Client) -> None:
    for query in ("limit=1&limit=1", "limit=1&limit=2", "plan=basic&plan=premium", "sort=value&sort=probability"):
        answer = client.get(f"/api/customers/high-risk?{query}")
        assert is_problem(answer, 422, "invalid-request"), query
        assert answer.json()["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize(
    "path",
    [
        "/api/customers/",
        "/api//customers",
        "//api/customers",
        "/api/customers//high-risk",
        "/api/customers/a%2Fb",
        "/api/customers/a/b/c",
        "/api/customers/..%2Fmodel",
        "/api/customers/%2e%2e/model",
        "/API/customers",
        "/api/Customers",
        "/api/model/versions//card",
        "/api/model/versions/a/card/",
        "/api/auth/me/",
        "/api/nothing",
        "/api",
        "/api/",
        "/api/docs/nothing.js",
        "/api/docs/..%2f..%2fapi.py",
        "/api/health;x=1",
        "/api/model/status%3Fformat=csv",
        "/api/customers/a%0d%0aSet-Cookie:x",
        "/api/customers/cust-000042%0a",
        "/api/model/status%0a",
        "/api/predictions/runs/a%0a",
    ],
)
def test_paths_that_there_are_not_are_not_found(client: httpx.Client, path: str) -> None:
    answer = client.request("GET", client.base_url.copy_with(raw_path=path.encode()))
    assert is_problem(answer, 404, "not-found") or is_problem(answer, 422, "invalid-request"), (answer.status_code, answer.text)


@pytest.mark.parametrize(
    "name",
    [
        "%00",
        "a%00b",
        "%ff",
        "%C0%80",
        "%ed%a0%80",
        "a%FFb",
        "%E2%80%AE",
        "a%E2%80%8B",
        "x" * 129,
        "x" * 4000,
        "a%0a",
        "a%7F",
        "a%C2%80",
        "%20",
        "%20a",
        "a%20",
        "a%20%20b",
        "a%C2%A0b",
        "a%09b",
        "u%CC%88",
        "~00",
        "a~0ab",
        "a~c2~80",
        "a~e2~80~8b",
        "a~20",
        "~2e~2e",
        "~69mports",
        "~73egment",
        "hi~67h-risk",
        "~78" * 129,
    ],
)
def test_ids_that_no_customer_can_have(client: httpx.Client, name: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = client.request(method, client.base_url.copy_with(raw_path=f"/api/customers/{name}".encode()), json={"features": {}})
        assert answer.status_code in (404, 422), (method, answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "name",
    [
        "a%20b",
        "a~20b",
        "%25%30%30",
        "~2500",
        "*",
        "'",
        "a;b",
        "~",
        "odd%252e",
        "KD~2f42",
        "KD~3f42",
        "50~25",
        "~ef~bf~bd",
        "%C3%BC",
        "~c3~bc",
        "~ff",
        "x" * 128,
        "~c3~bc" * 128,
    ],
)
def test_ids_that_a_customer_can_have_are_answered_as_those_of_unknown_customers(client: httpx.Client, name: str) -> None:
    address = client.base_url.copy_with(raw_path=f"/api/customers/{name}".encode())
    outcome_address = client.base_url.copy_with(raw_path=f"/api/customers/{name}/outcome".encode())
    for answer in (client.get(address), client.post(outcome_address, json={"churned": True})):
        assert is_problem(answer, 404, "not-found"), answer.text
        assert answer.json()["detail"] == "No customer has this id."
    refused = client.put(address, json={"features": {}})
    assert is_problem(refused, 422, "invalid-request"), refused.text
    assert {error["field"].partition(".")[0] for error in refused.json()["errors"]} == {"body"}
    assert client.delete(address).status_code == 200


@pytest.mark.parametrize("length", [2001, 8000, 60_000])
def test_overlong_queries_are_refused(client: httpx.Client, length: int) -> None:
    for query in (f"cursor={'a' * length}", f"plan={'a' * length}", "&".join(f"a{number}=1" for number in range(length // 8))):
        assert client.get(f"/api/customers/high-risk?{query}").status_code in (414, 422, 431)


def test_a_preflight_and_a_plain_question_for_options_differ(client: httpx.Client, stack: LocalProcess, document: dict[str, Any]) -> None:
    for path in document["paths"]:
        address = f"{stack.url}{path.format(**IN_PATHS)}"
        preflight = httpx.options(address, headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"})
        assert preflight.status_code == 204
        assert "access-control-allow-origin" not in preflight.headers
        assert client.options(path.format(**IN_PATHS)).status_code == 405
