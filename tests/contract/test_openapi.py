"""The committed documents agree with the code they come from."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from local.generate import MODULES, function_api, generated_files, openapi_document
from retainstream.auth.roles import Role
from retainstream.http.routes import PUBLIC, ROLE

PUBLIC_OPERATIONS = {("get", "/api/health"), ("post", "/api/auth/login"), ("post", "/api/auth/register")}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run make generate and commit what it writes"


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
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_operation_states_a_role_and_only_the_known_ones_are_public(document: dict[str, Any]) -> None:
    found = {(method, path) for method, path, operation in operations(document) if operation[ROLE] == PUBLIC}
    assert found == PUBLIC_OPERATIONS
    assert {operation[ROLE] for *_, operation in operations(document)} <= {PUBLIC, *Role}


@pytest.mark.parametrize("module", MODULES)
def test_no_route_of_a_module_forgets_to_state_its_role(module: str) -> None:
    for route in function_api(module).stated_routes:
        assert ROLE in (route.openapi_extensions or {}), route.path
