"""Changing the active feature schema through the API: comparison, refusal, confirmation, and the way back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from retainstream.engine.schema import default_schema, read_schema
from retainstream.registry import schema_change
from retainstream.registry.active_schema import KEY, earlier_schemas, replace_active_schema, set_active_schema, stored_active, stored_schema
from retainstream.registry.health import read_health
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models
from retainstream.storage.table import Table
from tests.integration.conftest import Answer
from tests.small_models import add_customers, put_in_service

type Call = Callable[..., Answer]

TELCO = Path(__file__).parents[2] / "examples/schemas/telco.yaml"
CHECK, PUT = ("model", "POST", "/api/model/schema/check"), ("model", "PUT", "/api/model/schema")
EARLIER = "/api/model/schema/earlier"


def document(**changes: Any) -> str:
    return json.dumps({**default_schema().model_dump(mode="json"), **changes})


def with_column(name: str, **changes: Any) -> str:
    """The default schema with one column changed."""
    columns = default_schema().model_dump(mode="json")["columns"]
    return document(columns=[{**column, **changes} if column["name"] == name else column for column in columns])


def without_column(name: str) -> str:
    return document(columns=[column for column in default_schema().model_dump(mode="json")["columns"] if column["name"] != name])


def check(call: Call, text: str) -> dict[str, Any]:
    answer = call(*CHECK, {"document": text})
    assert answer.status == 200, answer.body
    compared: dict[str, Any] = answer.body["data"]
    return compared


def put(call: Call, text: str, **more: Any) -> Answer:
    return call(*PUT, {"document": text, "replaces": check(call, text)["replaces"], **more})


@pytest.fixture
def base(aws: None) -> list[str]:
    """Customers of the default schema; in none of them a payment has failed."""
    ids = add_customers(12)
    customers = Customers()
    for customer in customers.get_many(ids).values():
        customers.put({**customer, "features": {**customer["features"], "payment_failures": 0, "plan": "basic"}, "group": "basic"})
    return ids


def test_a_schema_that_customers_fit_is_active_at_once(call: Call, base: list[str]) -> None:
    text = with_column("payment_failures", label="Payments that failed", max=1000.0)
    compared = check(call, text)
    assert stored_schema(Documents()) == default_schema(), "a check changes nothing"
    assert (compared["active"], compared["same"], compared["kept"]) == (False, False, None)
    assert compared["customers"] == {"checked": 12, "complete": True, "refused": 0, "misfits": []}
    changed = {change["column"]: change["text"] for change in compared["changes"]}
    assert changed.keys() == {"payment_failures"}
    assert "words changed" in changed["payment_failures"]
    assert "0 to 1000, before" in changed["payment_failures"]

    answer = call(*PUT, {"document": text, "replaces": compared["replaces"]})

    assert answer.status == 200, answer.body
    assert answer.body["data"]["active"] is True
    assert call("model", "GET", "/api/model/schema", role="viewer").body["data"]["columns"][5]["label"] == "Payments that failed"


def test_yaml_is_read_as_from_a_file(call: Call, aws: None) -> None:
    assert put(call, TELCO.read_text()).body["data"]["name"] == "telco"
    assert stored_schema(Documents()) == read_schema(TELCO)


def test_customers_who_do_not_fit_are_counted_and_refuse_the_schema(call: Call, base: list[str]) -> None:
    text = with_column("plan", levels=["standard", "premium", "family"])
    compared = check(call, text)
    assert (compared["customers"]["checked"], compared["customers"]["refused"]) == (12, 12)
    assert [misfit["text"] for misfit in compared["customers"]["misfits"]] == [
        "Plan: 12 of 12 checked customers have a value that the new schema does not allow, for example basic. "
        "It must be one of standard, premium, family."
    ]
    assert any("Import the customers who do not fit again" in step for step in compared["next_steps"])

    refused = call(*PUT, {"document": text, "replaces": compared["replaces"]})

    assert (refused.status, refused.body["type"]) == (409, "urn:retainstream:problem:conflict")
    assert refused.body["detail"].startswith("12 of 12 checked customers do not fit the schema.")
    assert refused.body["errors"][0]["detail"].startswith("Plan: 12 of 12")
    assert stored_schema(Documents()) == default_schema()
    assert earlier_schemas(Documents()) == []

    accepted = call(*PUT, {"document": text, "replaces": compared["replaces"], "accept_refused": True})

    assert accepted.status == 200, accepted.body
    assert accepted.body["data"]["customers"]["refused"] == 12
    assert "family" in call("model", "GET", "/api/model/schema").body["data"]["columns"][0]["levels"]


def test_only_levels_of_the_active_schema_are_repeated_of_customers(call: Call, base: list[str]) -> None:
    Customers().put({**Customers().get_many(base)[base[0]], "features": {"plan": "Ann Lee, 12 Mill Road"}})
    text = json.dumps(check(call, with_column("plan", levels=["family"])))
    assert "for example basic" in text
    assert "Ann Lee" not in text


def test_a_column_that_customers_lack_is_named_with_their_number(call: Call, base: list[str]) -> None:
    columns = [
        *default_schema().model_dump(mode="json")["columns"],
        {"name": "region", "kind": "category", "label": "Region", "levels": ["n"]},
    ]
    compared = check(call, document(columns=columns))
    assert [misfit["text"] for misfit in compared["customers"]["misfits"]] == [
        "Region: 12 of 12 checked customers have no value, and the new schema requires one."
    ]
    assert compared["changes"] == [{"kind": "added", "column": "region", "label": "Region", "text": "category of n, required"}]
    columns[-1]["missing"] = True
    allowed = check(call, document(columns=columns))
    assert allowed["customers"]["refused"] == 0
    assert any("Import your customers again" in step for step in allowed["next_steps"])


def test_a_value_of_a_removed_column_is_no_fault(call: Call, base: list[str]) -> None:
    compared = check(call, without_column("payment_failures"))
    assert compared["customers"]["refused"] == 0
    assert [(change["kind"], change["column"]) for change in compared["changes"]] == [("removed", "payment_failures")]


def test_the_same_schema_again_changes_nothing(call: Call, base: list[str]) -> None:
    text = with_column("payment_failures", label="Payments that failed")
    first = put(call, text).body["data"]
    again = call(*PUT, {"document": text, "replaces": first["replaces"]})
    assert again.status == 200, "a repeated request succeeds, although another schema is active than it compared with"
    assert (again.body["data"]["same"], again.body["data"]["active"], again.body["data"]["next_steps"]) == (True, True, [])
    assert len(earlier_schemas(Documents())) == 1


def test_two_administrators_do_not_overwrite_each_other(call: Call, base: list[str]) -> None:
    mine, other = with_column("plan", label="Tariff"), with_column("plan", label="Package")
    compared = check(call, mine)
    assert put(call, other).status == 200

    answer = call(*PUT, {"document": mine, "replaces": compared["replaces"], "accept_refused": True})

    assert answer.status == 409
    assert answer.body["detail"] == "Another feature schema became active meanwhile. Compare with that one first."
    assert stored_schema(Documents()).column("plan").label == "Package"


def test_a_change_between_the_check_and_the_write_is_noticed(aws: None) -> None:
    documents = Documents()
    before = stored_active(documents)
    set_active_schema(documents, default_schema().model_copy(update={"title": "Theirs"}))
    with pytest.raises(Conflict):
        replace_active_schema(documents, default_schema().model_copy(update={"title": "Ours"}), before)
    before = stored_active(documents)
    set_active_schema(documents, default_schema().model_copy(update={"title": "Theirs again"}))
    with pytest.raises(Conflict):
        replace_active_schema(documents, default_schema().model_copy(update={"title": "Ours"}), before)
    assert stored_schema(documents).title == "Theirs again"


def test_a_write_whose_answer_was_lost_succeeds(aws: None) -> None:
    documents, ours = Documents(), default_schema().model_copy(update={"title": "Ours"})
    before = stored_active(documents)
    set_active_schema(documents, ours)
    replace_active_schema(documents, ours, before)
    assert stored_schema(documents) == ours


def test_the_schema_before_is_kept_and_can_come_back(call: Call, base: list[str]) -> None:
    kept = put(call, with_column("plan", label="Tariff")).body["data"]["kept"]
    listed = call("model", "GET", EARLIER).body["data"]
    assert [(earlier["id"], earlier["name"]) for earlier in listed] == [(kept, "streaming")]
    assert listed[0]["active_since"] is None, "the default of a new stack"
    before = call("model", "GET", f"{EARLIER}/{kept}").body["data"]

    assert put(call, json.dumps(before)).status == 200

    assert stored_schema(Documents()) == default_schema()
    newest = call("model", "GET", EARLIER).body["data"][0]
    assert newest["active_since"].endswith("+00:00")
    assert call("model", "GET", f"{EARLIER}/{newest['id']}").body["data"]["columns"][0]["label"] == "Tariff"
    assert call("model", "GET", f"{EARLIER}/20260101T000000Z.streaming.0123456789ab").status == 404
    assert call("model", "GET", f"{EARLIER}/..%2Factive").status == 422


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"name": "x",', "EOF while parsing"),
        ("name: [", "line 1, column 8: not valid YAML"),
        ("- 1", "holds no schema"),
        (document(title=""), "title"),
        (TELCO.read_text().replace("kind: category", "kind: colour", 1), "line "),
        (with_column("plan", levels=[]), "a category needs its levels"),
    ],
)
def test_a_document_that_is_no_schema_is_refused_with_its_faults(call: Call, aws: None, text: str, fault: str) -> None:
    for route, body in ((CHECK, {"document": text}), (PUT, {"document": text, "replaces": "0" * 64})):
        answer = call(*route, body)
        assert (answer.status, answer.body["detail"]) == (422, "The document is not a feature schema.")
        assert {error["field"] for error in answer.body["errors"]} == {"body.document"}
        assert any(fault in error["detail"] for error in answer.body["errors"]), answer.body["errors"]
    assert stored_active(Documents()).tag is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.document"),
        ({"document": ""}, "body.document"),
        ({"document": 3}, "body.document"),
        ({"document": "a", "replaces": "latest"}, "body.replaces"),
        ({"document": "a", "replaces": "0" * 64, "accept_refused": "yes"}, "body.accept_refused"),
        ({"document": "a", "replaces": "0" * 64, "force": True}, "body.force"),
    ],
)
def test_a_request_with_faults_is_refused(call: Call, aws: None, body: dict[str, Any], field: str) -> None:
    answer = call(*PUT, body)
    assert answer.status == 422
    assert field in {error["field"] for error in answer.body["errors"]}


def test_only_administrators_change_the_schema(call: Call, aws: None) -> None:
    body = {"document": document(), "replaces": "0" * 64}
    routes = ((CHECK, {"document": document()}), (PUT, body), (("model", "GET", EARLIER), None), (("model", "GET", f"{EARLIER}/x"), None))
    for route, sent in routes:
        assert call(*route, sent, role=None).status in (401, 404)
        for role in ("viewer", "analyst"):
            assert call(*route, sent, role=role).status in (403, 404), route
    assert stored_active(Documents()).tag is None


def test_a_base_that_is_too_large_is_sampled_and_that_is_said(call: Call, base: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_change, "MOST_CHECKED", 4)
    compared = check(call, with_column("plan", levels=["family"]))
    customers = compared["customers"]
    assert not customers["complete"]
    assert 4 <= customers["checked"] < 12
    assert customers["refused"] == customers["checked"]
    assert f"of {customers['checked']} checked customers" in customers["misfits"][0]["text"]


def test_all_customers_are_checked_where_they_are_exactly_as_many_as_may_be(
    call: Call, base: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_change, "MOST_CHECKED", 12)
    customers = check(call, with_column("plan", label="Tariff"))["customers"]
    assert (customers["checked"], customers["complete"]) == (12, True)


def test_a_schema_that_cannot_be_read_is_replaced_and_kept(call: Call, base: list[str]) -> None:
    Documents().put_bytes(KEY, b"{")
    compared = check(call, document(title="Repaired"))
    assert compared["changes"] == []
    answer = call(*PUT, {"document": document(title="Repaired"), "replaces": compared["replaces"]})
    assert answer.status == 200, answer.body
    assert stored_schema(Documents()).title == "Repaired"
    [kept] = earlier_schemas(Documents())
    assert kept.name == "unreadable"
    assert call("model", "GET", f"{EARLIER}/{kept.id}").status == 503


def test_the_effect_on_the_model_in_service_is_stated(call: Call, base: list[str]) -> None:
    assert check(call, with_column("plan", label="Tariff"))["model"] is None
    put_in_service(0)
    same = check(call, with_column("plan", label="Tariff"))
    assert same["model"]["same_columns"] is True
    assert "keeps scoring" in same["model"]["text"]
    other = check(call, without_column("payment_failures"))
    assert other["model"]["same_columns"] is False
    assert "trained on other features (different: payment_failures)" in other["model"]["text"]
    assert other["next_steps"][-1].startswith("Train a model. Until one is promoted,")
    boto3.client("s3").delete_object(Bucket=settings().bucket, Key=f"models/{same['model']['version']}/schema.json")
    assert "cannot be read" in check(call, with_column("plan", label="Tariff"))["model"]["text"]


def test_a_schema_without_ids_warns_of_imports(call: Call, aws: None) -> None:
    schema = yaml.safe_load(TELCO.read_text())
    schema["id"]["numbered"] = True
    assert any("numbers customers by row" in step for step in check(call, yaml.safe_dump(schema))["next_steps"])


def test_health_advises_to_train_after_a_change_of_columns(call: Call, base: list[str]) -> None:
    version = put_in_service(0)
    names = [column.name for column in default_schema().features]
    models = Table(settings().models_table, ("pk", "sk"))
    pointer = models.get({"pk": "champion", "sk": "current"}) or {}
    models.put({**pointer, "record": {**(models.get({"pk": "version", "sk": version}) or {}), "feature_names": names}})
    assert read_health(Models(), Documents()).dependencies.model == "ok"

    assert put(call, without_column("payment_failures")).status == 200

    health = read_health(Models(), Documents())
    assert (health.status, health.dependencies.model) == ("degraded", "outdated")
    assert health.advice == [
        f"Version {version} was trained on other columns than the active feature schema has. "
        "Import customers with the new columns, then train a new version: POST /api/model/train."
    ]
