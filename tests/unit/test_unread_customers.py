"""Customers whose file could not be read whole: the German base, its model, and files with cells, columns or features that are lacking."""

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.customers.arrival import Moments
from retainstream.customers.intake import Intake
from retainstream.engine.learning.checks import check
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.learning.trained import train
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.model.predictions import scores
from retainstream.engine.records import Features
from retainstream.engine.schema import UnacceptableFeatures
from retainstream.engine.schema.customer_id import address_of, id_in_address, id_problem
from retainstream.engine.schema.fit import Fit
from retainstream.engine.tables import UnreadableTable, open_table
from retainstream.engine.tables.columnar import CustomerTable, customers_in, read_text
from retainstream.engine.tables.spelling import cleaned
from retainstream.predictions.what_if import what_if
from tests.spreadsheets import german

SCHEMA = german.schema()
COLUMNS = [column.name for column in SCHEMA.columns if column.feature]


def table_of(rows: list[german.Row], columns: Any = german.HEADER) -> CustomerTable:
    with open_table(io.BytesIO(german.as_csv(rows, columns))) as table:
        return customers_in(read_text(table), SCHEMA)


def intake_of(rows: list[german.Row], columns: Any = german.HEADER) -> tuple[Intake, list[Features]]:
    """An import's reading of a file, and the features of the rows that it accepts."""
    with open_table(io.BytesIO(german.as_csv(rows, columns))) as table:
        intake = Intake(table, SCHEMA, Moments.stated(None, None), partial=True)
        return intake, [row.features for row in intake.customers()]


@cache
def model() -> ScoringModel:
    """A model of the base, in which no customer lacks a value."""
    return train(labelled(table_of(german.rows())), version="v1", seconds=0.5).service.model


def a_customer() -> Features:
    return intake_of(german.rows(1))[1][0]


def test_a_new_tariff_on_every_third_row_costs_no_customer_and_no_outcome() -> None:
    rows = [german.changed(row, Paket="Max") if place % 3 == 0 else row for place, row in enumerate(german.rows(200))]
    intake, features = intake_of(rows)
    assert (intake.rows, intake.refused, len(features)) == (200, 0, 200)
    assert (intake.left, intake.stayed) == tuple(sum(row[german.LABEL] == word for row in rows) for word in ("Ja", "Nein"))
    assert intake.unread.sentences() == ['67 × Paket 📦: "Max" is new']
    assert sum("Paket" in row for row in features) == 133
    assert table_of(rows).unread.listed() == intake.unread.listed()


def test_blanks_and_odd_dates_cost_no_row() -> None:
    rows = german.rows(60)
    rows[0] = german.changed(rows[0], Monatsbeitrag="")
    rows[1] = german.changed(rows[1], Beginn="31.02.2020")
    rows[2] = german.changed(rows[2], Anrufe="viele", Laufzeit="-3")
    intake, features = intake_of(rows)
    assert (intake.refused, len(features)) == (0, 60)
    assert [count["reason"] for count in intake.unread.listed()] == [
        "is not a number",
        "is not a date like 31.01.2026",
        "is below 0",
        "is missing in a column that is never blank",
    ]


@pytest.mark.parametrize("lacking", [*COLUMNS, None])
def test_the_model_scores_customers_who_lack_a_value_that_no_other_customer_lacked(lacking: str | None) -> None:
    """`None`: a customer with the day of the beginning alone."""
    features = {name: value for name, value in a_customer().items() if name != lacking and (lacking is not None or name == "Beginn")}
    [score] = scores(model(), [features])
    total = score["base_margin"] + sum(score["contributions"].values())
    assert total == pytest.approx(score["margin"], abs=1e-5)
    rows = encode(SCHEMA, [features])
    by_xgboost = model().booster.predict(matrix(SCHEMA.features, rows, threads=1), pred_contribs=True)[0]
    assert score["margin"] == pytest.approx(float(by_xgboost.sum()), abs=2e-4)
    assert 0 < score["probability"] < 1
    if lacking == "Monatsbeitrag":
        assert (score["price"], score["value_at_risk"], score["action"]) == (None, 0, None)
    assert all("None" not in reason["text"] for reason in score["reasons"])


