"""Who may call what: every route with every role, really called. The table is all there is to know; nothing else in the tests says it."""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from retainstream.accounts.passwords import hashed
from retainstream.http import Api
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.users import User, Users
from tests.integration.conftest import Answer, http_event, lambda_context, load_function
from tests.stored import stored_items

Call = Callable[..., Answer]

MATRIX = """
    route                                              nobody  viewer  analyst admin

    GET    /api/health                                 in      in      in      in
    GET    /api/health/details                         401     in      in      in
    GET    /api/openapi.json                           in      in      in      in
    GET    /api/docs                                   in      in      in      in
    GET    /api/docs/{name}                            in      in      in      in

    POST   /api/auth/login                             in      in      in      in
    POST   /api/auth/register                          in      in      in      in
    POST   /api/auth/logout                            401     in      in      in
    GET    /api/auth/me                                401     in      in      in
    POST   /api/auth/password                          401     in      in      in
    GET    /api/auth/users                             401     403     403     in
    PATCH  /api/auth/users                             401     403     403     in
    POST   /api/auth/users                             401     403     403     in

    GET    /api/customers                              401     403     in      in
    DELETE /api/customers                              401     403     403     in
    GET    /api/customers/high-risk                    401     in      in      in
    POST   /api/customers/segment                      401     in      in      in
    GET    /api/customers/imports                      401     403     in      in
    POST   /api/customers/imports                      401     403     in      in
    POST   /api/customers/imports/preview              401     403     in      in
    GET    /api/customers/imports/{import_id}          401     403     in      in
    POST   /api/customers/imports/{import_id}/complete 401     403     in      in
    GET    /api/customers/sources                      401     403     in      in
    GET    /api/customers/sources/deliveries           401     403     in      in
    POST   /api/customers/sources/deliveries           401     403     in      in
    GET    /api/customers/sources/deliveries/{delivery_id} 401 403     in      in
    POST   /api/customers/sources/deliveries/{delivery_id}/complete 401 403 in in
    POST   /api/customers/preparations                 401     403     in      in
    GET    /api/customers/preparations/latest          401     403     in      in
    GET    /api/customers/preparations/{run_id}        401     403     in      in
    GET    /api/customers/{customer_id}                401     in      in      in
    PUT    /api/customers/{customer_id}                401     403     in      in
    DELETE /api/customers/{customer_id}                401     403     in      in
    POST   /api/customers/{customer_id}/outcome        401     403     in      in

    GET    /api/dashboard/distribution                 401     in      in      in
    GET    /api/dashboard/features                     401     in      in      in
    GET    /api/dashboard/metrics                      401     in      in      in
    POST   /api/dashboard/predict                      401     403     in      in
    POST   /api/dashboard/recount                      401     403     403     in
    GET    /api/dashboard/recounts/{run_id}            401     in      in      in

    GET    /api/model/drift                            401     in      in      in
    GET    /api/model/features                         401     in      in      in
    GET    /api/model/schema                           401     in      in      in
    PUT    /api/model/schema                           401     403     403     in
    POST   /api/model/schema/check                     401     403     403     in
    POST   /api/model/schema/levels                    401     403     403     in
    GET    /api/model/schema/earlier                   401     403     403     in
    GET    /api/model/schema/earlier/{earlier_id}      401     403     403     in
    GET    /api/model/status                           401     in      in      in
    POST   /api/model/train                            401     403     403     in
    GET    /api/model/training/{run_id}                401     in      in      in
    GET    /api/model/versions                         401     in      in      in
    GET    /api/model/versions/{version}/card          401     in      in      in
    POST   /api/model/versions/{version}/promote       401     403     403     in
    POST   /api/model/rollback                         401     403     403     in

    GET    /api/predictions/exports/{run_id}           401     403     in      in
    POST   /api/predictions/generate                   401     403     in      in
    GET    /api/predictions/performance                401     in      in      in
    GET    /api/predictions/results                    401     403     in      in
    GET    /api/predictions/runs/{run_id}              401     in      in      in
    POST   /api/predictions/what-if                    401     in      in      in

    POST   /api/drafts                                 401     403     403     in
"""
MODULES = ("auth", "customers", "dashboard", "drafts", "model", "predictions")
PUBLIC_DOOR = "model"
WITH_FIRST_PASSWORD = {"POST /api/auth/logout", "GET /api/auth/me", "POST /api/auth/password"}
UNDOCUMENTED = {"GET /api/openapi.json", "GET /api/docs", "GET /api/docs/{name}"}

