"""Accounts, roles, and the ways from one answer to the next, as the OpenAPI document says they are."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.integration.by_document.probing import Outcome, Probe

_ROW = {
    "plan": "basic",
    "watch_time_hours": 3.5,
    "subscription_age_months": 8,
    "device_count": 1,
    "last_login_days": 20,
    "payment_failures": 2,
    "tenure_months": 9,
    "monthly_price": 8.99,
}
_GOOD_REQUESTS: dict[str, dict[str, Any]] = {
    "login": {"json": {"email": "alex.chen@netflix.com", "password": "password"}},
    "register": {"json": {"email": "walker@example.org", "password": "nine brown umbrellas"}},
    "add_user": {"json": {"email": "wanderer@example.org", "password": "nine brown umbrellas"}},
    "change_user": {"json": {"email": "wanderer@example.org", "role": "analyst"}},
    "put_customer": {"json": {"features": _ROW}},
    "post_outcome": {"json": {"churned": False}},
    "get_segment": {"json": {}},
    "results": {"params": {"limit": 1}},
    "list_customers": {"params": {"limit": 1}},
    "list_deliveries": {"params": {"limit": 1}},
    "list_imports": {"params": {"limit": 1}},
    "list_users": {"params": {"limit": 1}},
    "versions": {"params": {"limit": 1}},
    "post_import": {"json": {"file_name": "a.csv", "size": 20_000_000}},
    "post_delivery": {"json": {"kind": "events", "file_name": "a.csv", "size": 20_000_000}},
    "generate_predictions": {"json": {"all": True}, "headers": {"Idempotency-Key": "walk"}},
    "recount": {"json": {}, "headers": {"Idempotency-Key": "walk"}},
    "train": {"headers": {"Idempotency-Key": "one run is enough"}},
}
_SOURCES = {
    "profile": f"customer_id,{','.join(_ROW)}\nc1,{','.join(map(str, _ROW.values()))}\n".encode(),
    "subscriptions": b"customer_id,started_on,ended_on\nc1,2025-06-01,\n",
    "events": b"customer_id,occurred_at,event,amount\nc1,2026-01-05T10:00:00Z,login,\n",
}
_BODIES = {"put_customer": {"features": _ROW}, "post_outcome": {"churned": True}}
_PATIENCE_SECONDS = 300
_WELL = {"complete_import": {409}, "complete_delivery": {409}, "roll_back": {200, 409}, "get_customer": {200, 404}}


class _Way(NamedTuple):
    source: str
    status: str
    link: dict[str, Any]


def test_accounts_are_answered_as_the_document_says(probe: Probe) -> None:
    probe.run(["auth", "health"], most=60).shows_no_fault("accounts")


def test_no_role_gets_in_where_a_higher_one_is_needed(probe: Probe) -> None:
    together = Outcome()
    for role in ("viewer", None):
        found = probe.run(role=role, phases=("examples", "coverage"))
        together.cases += Counter({f"{role}: {name}": count for name, count in found.cases.items()})
        together.statuses += found.statuses
        together.failures += [f"{role}: {failure}" for failure in found.failures]
    together.shows_no_fault("roles")


def test_walks_along_the_links_are_answered_as_the_document_says(probe: Probe) -> None:
    together = Outcome()
    for _ in range(4):  # where a walk leads, and how soon it ends, is chance
        walked = probe.run(phases=["stateful"], most=120)
        together.cases += walked.cases
        together.statuses += walked.statuses
        together.followed += walked.followed
        together.failures += walked.failures
        probe.seed += 1
    together.shows_no_fault("walks")
    assert len(together.followed) >= 5


def test_every_link_of_the_document_leads_from_a_good_answer_to_a_good_answer(probe: Probe, subtests: pytest.Subtests) -> None:
    client = probe.stack.client()
    _deliver_sources(client)
    _two_of_each_upload_and_a_training_that_is_over(client)
    followed = 0
    for way, path, method in _ways(probe.document):
        with subtests.test(f"{way.source} {way.status} {way.link['operationId']}"):
            if (answer := _answer(client, method, path, way)) is None:
                continue
            target_path, target_method, target = _operation(probe.document, way.link["operationId"])
            name = target.partition("_api_")[0]
            given = {key: _value(told, answer) for key, told in way.link.get("parameters", {}).items()}
            body = {key: _value(told, answer) for key, told in way.link.get("requestBody", {}).items()} or _BODIES.get(name)
            query = {key: value for key, value in given.items() if f"{{{key}}}" not in target_path}
            reached = client.request(target_method, target_path.format(**given), params=query, json=body)
            well = {409} if name == "promote_version" and _rejected(client, given["version"]) else _WELL.get(name, {200, 202, 204})
            assert reached.status_code in well, reached.text
            if name == "logout":
                client = probe.stack.client()
            followed += 1
    assert followed >= 35


def _two_of_each_upload_and_a_training_that_is_over(client: httpx.Client) -> None:
    """So that the lists of imports and deliveries have a second page, and no training puts a version into service meanwhile."""
    for _ in range(2):
        client.post("/api/customers/imports", **_GOOD_REQUESTS["post_import"]).raise_for_status()
        client.post("/api/customers/sources/deliveries", **_GOOD_REQUESTS["post_delivery"]).raise_for_status()
    run_id = client.post("/api/model/train", **_GOOD_REQUESTS["train"]).raise_for_status().json()["data"]["run_id"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while client.get(f"/api/model/training/{run_id}").raise_for_status().json()["data"]["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the training does not end"
        time.sleep(0.2)


def _deliver_sources(client: httpx.Client) -> None:
    """So that there is something to prepare."""
    for kind, content in _SOURCES.items():
        request = {"kind": kind, "file_name": f"{kind}.csv", "size": len(content)}
        delivery = client.post("/api/customers/sources/deliveries", json=request).raise_for_status().json()["data"]
        httpx.put(delivery["upload"]["parts"][0]["url"], content=content).raise_for_status()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (view := client.get(f"/api/customers/sources/deliveries/{delivery['delivery_id']}").json()["data"])["status"] != "SUCCEEDED":
            assert time.monotonic() < deadline, view
            assert view["status"] != "FAILED", view
            time.sleep(0.2)


def _rejected(client: httpx.Client, version: str) -> bool:
    """Whether the gate refused this version, which then cannot be put into service."""
    listed = client.get("/api/model/versions", params={"limit": 100}).raise_for_status().json()["data"]
    return ("rejected", version) in [(entry["status"], entry["version"]) for entry in listed]


def _ways(document: dict[str, Any]) -> Iterator[tuple[_Way, str, str]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                for link in answer.get("links", {}).values():
                    yield _Way(operation["operationId"].partition("_api_")[0], status, link), path, method


def _operation(document: dict[str, Any], identity: str) -> tuple[str, str, str]:
    return next(
        (path, method, identity)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] == identity
    )


def _answer(client: httpx.Client, method: str, path: str, way: _Way) -> httpx.Response | None:
    """A good answer of the link's source; None where there is no next page to go on to, or no file made by a run."""
    if way.source == "delete_customer" or way.source.startswith(("put_", "post_outcome")):
        client.put("/api/customers/walked", json={"features": _ROW}).raise_for_status()
    version = client.get("/api/model/status").json()["data"]["model"]["version"]
    asked = dict(_GOOD_REQUESTS.get(way.source, {}))
    if way.source in ("register", "add_user"):
        asked["json"] = {**asked["json"], "email": f"walker-{way.link['operationId'][:6]}@example.org".replace("_", "")}
    if way.source == "change_user":
        client.post("/api/auth/users", **_GOOD_REQUESTS["add_user"])
    answer = client.request(method, path.format(customer_id="walked", version=version, import_id="", run_id=""), **asked)
    assert answer.status_code < 300, answer.text
    known = answer.json()
    if str(answer.status_code) != way.status or ("cursor" in way.link.get("parameters", {}) and known["page"]["next"] is None):
        return None
    return answer


def _value(told: Any, answer: httpx.Response) -> Any:
    if isinstance(told, list):
        return [_value(one, answer) for one in told]
    if told == "$request.path.customer_id":
        return "walked"
    if not isinstance(told, str) or not told.startswith("$response.body#/"):
        return told
    found = answer.json()
    for part in told.removeprefix("$response.body#/").split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found
