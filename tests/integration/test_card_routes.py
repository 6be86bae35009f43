"""The model card over HTTP: as data with a link, as a page, and when it is not there or not what was registered."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
import requests

from retainstream.engine.learning.card.page import page, policy
from retainstream.registry.versions import register
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from tests.integration.conftest import Answer
from tests.made_cards import synthetic_card

type Call = Callable[..., Answer]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
VERSION = "20261121T090000Z-test0000"
CARD = f"/api/model/versions/{VERSION}/card"


@pytest.fixture
def registered(aws: None) -> str:
    """A version with its card. Returns the page."""
    card = synthetic_card()
    html = page(card)
    contents = {"card.json": (card.model_dump_json(), "application/json"), "card.html": (html, "text/html; charset=utf-8")}
    stored = {name: Documents().put_bytes(f"models/{VERSION}/{name}", text.encode(), kind) for name, (text, kind) in contents.items()}
    files = {name: {"key": place.key, "sha256": place.sha256} for name, place in stored.items()}
    record: Any = {"version": VERSION, "run_id": "run-1", "status": "registered", "files": files, "card_policy": policy()}
    register(Models(), record)
    return html


def test_the_card_comes_as_data_with_a_link_to_its_page(call: Call, registered: str) -> None:
    answer = call("model", "GET", CARD, role="viewer")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    link = answer.body["data"].pop("html_url")
    assert answer.body["data"] == synthetic_card().model_dump(mode="json")
    shown = requests.get(link, timeout=10)
    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert shown.headers["Content-Disposition"] == "inline"
    assert shown.content.decode() == registered
    assert "X-Amz-Expires=900" in link


@pytest.mark.parametrize(
    ("query", "headers"),
    [("format=html", {}), ("", {"accept": "text/html"}), ("", {"accept": BROWSER}), ("format=html", {"accept": "application/json"})],
)
def test_the_card_comes_as_a_page_where_that_is_asked_for(call: Call, registered: str, query: str, headers: dict[str, str]) -> None:
    answer = call("model", "GET", CARD, role="viewer", query=query, headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.body == registered
    assert answer.headers["Content-Security-Policy"] == f"{policy()}; frame-ancestors 'none'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"accept": "*/*"}),
        ("", {"accept": "application/json"}),
        ("", {"accept": "application/json, text/html;q=0.5"}),
        ("format=json", {"accept": BROWSER}),
    ],
)
def test_programs_get_json(call: Call, registered: str, query: str, headers: dict[str, str]) -> None:
    answer = call("model", "GET", CARD, role="viewer", query=query, headers=headers)
    assert (answer.status, answer.body["data"]["version"]) == (200, VERSION)


@pytest.mark.parametrize("query", ["", "format=html"])
def test_a_version_that_is_not_there_or_has_no_card_is_not_found(call: Call, aws: None, query: str) -> None:
    missing = call("model", "GET", CARD, query=query)
    assert (missing.status, missing.body["detail"]) == (404, "No model version has this name.")
    record: Any = {"version": VERSION, "run_id": "run-1", "status": "registered", "files": {}}
    register(Models(), record)
    bare = call("model", "GET", CARD, query=query)
    assert (bare.status, bare.body["detail"]) == (404, "This version was registered without a card.")


@pytest.mark.parametrize(("query", "name"), [("", "card.json"), ("format=html", "card.html")])
def test_a_card_that_was_changed_or_removed_is_not_shown(call: Call, registered: str, query: str, name: str) -> None:
    key = f"models/{VERSION}/{name}"
    Documents().put_bytes(key, b"<p>better figures</p>")
    changed = call("model", "GET", CARD, query=query)
    boto3.client("s3").delete_object(Bucket="test-bucket", Key=key)
    removed = call("model", "GET", CARD, query=query)
    for answer in (changed, removed):
        assert (answer.status, answer.body["type"]) == (503, "urn:retainstream:problem:unavailable")
        assert "better" not in str(answer.body)


@pytest.mark.parametrize("query", ["format=pdf", "format="])
def test_an_unknown_format_is_refused(call: Call, registered: str, query: str) -> None:
    assert call("model", "GET", CARD, query=query).status == 422


def test_the_card_needs_a_token(call: Call, registered: str) -> None:
    assert call("model", "GET", CARD, role=None).status == 401
