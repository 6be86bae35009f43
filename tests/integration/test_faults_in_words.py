"""Faults of a request in words: the name of the field as the sender knows it, and a sentence without pydantic's nouns."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import Answer

Call = Callable[..., Answer]
PYDANTIC = ("Value error", "Assertion failed", "Input", "should", "items", "validation", "[", "dictionary", "function-")
NEW_USER = {"email": "new@example.com", "password": "four unrelated words here", "name": "New", "role": "viewer"}
LONG_ID = "a" * 129


@pytest.mark.parametrize(
    ("request_", "field", "detail"),
    [
        (("auth", "POST", "/api/auth/users", {**NEW_USER, "email": "nobody"}), "body.email", "is not an e-mail address"),
        (("auth", "POST", "/api/auth/users", {**NEW_USER, "password": "p" * 600}), "body.password", "must have at most 128 characters"),
        (("auth", "POST", "/api/auth/users", {**NEW_USER, "role": "chief"}), "body.role", "must be 'viewer', 'analyst' or 'admin'"),
        (("auth", "POST", "/api/auth/users", {**NEW_USER, "rank": 1}), "body.rank", "is not a known field"),
        (("auth", "POST", "/api/auth/users", {key: NEW_USER[key] for key in ("email", "name", "role")}), "body.password", "is required"),
        (("customers", "PUT", "/api/customers/c1", {"features": []}), "body.features", "must be an object"),
        (
            ("predictions", "POST", "/api/predictions/generate", {"customer_ids": ["c1", LONG_ID]}),
            "body.customer_ids.1",
            "must have at most 128 characters",
        ),
        (("predictions", "POST", "/api/predictions/generate", {"customer_ids": []}), "body.customer_ids", "must have at least 1 item"),
        (("predictions", "POST", "/api/predictions/generate", {"all": "maybe"}), "body.all", "must be true or false"),
        (("predictions", "POST", "/api/predictions/what-if", {"customer_id": 7, "changes": {}}), "body.customer_id", "must be text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_named_as_the_sender_knows_it(
    aws: None, call: Call, request_: tuple[str, str, str, Any], field: str, detail: str
) -> None:
    module, method, path, body = request_
    answer = call(module, method, path, body, role="admin")
    assert (answer.status, answer.body["type"]) == (422, "urn:retainstream:problem:invalid-request"), answer.body
    errors = {error["field"]: error["detail"] for error in answer.body["errors"]}
    assert field in errors, errors
    assert errors[field].startswith(detail)
    assert not [word for word in PYDANTIC for text in (*errors, *errors.values()) if word in text], errors


def test_a_query_is_named_too(aws: None, call: Call) -> None:
    answer = call("model", "GET", "/api/model/versions", query="limit=many")
    assert answer.body["errors"] == [{"field": "query.limit", "detail": "must be a whole number"}]
