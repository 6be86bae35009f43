"""Rows that are no customers, and customers whose rows look a little like them."""

import pytest

from retainstream.engine.tables.no_customers import COUNT, HEADER, TITLE, TOTAL, UNITS, no_customer

_HEADER = ["id", "plan", "tenure", "fee", "calls", "left"]


def _judged(row: str, *, first: bool = False) -> str:
    return no_customer(row.split(";"), _HEADER, id_place=0, first=first)


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("Total;;;48000.10;;", TOTAL),
        ("Grand total;;;;600;", TOTAL),
        ("Summe:;;12;1.234,56 €;;27", TOTAL),
        ("Gesamt 600 Kunden;;;;;", TOTAL),
        ("Total (600);;;1;;", TOTAL),
        ("Durchschnitt;;32,1;50,2;3;", TOTAL),
        (";;Total;48000.1;;", TOTAL),
        ("合計;;;48000;;", TOTAL),
        ("Итого;;;48 000,10;;", TOTAL),
        ("(600 rows affected)", COUNT),
        ("(600 rows affected);;;;;", COUNT),
        ("600 Datensätze;;;;;", COUNT),
        ("Rows: 600;;;;;", COUNT),
        ("Anzahl;600;;;;", COUNT),
        ("Generated on 2026-01-31;;;;;", TITLE),
        ("Quelle: SAP;;;;;", TITLE),
        ("--- end of report ---", TITLE),
        ("ID;Plan;Tenure;fee;calls;left", HEADER),
    ],
)
def test_a_row_that_sums_up_or_remarks_is_no_customer(row: str, detail: str) -> None:
    assert _judged(row) == detail


@pytest.mark.parametrize(
    "row", [";;months;EUR;;", "-;text;Monate;€/Monat;n;ja/nein", "string;string;int;float;int;bool", ";;[months];(in EUR);#;"]
)
def test_units_below_the_header_are_no_customer(row: str) -> None:
    assert _judged(row, first=True) == UNITS
    assert not _judged(row)


@pytest.mark.parametrize(
    "row",
    [
        "K-00001;Basic;72;120.01;1;no",
        "17;Total;;;;",
        "Total;Basic;3;3.0;3;no",  # the oil company
        "Total;;;1;;yes",
        "TotalEnergies;;;;;",
        "Müller GmbH Berlin;;;;;",
        "600;;;;;",
        "K-1;;;;;",
        ";;;;;",
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_customer_stays_a_customer(row: str, first: bool) -> None:
    assert not _judged(row, first=first)


def test_a_short_table_has_customers_of_one_text() -> None:
    assert not no_customer(["Page 3", ""], ["id", "left"], id_place=0)
    assert not no_customer(["m", "no"], ["id", "left"], id_place=0, first=True)
