"""A file in a request: as an import would read it by the active schema, and as the start of a schema of its own."""

import base64
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.documents import schema_from_text
from retainstream.registry.active_schema import set_active_schema
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from tests.spreadsheets import german
from tests.stored import stored_items

type Call = Callable[..., Any]

PREVIEW, DRAFTS = "/api/customers/imports/preview", "/api/drafts"
MEMBERS = "Nr;Tarif;Beitrag;Besuche;gekündigt\n" + "".join(
    f"M-{n:04};{'Basis' if n % 3 else 'Plus'};{19 + n % 7},90;{n % 11};{'Ja' if n % 4 == 0 else 'Nein'}\n" for n in range(1, 121)
)


def in_base64(content: bytes | str) -> str:
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def drafted(call: Call, content: bytes | str = MEMBERS, **body: Any) -> dict[str, Any]:
    answer = call("drafts", "POST", DRAFTS, {"file_name": "m.csv", "content": in_base64(content), **body}, role="admin")
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.body["data"]
    return data


def previewed(call: Call, content: bytes | str, **body: Any) -> dict[str, Any]:
    answer = call("customers", "POST", PREVIEW, {"file_name": "m.csv", "content": in_base64(content), **body}, role="analyst")
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.body["data"]
    return data


def by_header(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["header"]: column for column in view["columns"]}


def test_a_file_without_a_named_label_is_described(call: Call) -> None:
    view = drafted(call)
    assert (view["rows"], view["likely_labels"][0], view["likely_ids"]) == (120, "gekündigt", ["Nr"])
    assert {header: column["kind"] for header, column in by_header(view).items()} == {
        "Nr": "identifier",
        "Tarif": "category",
        "Beitrag": "number",
        "Besuche": "integer",
        "gekündigt": "boolean",
    }
    assert view["feature_schema"] is view["document"] is None


def test_a_draft_is_what_the_schema_change_takes(aws: None, call: Call) -> None:
    view = drafted(call, label="gekündigt", name="gym", title="Members of the gym")
    schema = schema_from_text(view["document"])
    assert (schema.name, schema.title, schema.id.header, schema.label.header) == ("gym", "Members of the gym", "Nr", "gekündigt")
    assert view["left_share"] == 0.25
    assert [(word["value"], word["rows"], word["means"]) for word in view["outcomes"]] == [("Nein", 90, "stayed"), ("Ja", 30, "left")]
    assert {header: column["use"] for header, column in by_header(view).items()} == {
        "Nr": "id",
        "Tarif": "feature",
        "Beitrag": "feature",
        "Besuche": "feature",
        "gekündigt": "outcome",
    }
    document = {"document": view["document"]}
    check = call("model", "POST", "/api/model/schema/check", document, role="admin").body["data"]
    put = call("model", "PUT", "/api/model/schema", {**document, "replaces": check["replaces"]}, role="admin")
    assert put.body["data"]["active"] is True


def test_a_person_corrects_kinds_and_the_draft_reads_the_column_so(call: Call) -> None:
    view = drafted(call, label="gekündigt", kinds={"Besuche": "category", "Tarif": "leave out", "Beitrag": "category"})
    columns = by_header(view)
    assert (columns["Besuche"]["kind"], columns["Besuche"]["use"]) == ("category", "feature")
    assert (columns["Tarif"]["use"], columns["Tarif"]["reason"]) == ("not read", "left out by choice")
    levels = {column.header: column.levels for column in schema_from_text(view["document"]).columns}
    assert levels["Besuche"] == tuple(sorted(str(number) for number in range(11)))
    assert len(levels["Beitrag"]) == 7


def test_a_kind_that_no_cell_has_is_refused_with_the_column(call: Call) -> None:
    body = {"file_name": "m.csv", "content": in_base64(MEMBERS), "label": "gekündigt", "kinds": {"Tarif": "number"}}
    answer = call("drafts", "POST", DRAFTS, body, role="admin")
    assert (answer.status, answer.body["errors"]) == (
        422,
        [{"field": "body.content", "detail": "column Tarif: hardly any cell is a number"}],
    )


@pytest.mark.parametrize("label", [{}, {"label": "gekündigt"}])
@pytest.mark.parametrize(("correction", "role"), [({"id": "Nummer"}, "id"), ({"kinds": {"Nummer": "number"}}, "kind number")])
def test_a_correction_of_a_column_that_the_file_lacks_is_refused(
    call: Call, label: dict[str, str], correction: dict[str, Any], role: str
) -> None:
    body = {"file_name": "m.csv", "content": in_base64(MEMBERS), **label, **correction}
    answer = call("drafts", "POST", DRAFTS, body, role="admin")
    detail = f"there is no column Nummer for the {role}; the header has Nr, Tarif, Beitrag, Besuche, gekündigt"
    assert (answer.status, answer.body["errors"]) == (422, [{"field": "body.content", "detail": detail}])


