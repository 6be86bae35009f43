"""The committed documents agree with the code they come from."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from retainstream.http.problems import TITLES
from retainstream.http.routes import PUBLIC, ROLE
from retainstream.roles import Role
from tools.openapi_document import MODULES, function_api, openapi_document

PUBLIC_OPERATIONS = {("get", "/api/health"), ("post", "/api/auth/login"), ("post", "/api/auth/register")}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_says_what_it_is_for_and_answers_a_described_body(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert good, (method, path)
        for status in good:
            if status != "204":
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert all("$ref" in shape for shape in schema.get("anyOf", [schema])), (method, path, status)
        assert "default" not in operation["responses"], "say which answers there are"


def test_every_problem_that_an_operation_may_answer_is_stated_with_its_status(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        stated = {str(int(TITLES[name][0])) for name in operation["x-problems"]}
        answered = {status for status in operation["responses"] if status >= "400"}
        assert stated == answered >= {"422", "500", "503"}, (method, path)
        assert ("401" in answered) == (operation[ROLE] != PUBLIC or path == "/api/auth/login"), (method, path)
        assert ({"400", "413", "415"} <= answered) == ("requestBody" in operation), (method, path)
        for status in answered:
            problem = document["components"]["responses"][operation["responses"][status]["$ref"].rpartition("/")[2]]
            assert "application/problem+json" in problem["content"]


def test_links_lead_to_operations_and_name_parameters_they_have(document: dict[str, Any]) -> None:
    found = {operation["operationId"]: operation for *_, operation in operations(document)}
    followed = 0
    for operation in found.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = found[link["operationId"]]
                assert link.get("parameters", {}).keys() <= {parameter["name"] for parameter in target.get("parameters", ())}
                assert "requestBody" not in link or "requestBody" in target
                followed += 1
    assert followed > 30


def test_what_is_started_says_where_to_follow_it(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if "202" in operation["responses"]:
            assert "Location" in operation["responses"]["202"]["headers"], (method, path)


def test_every_operation_states_a_role_and_only_the_known_ones_are_public(document: dict[str, Any]) -> None:
    found = {(method, path) for method, path, operation in operations(document) if operation[ROLE] == PUBLIC}
    assert found == PUBLIC_OPERATIONS
    assert {operation[ROLE] for *_, operation in operations(document)} <= {PUBLIC, *Role}


@pytest.mark.parametrize("module", MODULES)
def test_no_route_of_a_module_forgets_to_state_its_role(module: str) -> None:
    for route in function_api(module).stated_routes:
        assert ROLE in (route.openapi_extensions or {}), route.path
