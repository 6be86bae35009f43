"""New levels of a category in the active schema: what an import reports as new, with one request."""

from collections.abc import Callable
from typing import Any

import pytest

from retainstream.engine.schema import default_schema
from retainstream.registry import active_schema
from retainstream.registry.active_schema import set_active_schema, stored_schema
from retainstream.storage.documents import Documents
from tests.small_models import put_in_service, some_features
from tests.spreadsheets import german

type Call = Callable[..., Any]

LEVELS = "/api/model/schema/levels"


@pytest.fixture(autouse=True)
def base(aws: None) -> None:
    set_active_schema(Documents(), german.schema())


def learned(call: Call, column: str, *levels: str) -> dict[str, Any]:
    answer = call("model", "POST", LEVELS, {"column": column, "levels": levels}, role="admin")
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.body["data"]
    return data


def test_a_new_level_is_in_the_active_schema_and_the_schema_before_is_kept(call: Call) -> None:
    answer = learned(call, "Land", "LI", " li ", "DE")
    assert (answer["added"], answer["known"], answer["levels"]) == (["LI"], [" li ", "DE"], [*german.COUNTRIES, "LI"])
    assert stored_schema(Documents()).column("Land").levels == (*german.COUNTRIES, "LI")
    earlier = call("model", "GET", f"/api/model/schema/earlier/{answer['kept']}", role="admin").body["data"]
    assert next(column["levels"] for column in earlier["columns"] if column["name"] == "Land") == list(german.COUNTRIES)


def test_the_same_level_again_changes_nothing(call: Call) -> None:
    first, second = learned(call, "Größe", "riesig"), learned(call, "Größe", "riesig")
    assert (second["added"], second["known"], second["kept"], second["next_steps"]) == ([], ["riesig"], None, [])
    assert first["digest"] == second["digest"]


def test_the_level_for_all_others_stays_the_last(call: Call) -> None:
    schema = german.schema()
    channel = schema.column("Kanal").model_copy(update={"levels": ("Shop", "Web", "other"), "other": "other"})
    columns = tuple(channel if column.name == "Kanal" else column for column in schema.columns)
    set_active_schema(Documents(), schema.model_copy(update={"columns": columns}))
    assert learned(call, "Kanal", "Telefon")["levels"] == ["Shop", "Web", "Telefon", "other"]


@pytest.mark.parametrize(
    ("column", "level", "field", "detail"),
    [
        ("Saldo", "5", "body.column", "is not a category, but a number"),
        ("Stadt", "Wien", "body.column", "is not a column of the schema, which has Paket, Land"),
        ("Land", "\u200b", "body.levels", "a level is blank"),
    ],
)
def test_what_cannot_be_a_level_is_refused_with_the_field(call: Call, column: str, level: str, field: str, detail: str) -> None:
    answer = call("model", "POST", LEVELS, {"column": column, "levels": [level]}, role="admin")
    (error,) = answer.body["errors"]
    assert (answer.status, error["field"]) == (422, field)
    assert error["detail"].startswith(detail)


def test_the_model_in_service_is_not_outdated_by_a_level_and_goes_on_scoring(call: Call) -> None:
    set_active_schema(Documents(), default_schema())
    put_in_service(0, "20260101T000000Z-aaaaaaaa")
    answer = learned(call, "plan", "family")
    assert any("goes on scoring" in step for step in answer["next_steps"])
    load = call("model", "GET", "/api/health/details", role="admin").body["data"]
    assert (load["dependencies"]["model"], load["status"]) == ("ok", "ok")
    row = {**some_features(1)[0], "plan": "family"}
    active_schema.forget_active_schema()
    assert call("customers", "PUT", "/api/customers/C-1", {"features": row}, role="analyst").status == 200
    scored = call("predictions", "POST", "/api/predictions/generate", {"customer_ids": ["C-1"]}, role="analyst")
    assert scored.status == 200, scored.body
    check = call("model", "POST", "/api/model/schema/check", {"document": stored_schema(Documents()).model_dump_json()}, role="admin")
    assert "before levels were added (plan)" in check.body["data"]["model"]["text"]