def test_the_first_part_of_a_file_ends_with_its_last_whole_line(call: Call) -> None:
    cut = MEMBERS.encode()[:1000]
    assert drafted(call, cut, complete=False)["rows"] == cut.count(b"\n") - 1
    assert drafted(call, gzip.compress(cut), complete=False)["rows"] == cut.count(b"\n") - 1


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("%%%%", "is not in base64"),
        (in_base64(b"\x1f\x8b" + b"no gzip"), "is compressed, and damaged"),
        (in_base64(gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000)), "unpacks to more than 16 MB; send its first part"),
        (in_base64(b"\n\n"), "is empty; the first line must name the columns"),
    ],
)
def test_what_is_no_file_is_refused_by_both_routes(aws: None, call: Call, content: str, detail: str) -> None:
    for module, path in (("drafts", DRAFTS), ("customers", PREVIEW)):
        answer = call(module, "POST", path, {"file_name": "m.csv", "content": content}, role="admin")
        assert (answer.status, answer.body["errors"]) == (422, [{"field": "body.content", "detail": detail}]), path


def test_a_preview_shows_the_columns_as_the_schema_reads_them_and_stores_nothing(aws: None, call: Call) -> None:
    set_active_schema(Documents(), german.schema())
    view = previewed(call, german.as_csv(german.rows(40)))
    columns = by_header(view)
    assert (view["rows"], view["rejected"], view["absent"]) == (40, 0, [])
    assert {name: columns[name]["use"] for name in (german.ID, german.LABEL, "Saldo", "Beginn")} == {
        german.ID: "id",
        german.LABEL: "outcome",
        "Saldo": "feature",
        "Beginn": "not in the model",
    }
    assert columns["Saldo"]["kind"] == "number"
    assert 0 < len(columns["Land"]["examples"]) <= 5
    assert len(view["rows_shown"]) == 10
    assert [stored_items(table) for table in (settings().customers_table, settings().runs_table)] == [[], []]


def test_a_preview_of_the_first_part_leaves_out_the_cut_record(aws: None, call: Call) -> None:
    set_active_schema(Documents(), german.schema())
    content = german.as_csv(german.rows(40))[:1500]
    view = previewed(call, content, complete=False)
    assert (view["rows"], view["rejected"]) == (content.count(b"\r\n") - 1, 0)


def test_a_person_says_what_the_words_for_the_outcome_mean(call: Call) -> None:
    content = MEMBERS.replace("Ja\n", "B\n").replace("Nein\n", "A\n").replace("M-0001;Basis;20,90;1;A", "M-0001;Basis;20,90;1;?!")
    asked = drafted(call, content, label="gekündigt")
    assert asked["feature_schema"] is None
    assert asked["questions"]
    assert [(word["value"], word["means"]) for word in asked["outcomes"]] == [
        ("A", "unreadable"),
        ("B", "unreadable"),
        ("?!", "unreadable"),
    ]
    view = drafted(call, content, label="gekündigt", words={"B": "left", "A": "stayed", "?!": "not_known"})
    label = FeatureSchema.model_validate(view["feature_schema"]).label
    assert (label.positive, label.left, label.stayed, label.not_known) == ("B", (), ("A",), ("?!",))
    assert [(word["value"], word["means"]) for word in view["outcomes"]] == [("A", "stayed"), ("B", "left"), ("?!", "not_known")]
    assert view["left_share"] == pytest.approx(30 / 119)


def test_an_outcome_needs_a_word_for_left_and_one_for_stayed(call: Call) -> None:
    view = drafted(call, label="gekündigt", words={"Ja": "left"})
    assert (view["feature_schema"], view["questions"]) == (None, ["column gekündigt: say which text means that the customer stayed"])
    assert [(word["value"], word["means"]) for word in view["outcomes"]] == [("Nein", "unreadable"), ("Ja", "left")]


def test_a_preview_counts_cells_that_cannot_be_read_by_column_and_value(aws: None, call: Call) -> None:
    set_active_schema(Documents(), german.schema())
    rows = [german.changed(row, Land="LI" if n < 3 else "AT", Saldo="viel" if n == 9 else "1,50") for n, row in enumerate(german.rows(20))]
    view = previewed(call, german.as_csv(rows))
    columns = by_header(view)
    assert (view["rows"], view["rejected"]) == (20, 0)
    assert columns["Land"]["unread"] == [{"value": "LI", "reason": "is new", "rows": 3}]
    assert [(cell["value"], cell["rows"]) for cell in columns["Saldo"]["unread"]] == [("viel", 1)]
    assert columns["Saldo"]["missing"] == 1
