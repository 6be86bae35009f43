"""Accounts and sessions, through the doors of the auth and authorizer functions."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import Answer, lambda_context, load_function

Call = Callable[..., Answer]
GOOD = "four unrelated words here"


def authorize(token: str) -> dict[str, Any]:
    event = {"version": "2.0", "type": "REQUEST", "headers": {"authorization": f"Bearer {token}"}, "requestContext": {"requestId": "r"}}
    answer: dict[str, Any] = load_function("authorizer").handler(event, lambda_context("authorizer"))
    assert answer["isAuthorized"] is True
    return dict(answer["context"])


@pytest.fixture(autouse=True)
def fresh_processes() -> None:
    load_function.cache_clear()


def test_registering_signs_in_a_viewer(call: Call) -> None:
    answer = call("auth", "POST", "/api/auth/register", {"email": " Ann@Example.com ", "password": GOOD, "name": "Ann Lee"}, role=None)
    assert answer.status == 201
    assert answer.body["data"]["user"] == {"email": "ann@example.com", "name": "Ann Lee", "role": "viewer"}
    context = authorize(answer.body["data"]["token"])
    assert (context["userId"], context["role"]) == ("ann@example.com", "viewer")
    login = call("auth", "POST", "/api/auth/login", {"email": "ANN@example.com", "password": GOOD}, role=None)
    assert login.status == 200
    assert authorize(login.body["data"]["token"])["userId"] == "ann@example.com"
