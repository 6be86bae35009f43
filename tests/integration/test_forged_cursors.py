"""A cursor that the API did not write is refused, whatever it holds and whatever sealed it, by every list."""

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from retainstream.customers.segment_views import SegmentRequest
from retainstream.predictions.results import Filters
from retainstream.storage.stores import Stores
from tests.integration.base_of_customers import some_base, store_predictions
from tests.integration.conftest import Answer
from tests.small_models import add_customers, put_in_service

Call = Callable[..., Answer]

_SEGMENT = "/api/customers/segment"
LISTS: dict[str, tuple[str, str, str, Any]] = {
    "users": ("auth", "/api/auth/users", "/api/auth/users", {"created_at": "2026-01-01T00:00:00+00:00", "digest": "0" * 24}),
    "customers": ("customers", "/api/customers", "/api/customers", "c-1"),
    "high risk": ("customers", "/api/customers/high-risk", "/api/customers/high-risk (None, None, 'probability')", "0900000#c-1"),
    "imports": ("customers", "/api/customers/imports", "/api/customers/imports", f"imports/recent/{'0' * 15}-{'0' * 32}"),
    "segment": ("customers", _SEGMENT, f"{_SEGMENT} {SegmentRequest().scope()}", "0900000#c-1"),
    "segment of low risk": ("customers", _SEGMENT, f"{_SEGMENT} {SegmentRequest(levels=['low']).scope()}", "0100000#c-1"),
    "results": ("predictions", "/api/predictions/results", f"/api/predictions/results {Filters().scope()}", {"customer_id": "c-1"}),
    "results at risk": (
        "predictions",
        "/api/predictions/results",
        f"/api/predictions/results {Filters(level='high').scope()}",
        {"rank": "0900000#c-1"},
    ),
    "versions": ("model", "/api/model/versions", "/api/model/versions", "20260101T000000Z-1234abcd"),
}
"""Each list with its module, its path, the scope of its cursors, and a position in it."""

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "\x00", "c-1", "0900000#c-1", "0900000#" + "é" * 200, "x" * 1200, "imports/recent/\x01", "a\n"]),
    st.just("0900000#c-1\n"),
)
FIELDS = st.sampled_from(["after", "rank", "customer_id", "created_at", "digest"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(FIELDS, TEXTS), inner, max_size=3)),
    max_leaves=6,
)
LONGEST = 1480
"""The bytes that a cursor of 2,000 characters holds; a longer one is an invalid field."""
PAYLOADS = st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)).filter(
    lambda payload: len(payload) <= LONGEST
)


def sealed(payload: bytes, scope: str, key: bytes) -> str:
    digest = hashlib.blake2b(payload + b"\x00" + scope.encode(), digest_size=12, key=key).digest()
    return base64.urlsafe_b64encode(digest + payload).decode().rstrip("=")


def ask(call: Call, name: str, cursor: str) -> Answer:
    module, path, _, _ = LISTS[name]
    user = f"{uuid.uuid4()}@example.com"  # each with a rate limit of its own
    if path == _SEGMENT:
        levels = ["low"] if "low" in name else []
        return call(module, "POST", path, {"cursor": cursor, "limit": 1, "levels": levels}, user=user)
    return call(
        module,
        "GET",
        path,
        query=f"limit=1&cursor={cursor}" + ("&level=high" if "risk" in name and module == "predictions" else ""),
        user=user,
    )


def refused(answer: Answer, name: str) -> bool:
    place = "body.cursor" if LISTS[name][1] == _SEGMENT else "query.cursor"
    return (
        answer.status == 400
        and answer.body["type"].endswith(":bad-cursor")
        and answer.body["errors"] == [{"field": place, "detail": "is not valid here"}]
    )


@pytest.fixture
def lists(aws: None) -> None:
    put_in_service()
    add_customers(3)
    store_predictions(some_base(30))


@pytest.mark.usefixtures("lists")
def test_nothing_that_an_output_or_an_environment_tells_seals_a_cursor(call: Call) -> None:
    shapes: list[Any] = [
        "c-1",
        {"after": "c-1"},
        {},
        [],
        {"after": 5},
        {"rank": "x"},
        {"customer_id": ""},
        {"created_at": "x", "digest": "x"},
    ]
    public = {os.environ[name] for name in ("SIGNING_KEY_ID", "SEALING_SECRET_ARN", "STACK_NAME", "TOKEN_ISSUER", "BUCKET")}
    wrong = []
    for name, (_, _, scope, position) in LISTS.items():
        for shape in [*shapes, position]:
            for value in [os.environ["SIGNING_KEY_ID"]] if shape != position else public:
                key = hashlib.blake2b(value.encode()).digest()
                answer = ask(call, name, sealed(json.dumps(shape).encode(), scope, key))
                if not refused(answer, name):
                    wrong.append((name, value, shape, answer.status))
    assert wrong == []


@pytest.mark.usefixtures("lists")
def test_a_list_continues_from_a_position_of_its_shape(call: Call) -> None:
    key = Stores().sealing.key("cursors")
    for name, (_, _, scope, position) in LISTS.items():
        assert ask(call, name, sealed(json.dumps(position).encode(), scope, key)).status == 200, name


@pytest.mark.usefixtures("lists")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(payload=b'{"customer_id": "c-1", "rank": "0900000#c-1"}')
@example(payload=b'"\\ud800"')
@example(payload=b"[" * LONGEST)
@given(payload=PAYLOADS)
def test_a_sealed_cursor_of_any_content_gives_a_page_or_is_refused(call: Call, payload: bytes) -> None:
    key = Stores().sealing.key("cursors")
    for name, (_, _, scope, _) in LISTS.items():
        answer = ask(call, name, sealed(payload, scope, key))
        assert answer.status == 200 or refused(answer, name), (name, answer)