_HEADING, *_ROWS = [line.split() for line in MATRIX.splitlines() if line.strip()]
COLUMNS = _HEADING[1:]
TABLE = {f"{method} {path}": dict(zip(COLUMNS, cells, strict=True)) for method, path, *cells in _ROWS}
HASH = hashed("four unrelated words here")


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("retainstream.http").joinpath("openapi.json").read_text("utf-8"))
    return found


def documented() -> dict[str, Any]:
    return {f"{method.upper()} {path}": operation for path, methods in document()["paths"].items() for method, operation in methods.items()}


def module_of(path: str) -> str:
    part = path.split("/")[2]
    return part if part in MODULES else PUBLIC_DOOR


def test_the_table_has_a_row_for_every_route_and_no_other() -> None:
    assert len(_ROWS) == len(TABLE)
    assert set(TABLE) - UNDOCUMENTED == set(documented())
    apis: list[Api] = [load_function(module).app for module in MODULES]
    assert set(TABLE) == {f"{route.method} {route.openapi_path}" for api in apis for route in api.stated_routes}


def test_the_document_says_the_same_as_the_table() -> None:
    least = {"public": "nobody", **{role.value: role.value for role in Role}}
    for route, operation in documented().items():
        admitted = COLUMNS[COLUMNS.index(least[operation["x-role"]]) :]
        assert [column for column in COLUMNS if TABLE[route][column] == "in"] == admitted, route


@pytest.fixture
def people(aws: None) -> None:
    """Somebody of each role, and an administrator more, so that none is the last."""
    load_function.cache_clear()
    for name, role in [*zip(Role, Role, strict=True), ("second", Role.ADMIN)]:
        Users().add(User(f"{name}@example.com", name, role, HASH, "2026-01-01T00:00:00+00:00"))


def request(route: str, column: str, raw: str | None, **more: str) -> Answer:
    method, _, template = route.partition(" ")
    path = "/".join("unknown-1" if part.startswith("{") else part for part in template.split("/"))
    principal = {"userId": f"{column}@example.com", "role": column, "tokenId": f"token-of-{column}", "tokenExpires": "1999999999", **more}
    event = http_event(
        method,
        path,
        body=raw,
        headers={"content-type": "application/json"},
        principal={"refused": "1"} if column == "nobody" else principal,
    )
    module = module_of(path)
    answer = load_function(module).handler(event, lambda_context(module))
    text = answer.get("body") or ""
    return Answer(answer["statusCode"], json.loads(text) if text.startswith("{") else text, answer["headers"])


def kind(answer: Answer) -> str:
    return str(answer.body["type"].rpartition(":")[2]) if isinstance(answer.body, dict) and "type" in answer.body else ""


def stored_but_counts() -> dict[str, Any]:
    """Everything in the tables, but for the requests that were counted."""
    tables = [name for name in dynamodb().list_tables()["TableNames"] if name != settings().rate_limits_table]
    return {name: stored_items(name) for name in tables}


@pytest.mark.parametrize("route", TABLE)
def test_every_cell(people: None, route: str) -> None:
    takes_body = "requestBody" in documented().get(route, {})
    refused = {column: outcome for column, outcome in TABLE[route].items() if outcome != "in"}
    before = stored_but_counts()
    for column, outcome in refused.items():
        for raw in (None, "{}", "no JSON", "[" * 100_000, '{"email": "' + "x" * 2_000_000):
            answer = request(route, column, raw)
            cell = (str(answer.status), kind(answer))
            assert cell == (outcome, {"401": "unauthenticated", "403": "forbidden"}[outcome]), column
            assert "errors" not in answer.body
    assert stored_but_counts() == before
    for column in TABLE[route].keys() - refused.keys():
        answer = request(route, column, "{}" if takes_body else None)
        assert kind(answer) not in {"unauthenticated", "forbidden", "internal-error"}, (column, answer.body)
        assert answer.status not in {401, 403, 405, 500}, (column, answer.body)