def test_a_model_is_trained_on_customers_who_lack_values() -> None:
    rows = [german.changed(row, Groesse="riesig") if place % 7 == 0 else row for place, row in enumerate(german.rows())]
    data = labelled(table_of(rows))
    assert np.isnan(data.rows[:, COLUMNS.index("Grosse")]).sum() > 100
    assert not [finding for finding in check(data, fewest_rows=200) if finding.level == "alarm"]
    trained = train(data, version="v2", seconds=0.3).service.model
    assert np.isfinite(trained.probabilities(data.rows)).all()


def test_what_if_of_a_customer_who_lacks_a_value_leaves_it_unknown_until_it_is_given() -> None:
    features = {name: value for name, value in a_customer().items() if name not in ("Paket", "Saldo")}
    answer = what_if(model(), features, {"Anrufe": 9}, stored=True)
    assert "Saldo" not in answer.after["features"]
    assert what_if(model(), features, {"Saldo": 5.0}, stored=True).changed == ["Saldo"]
    assert what_if(model(), features | {"Paket": "Max"}, {"Anrufe": 9}, stored=True).changed == answer.changed
    for changes in ({"Laufzeit": -1}, {"Laufzeit": 12.5}, {"Paket": "Max"}, {"Land": None}, {"Beginn": "01.02.2020"}, {"Neu": None}):
        with pytest.raises(UnacceptableFeatures) as caught:
            what_if(model(), features, changes, stored=True)
        assert [error.field for error in caught.value.errors] == [f"changes.{next(iter(changes))}"]


def test_a_change_of_the_schema_refuses_nobody_for_a_cell_that_could_not_be_read() -> None:
    features = {name: value for name, value in a_customer().items() if name != "Land"}
    same = Fit(SCHEMA, SCHEMA)
    same.add([features])
    assert (same.checked, same.refused) == (1, 0)
    without = german.schema(columns=[column.model_dump() for column in SCHEMA.columns if column.name != "Land"])
    added = Fit(SCHEMA, without)
    added.add([features])
    assert [(misfit.column, misfit.detail) for misfit in added.misfits()] == [("Land", "is required")]


def test_a_file_of_outcomes_has_no_features_and_one_of_an_id_alone_is_no_file_of_customers() -> None:
    intake, features = intake_of(german.rows(20), (german.ID, german.LABEL))
    assert (features, intake.left + intake.stayed > 0) == ([{}] * 20, True)
    with pytest.raises(UnreadableTable, match="there is no column Paket"):
        intake_of(german.rows(20), (german.ID,))


def test_a_header_that_is_spelled_otherwise_is_named_beside_the_column_that_the_file_lacks() -> None:
    rows = [{**row, "Monatsbeitraege": row["Monatsbeitrag"]} for row in german.rows(5)]
    intake, _ = intake_of(rows, [header if header != "Monatsbeitrag" else "Monatsbeitraege" for header in german.HEADER])
    assert intake.notes()[-1] == (
        "columns that the file does not have stay as they are: Monatsbeitrag; is Monatsbeitraege meant by Monatsbeitrag?"
    )


IDS = (
    "KD/000001",
    "KD 000002",
    "a+000003@x.example",
    "{000004}",
    "#5",
    "ß%2F?",
    "~41",
    "客户 7",
    "🙂",
    "=1+1",
    '"quoted"',
    "<b>",
    "a\\b",
    "…",
)


def test_ids_of_any_printable_text_are_taken() -> None:
    rows = [german.changed(row, **{german.ID: name}) for name, row in zip(IDS, german.rows(len(IDS)), strict=True)]
    with open_table(io.BytesIO(german.as_csv(rows))) as table:
        assert [row.customer_id for row in Intake(table, SCHEMA, Moments.stated(None, None)).customers()] == list(IDS)


printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).map(cleaned).filter(bool)


@given(printable)
def test_an_id_comes_back_from_its_address(customer_id: str) -> None:
    address = address_of(customer_id)
    assert id_in_address(address) == customer_id
    assert set(address) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-~")
    assert id_problem(customer_id) is None or customer_id in ("high-risk", "segment", "imports", ".", "..")


@given(st.text(max_size=20))
def test_no_address_breaks(address: str) -> None:
    id_in_address(address)
    id_problem(cleaned(address))