@pytest.mark.parametrize("route", TABLE)
def test_until_the_first_password_is_changed_a_role_opens_nothing_else(people: None, route: str) -> None:
    open_route = TABLE[route]["nobody"] == "in" or route in WITH_FIRST_PASSWORD
    if not open_route:
        assert "password-change-required" in documented()[route]["x-problems"]
    before = stored_but_counts()
    for column in COLUMNS[1:]:
        answer = request(route, column, "{}", mustChangePassword="1")
        if open_route:
            assert answer.status != 403, answer.body
        else:
            assert (answer.status, kind(answer)) == (403, "password-change-required")
    if not open_route:
        assert stored_but_counts() == before


@pytest.mark.parametrize("role", ["", "root", "ADMIN", "Admin", "admin ", "public", "viewer,admin"])
def test_a_role_that_is_none_opens_nothing(people: None, role: str) -> None:
    answer = request("GET /api/auth/users", "admin", None)
    assert answer.status == 200
    event = http_event("GET", "/api/auth/users", headers={}, principal=None)
    context = {"userId": "admin@example.com", "role": role, "tokenId": "t", "tokenExpires": "1999999999"}
    event["requestContext"]["authorizer"] = {"lambda": context}
    assert load_function("auth").handler(event, lambda_context("auth"))["statusCode"] in {401, 403, 500}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-role": "admin"},
        {"role": "admin", "userid": "admin@example.com"},
        {"authorization": "Bearer admin"},
        {"x-amzn-oidc-identity": "admin@example.com"},
        {"x-http-method-override": "GET"},
        {"x-original-url": "/api/health", "x-rewrite-url": "/api/health"},
    ],
)
def test_what_a_client_says_of_itself_counts_for_nothing(people: None, call: Call, headers: dict[str, str]) -> None:
    assert call("auth", "GET", "/api/auth/users", role=None, headers=headers).status == 401
    assert call("auth", "GET", "/api/auth/users", role="viewer", user="viewer@example.com", headers=headers).status == 403
    assert call("auth", "GET", "/api/auth/users", role="viewer", user="viewer@example.com", query="role=admin&x-role=admin").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/users/",
        "/api/auth//users",
        "/api/auth/./users",
        "/api/auth/x/../users",
        "/API/auth/users",
        "/api/auth/users%00",
        "/api/auth/users;x",
    ],
)
def test_other_spellings_of_a_path_are_no_way_around_its_role(people: None, call: Call, path: str) -> None:
    for role in (None, "viewer"):
        answer = call("auth", "GET", path, role=role, user="viewer@example.com")
        assert answer.status in {401, 403, 404}
        assert "data" not in (answer.body or {})


OF_EVERYBODY = {
    "GET /api/customers",
    "GET /api/predictions/results",
    "GET /api/predictions/exports/{run_id}",
    "GET /api/customers/imports",
}
"""The reads that give every customer, page by page or as a file, or the files that customers came in."""
OF_PAGES = {"GET /api/customers/high-risk", "POST /api/customers/segment"}
"""The lists on pages that a viewer sees: the call list, and the customers of a segment who are at risk."""


def shapes_in(place: Any) -> str:
    """A place of the document with every component that it leads to, as JSON."""
    components = document()["components"]["schemas"]
    texts, seen = [json.dumps(place)], set[str]()
    for text in texts:
        for name in components.keys() - seen:
            if f'"#/components/schemas/{name}"' in text:
                seen.add(name)
                texts.append(json.dumps(components[name]))
    return " ".join(texts)


def test_lists_and_files_of_everybody_are_for_analysts_and_up() -> None:
    assert {route for route in OF_EVERYBODY if TABLE[route]["viewer"] != "403" or TABLE[route]["analyst"] != "in"} == set()
    lists = {
        route
        for route, operation in documented().items()
        if '"cursor"' in shapes_in([operation.get("parameters"), operation.get("requestBody")])
        and '"customer_id"' in shapes_in([operation["responses"].get(status) for status in ("200", "202")])
    }
    assert lists >= {"GET /api/customers", "GET /api/predictions/results", *OF_PAGES}
    assert {route for route in lists if TABLE[route]["viewer"] == "in"} == OF_PAGES
